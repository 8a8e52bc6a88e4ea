#include <algorithm>
#include <map>
#include <set>

#include "serval/core/error.h"
#include "serval/folds/fold.h"

#include "presets.h"

namespace serval::folds {

namespace {

using corpus::Gender;
using corpus::Manifest;
using Actors = std::vector<std::string>;

void sort_actors(Actors& actors) { std::sort(actors.begin(), actors.end(), natural_less); }

[[noreturn]] void fail(const std::vector<std::string>& problems) {
  throw ConfigError("folds: " + join(problems, "\nfolds: "));
}

bool contains(const Actors& actors, const std::string& actor) {
  return std::find(actors.begin(), actors.end(), actor) != actors.end();
}

std::vector<Actors> consecutive_groups(const Actors& actors, std::size_t count) {
  if (actors.size() < count) {
    fail({cat(count, " folds need at least as many actors; there are ", actors.size(), ": ",
              join(actors, ", "))});
  }
  std::vector<Actors> groups;
  for (std::size_t k = 0; k < count; ++k) {
    // The first actors.size() % count groups have one actor more.
    const std::size_t whole = actors.size() / count, more = actors.size() % count;
    const std::size_t first = k * whole + std::min(k, more);
    const std::size_t size = whole + (k < more ? 1 : 0);
    groups.emplace_back(actors.begin() + static_cast<std::ptrdiff_t>(first),
                        actors.begin() + static_cast<std::ptrdiff_t>(first + size));
  }
  return groups;
}

std::vector<Actors> explicit_groups(const std::vector<TestGroup>& wanted, const Actors& actors) {
  std::vector<std::string> problems;
  std::map<std::string, std::size_t> group_of;
  std::vector<Actors> groups;
  for (std::size_t k = 0; k < wanted.size(); ++k) {
    if (wanted[k].test.empty()) problems.push_back(cat("groups[", k, "] tests no actor"));
    for (const std::string& actor : wanted[k].test) {
      const auto [previous, fresh] = group_of.emplace(actor, k);
      if (!fresh)
        problems.push_back(cat("groups[", k, "]: ", actor, " is already in groups[", previous->second, "]"));
      if (!contains(actors, actor)) {
        const std::string near = nearest_word(actor, actors);
        problems.push_back(cat("groups[", k, "]: no recording is of actor \"", actor, "\"",
                               near.empty() ? "" : cat("; did you mean \"", near, "\"?")));
      }
    }
    groups.push_back(wanted[k].test);
  }
  if (!problems.empty()) fail(problems);
  return groups;
}

std::vector<Actors> test_groups(const FoldSettings& settings, const Manifest& manifest,
                                const Actors& actors) {
  if (!settings.groups.empty()) return explicit_groups(settings.groups, actors);
  if (!settings.preset.empty()) {
    if (settings.scheme != Scheme::kActors) fail({"a preset cannot go with leave_one_actor_out"});
    return preset_groups(settings.preset, manifest);
  }
  if (settings.scheme == Scheme::kLeaveOneActorOut) {
    if (actors.size() < 2)
      fail({cat("leave_one_actor_out needs at least 2 actors; there is ", actors.front())});
    return consecutive_groups(actors, actors.size());
  }
  if (settings.count < 2) fail({cat("count is ", settings.count, "; it must be at least 2")});
  return consecutive_groups(actors, static_cast<std::size_t>(settings.count));
}

// Who may validate fold k, in the order in which they are asked.
Actors validation_candidates(const std::vector<Actors>& groups, std::size_t k, const Actors& actors) {
  Actors candidates;
  for (std::size_t step = 1; step < groups.size(); ++step) {
    Actors group = groups[(k + step) % groups.size()];
    sort_actors(group);
    candidates.insert(candidates.end(), group.begin(), group.end());
  }
  for (const std::string& actor : actors) {
    if (!contains(candidates, actor) && !contains(groups[k], actor)) candidates.push_back(actor);
  }
  return candidates;
}

Actors choose_validation(Actors candidates, std::size_t k, int count,
                         const std::map<std::string, Gender>& gender_of) {
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

std::map<std::string, Gender> genders(const Manifest& manifest) {
  std::map<std::string, Gender> out;
  for (const corpus::Recording& recording : manifest.recordings) {
    Gender& gender = out[recording.actor];
    if (gender == Gender::kUnknown) gender = recording.gender;
  }
  return out;
}

void assign_recordings(Fold& fold, const Manifest& manifest) {
  const std::set<std::string> validation(fold.validation_actors.begin(), fold.validation_actors.end());
  const std::set<std::string> test(fold.test_actors.begin(), fold.test_actors.end());
  for (std::size_t r = 0; r < manifest.recordings.size(); ++r) {
    const std::string& actor = manifest.recordings[r].actor;
    std::vector<std::int64_t>& side = test.count(actor) > 0         ? fold.test
                                      : validation.count(actor) > 0 ? fold.validation
                                                                    : fold.train;
    side.push_back(static_cast<std::int64_t>(r));
  }
}

// Names of the classes that the manifest has and the fold's training side lacks.
std::vector<std::string> untrained_classes(const Fold& fold, const Manifest& manifest) {
  std::set<int> missing(manifest.class_of.begin(), manifest.class_of.end());
  for (const std::int64_t r : fold.train) missing.erase(manifest.class_of[static_cast<std::size_t>(r)]);
  std::vector<std::string> names;
  for (const int c : missing) names.push_back(manifest.classes.at(static_cast<std::size_t>(c)));
  return names;
}

}  // namespace

std::vector<Fold> make_folds(const FoldSettings& settings, const Manifest& manifest) {
  SERVAL_CHECK(manifest.class_of.size() == manifest.recordings.size(), manifest.class_of.size(),
               " classes for ", manifest.recordings.size(), " recordings");
  if (manifest.recordings.empty()) fail({"there are no recordings to divide"});
  const std::map<std::string, Gender> gender_of = genders(manifest);
  Actors actors;
  for (const auto& [actor, gender] : gender_of) actors.push_back(actor);
  sort_actors(actors);

  const std::vector<Actors> groups = test_groups(settings, manifest, actors);
  std::vector<std::string> problems;
  std::vector<Fold> folds;
  for (std::size_t k = 0; k < groups.size(); ++k) {
    const Actors candidates = validation_candidates(groups, k, actors);
    if (static_cast<int>(candidates.size()) <= settings.validation_actors) {
      problems.push_back(cat("fold ", k + 1, " has ", candidates.size(), " actors that it does not test; ",
                             settings.validation_actors, " for validation leave none to train on"));
      continue;
    }
    Fold& fold = folds.emplace_back();
    fold.index = static_cast<int>(k);
    fold.test_actors = groups[k];
    fold.validation_actors = choose_validation(candidates, k, settings.validation_actors, gender_of);
    for (const std::string& actor : candidates) {
      if (!contains(fold.validation_actors, actor)) fold.train_actors.push_back(actor);
    }
    sort_actors(fold.train_actors);
    sort_actors(fold.validation_actors);
    sort_actors(fold.test_actors);
    assign_recordings(fold, manifest);
    const std::vector<std::string> untrained = untrained_classes(fold, manifest);
    if (!untrained.empty()) {
      problems.push_back(cat("fold ", k + 1, " has no training recording of: ", join(untrained, ", ")));
    }
  }
  if (!problems.empty()) fail(problems);
  check_disjoint(folds, manifest);
  return folds;
}

}  // namespace serval::folds
