#include "serval/corpus/manifest.h"

#include <algorithm>
#include <set>

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

std::vector<std::string> Manifest::actors() const {
  std::set<std::string> unique;
  for (const Recording& recording : recordings) unique.insert(recording.actor);
  return {unique.begin(), unique.end()};
}

bool Manifest::any_synthetic() const {
  return std::any_of(recordings.begin(), recordings.end(), [](const Recording& r) { return r.synthetic; });
}

}  // namespace serval::corpus
