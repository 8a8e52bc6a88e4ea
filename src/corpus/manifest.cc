#include "serval/corpus/manifest.h"

#include <algorithm>
#include <map>
#include <set>

#include "serval/core/error.h"
#include "serval/core/text.h"

namespace serval::corpus {

const char* to_string(Gender gender) {
  switch (gender) {
    case Gender::kFemale:
      return "female";
    case Gender::kMale:
      return "male";
    case Gender::kUnknown:
      break;
  }
  return "unknown";
}

namespace {

// Of every number in it: "a/01" is "a/1".
std::string without_leading_zeros(const std::string& name) {
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  std::string out;
  for (std::size_t i = 0; i < name.size(); ++i) {
    const bool starts = name[i] == '0' && (out.empty() || !digit(out.back()));
    if (!starts || i + 1 == name.size() || !digit(name[i + 1])) out += name[i];
  }
  return out;
}

}  // namespace

void check_actor_names(const std::vector<Recording>& recordings) {
  std::map<std::string, const Recording*> first_of;
  for (const Recording& recording : recordings) {
    std::string key = lower(recording.actor);
    std::erase_if(key, [](char c) { return c == ' ' || c == '\t'; });
    key = without_leading_zeros(key);
    const Recording& first = *first_of.emplace(key, &recording).first->second;
    if (first.actor == recording.actor) continue;
    throw DataError(cat("the actors \"", first.actor, "\" and \"", recording.actor,
                        "\" differ only in case, blanks or zeros in front:\n  ", first.path, "\n  ",
                        recording.path, "\nname a person the same everywhere, and two persons differently"));
  }
}

std::vector<std::string> Manifest::actors() const {
  std::set<std::string> unique;
  for (const Recording& recording : recordings) unique.insert(recording.actor);
  return {unique.begin(), unique.end()};
}

std::vector<std::string> Manifest::actors_of(const std::vector<std::int64_t>& numbers) const {
  std::set<std::string> unique;
  for (const std::int64_t r : numbers) unique.insert(recordings[static_cast<std::size_t>(r)].actor);
  return {unique.begin(), unique.end()};
}

bool Manifest::any_synthetic() const {
  return std::any_of(recordings.begin(), recordings.end(), [](const Recording& r) { return r.synthetic; });
}

}  // namespace serval::corpus
