#include <algorithm>
#include <set>

#include "serval/core/error.h"
#include "serval/folds/fold.h"

#include "fold_draft.h"

namespace serval::folds {

namespace {

using corpus::Manifest;

// Names of the classes that the manifest has and the fold's training side lacks.
std::vector<std::string> untrained_classes(const Fold& fold, const Manifest& manifest) {
  std::set<int> missing(manifest.class_of.begin(), manifest.class_of.end());
  for (const std::int64_t r : fold.train) missing.erase(manifest.class_of[static_cast<std::size_t>(r)]);
  std::vector<std::string> names;
  for (const int c : missing) names.push_back(manifest.classes.at(static_cast<std::size_t>(c)));
  return names;
}

Fold fold_of(const FoldDraft& draft, Actors validation, const Actors& actors, const Manifest& manifest) {
  Fold fold;
  fold.name = draft.name;
  fold.test_actors = draft.test;
  fold.validation_actors = std::move(validation);
  for (const std::string& actor : draft.train.empty() ? actors : draft.train) {
    if (!contains(fold.test_actors, actor) && !contains(fold.validation_actors, actor))
      fold.train_actors.push_back(actor);
  }
  const std::set<std::string> train(fold.train_actors.begin(), fold.train_actors.end());
  const std::set<std::string> held_out(fold.validation_actors.begin(), fold.validation_actors.end());
  const std::set<std::string> test(fold.test_actors.begin(), fold.test_actors.end());
  for (std::size_t r = 0; r < manifest.recordings.size(); ++r) {
    const std::string& actor = manifest.recordings[r].actor;
    const auto number = static_cast<std::int64_t>(r);
    if (test.count(actor) > 0) fold.test.push_back(number);
    if (held_out.count(actor) > 0) fold.validation.push_back(number);
    if (train.count(actor) > 0) fold.train.push_back(number);
  }
  return fold;
}

std::vector<Fold> folds_of_actors(const FoldSettings& settings, const Manifest& manifest) {
  std::vector<std::int64_t> all;
  for (std::size_t r = 0; r < manifest.recordings.size(); ++r) all.push_back(static_cast<std::int64_t>(r));
  const Actors actors = actors_of(manifest, all);
  const std::vector<FoldDraft> drafts = actor_drafts(settings, manifest, actors);
  // With inner folds, or a share of recordings, nobody else validates.
  const bool chosen = settings.inner_folds == 0 && settings.validation_share == 0;
  std::vector<Fold> folds;
  std::vector<std::string> problems;
  for (std::size_t k = 0; k < drafts.size(); ++k) {
    const bool named = !drafts[k].validation.empty();
    const Actors validation =
        named    ? drafts[k].validation
        : chosen ? choose_validation(drafts, k, settings.validation_actors, actors, manifest, problems)
                 : Actors();
    folds.push_back(fold_of(drafts[k], validation, actors, manifest));
  }
  if (!problems.empty()) fail_folds(problems);
  return folds;
}

std::vector<Fold> folds_of_scheme(const FoldSettings& settings, const Manifest& manifest) {
  if (deals_recordings(settings)) {
    return settings.scheme == Scheme::kStratifiedRandom ? stratified_random(settings, manifest)
                                                        : unshuffled_tail(settings, manifest);
  }
  if (settings.groups.empty() && settings.scheme == Scheme::kList)
    return listed_folds(settings.list, manifest);
  return folds_of_actors(settings, manifest);
}

bool shares_actors(const Fold& fold) {
  const auto both = [](const Actors& a, const Actors& b) {
    return std::any_of(a.begin(), a.end(), [&](const std::string& actor) { return contains(b, actor); });
  };
  return both(fold.train_actors, fold.test_actors) || both(fold.train_actors, fold.validation_actors) ||
         both(fold.validation_actors, fold.test_actors);
}

void name_actors(Fold& fold, const Manifest& manifest, const ProtocolSettings& protocol) {
  fold.train_actors = actors_of(manifest, fold.train);
  fold.validation_actors = actors_of(manifest, fold.validation);
  if (fold.inner == 0) fold.test_actors = actors_of(manifest, fold.test);
  const bool allowed = protocol.has(Leak::kSharedActors) || protocol.has(Leak::kSharedValidationActors) ||
                       protocol.has(Leak::kTestSelection);
  fold.actors_apart = !(allowed && shares_actors(fold));
}

}  // namespace

std::string fold_name(int index, int inner) {
  return cat("fold ", index + 1, inner > 0 ? cat(", inner fold ", inner) : "");
}

std::vector<Fold> make_folds(const FoldSettings& settings, const Manifest& manifest,
                             const ProtocolSettings& protocol) {
  SERVAL_CHECK(manifest.class_of.size() == manifest.recordings.size(), manifest.class_of.size(),
               " classes for ", manifest.recordings.size(), " recordings");
  if (manifest.recordings.empty()) fail_folds({"there are no recordings to divide"});
  std::vector<Fold> folds = folds_of_scheme(settings, manifest);
  for (std::size_t k = 0; k < folds.size(); ++k) folds[k].index = static_cast<int>(k);
  if (settings.sentence_groups > 1) folds = with_sentences_apart(folds, settings.sentence_groups, manifest);
  for (Fold& fold : folds) {
    if (settings.validation_share > 0 && fold.validation.empty())
      take_validation_share(fold, settings, manifest);
    if (protocol.has(Leak::kTestSelection)) fold.validation = fold.test;
    name_actors(fold, manifest, protocol);
  }
  std::vector<Fold> inner;
  if (settings.inner_folds > 0) {
    for (Fold& fold : folds) {
      for (Fold& one : inner_folds(fold, settings, manifest)) inner.push_back(std::move(one));
      fold.train.insert(fold.train.end(), fold.validation.begin(), fold.validation.end());
      std::sort(fold.train.begin(), fold.train.end());
      fold.validation.clear();
      name_actors(fold, manifest, protocol);
    }
  }
  folds.insert(folds.end(), inner.begin(), inner.end());
  std::vector<std::string> problems;
  for (const Fold& fold : folds) {
    const std::vector<std::string> untrained = untrained_classes(fold, manifest);
    if (untrained.empty()) continue;
    problems.push_back(
        cat(fold_name(fold.index, fold.inner), " has no training recording of: ", join(untrained, ", ")));
  }
  if (!problems.empty()) fail_folds(problems);
  return folds;
}

}  // namespace serval::folds
