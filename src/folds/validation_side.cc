#include <algorithm>
#include <map>

#include "fold_draft.h"

namespace serval::folds {

namespace {

using corpus::Gender;

std::map<std::string, Gender> genders(const corpus::Manifest& manifest) {
  std::map<std::string, Gender> out;
  for (const corpus::Recording& recording : manifest.recordings) {
    Gender& gender = out[recording.actor];
    if (gender == Gender::kUnknown) gender = recording.gender;
  }
  return out;
}

// Who may validate fold k, in the order in which they are asked.
Actors candidates_of(const std::vector<FoldDraft>& drafts, std::size_t k, const Actors& actors) {
  const FoldDraft& own = drafts[k];
  const auto may = [&](const std::string& actor) {
    return !contains(own.test, actor) && (own.train.empty() || contains(own.train, actor));
  };
  Actors candidates;
  const auto add = [&](const std::string& actor) {
    if (may(actor) && !contains(candidates, actor)) candidates.push_back(actor);
  };
  for (std::size_t step = 1; step < drafts.size(); ++step) {
    Actors group = drafts[(k + step) % drafts.size()].test;
    sort_actors(group);
    for (const std::string& actor : group) add(actor);
  }
  for (const std::string& actor : actors) add(actor);
  return candidates;
}

}  // namespace

Actors choose_validation(const std::vector<FoldDraft>& drafts, std::size_t k, int count, const Actors& actors,
                         const corpus::Manifest& manifest, std::vector<std::string>& problems) {
  Actors candidates = candidates_of(drafts, k, actors);
  if (static_cast<int>(candidates.size()) <= count) {
    problems.push_back(cat("fold ", k + 1, " has ", candidates.size(), " actors that it does not test; ",
                           count, " for validation leave none to train on"));
    return {};
  }
  const std::map<std::string, Gender> gender_of = genders(manifest);
  Gender wanted = k % 2 == 0 ? Gender::kFemale : Gender::kMale;
  Actors chosen;
  for (int i = 0; i < count; ++i) {
    auto next = std::find_if(candidates.begin(), candidates.end(),
                             [&](const std::string& actor) { return gender_of.at(actor) == wanted; });
    if (next == candidates.end()) next = candidates.begin();
    chosen.push_back(*next);
    candidates.erase(next);
    wanted = wanted == Gender::kFemale ? Gender::kMale : Gender::kFemale;
  }
  return chosen;
}

}  // namespace serval::folds
