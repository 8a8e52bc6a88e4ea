#include "lineage_checks.h"

#include <algorithm>
#include <set>

#include "check_parts.h"

namespace serval::audit {

namespace {

using corpus::Manifest;
using folds::Fold;
using folds::Leak;
using folds::ProtocolSettings;

using Names = std::set<std::string>;

// On which side an actor is that something fitted may not have seen; "" where it may.
std::string forbidden_side(const Fold& fold, const Statistic& statistic, const std::string& actor) {
  const auto in = [&](const std::vector<std::string>& actors) {
    return std::find(actors.begin(), actors.end(), actor) != actors.end();
  };
  const bool trains = in(fold.train_actors), validates = in(fold.validation_actors);
  if (fold.actors_apart ? in(fold.test_actors) : in(fold.test_actors) && !trains && !validates)
    return "a test";
  if (statistic.role == Role::kFit && validates && !trains) return "a validation";
  if (!trains && !validates) return "no";
  return "";
}

}  // namespace

Check check_statistics(const std::vector<Fold>& folds, const std::vector<Statistic>& statistics,
                       const ProtocolSettings& protocol) {
  Evidence evidence;
  bool allowed = true;
  for (const Statistic& statistic : statistics) {
    const Fold* fold = find_fold(folds, statistic.fold, statistic.inner);
    if (fold == nullptr) {
      evidence.add(cat(statistic.name, ": is of ", folds::fold_name(statistic.fold, statistic.inner),
                       ", which is none"));
      allowed = false;
      continue;
    }
    for (const std::string& actor : statistic.fitted_on_actors) {
      const std::string side = forbidden_side(*fold, statistic, actor);
      if (side.empty()) continue;
      allowed = allowed && protocol.has(statistic.leak);
      evidence.add(cat(statistic.name, ": fitted on ", actor, ", ", side, " actor of ", name_of(*fold)));
    }
  }
  return evidence.check("nothing_fitted_on_test_actors", cat(statistics.size(), " fitted statistics"),
                        allowed);
}

Check check_trained_on(const Manifest& manifest, const std::vector<Fold>& folds,
                       const std::vector<ModelLineage>& models, const ProtocolSettings& protocol) {
  Evidence evidence;
  std::int64_t recordings = 0;
  for (const ModelLineage& model : models) {
    const Fold& fold = fold_of(folds, model);
    const std::set<std::int64_t> train(fold.train.begin(), fold.train.end());
    const Names test = fold.actors_apart ? Names(fold.test_actors.begin(), fold.test_actors.end()) : Names();
    recordings += static_cast<std::int64_t>(model.trained_on.size());
    for (const std::int64_t r : model.trained_on) {
      const corpus::Recording& own = recording(manifest, r);
      if (train.count(r) > 0 && test.count(own.actor) == 0) continue;
      evidence.add(
          cat(model.name, ": trained on ", own.id, " of ", own.actor, ", which is not on the training side"));
    }
  }
  return evidence.check(
      "trained_on_the_training_side",
      cat(models.size(), " models, which heard ", recordings, " recordings of their training sides"),
      protocol.has(Leak::kCopiesBeforeSplit));
}

Check check_chosen_by(const Manifest& manifest, const std::vector<Fold>& folds,
                      const std::vector<ModelLineage>& models, const ProtocolSettings& protocol) {
  Evidence evidence;
  for (const ModelLineage& model : models) {
    const Fold& fold = fold_of(folds, model);
    const std::set<std::int64_t> validation(fold.validation.begin(), fold.validation.end());
    const std::set<std::int64_t> test(fold.test.begin(), fold.test.end());
    const Names kept_away =
        fold.actors_apart ? Names(fold.test_actors.begin(), fold.test_actors.end()) : Names();
    for (const std::int64_t r : model.chosen_by) {
      const corpus::Recording& own = recording(manifest, r);
      const bool tested = test.count(r) > 0 || kept_away.count(own.actor) > 0;
      if (validation.count(r) > 0 && !tested) continue;
      evidence.add(cat(model.name, ": scored ", own.id, " while it trained, which is ",
                       tested ? "on the test side" : "not on the validation side"));
    }
  }
  return evidence.check("chosen_by_the_validation_side", cat(models.size(), " models"),
                        protocol.has(Leak::kTestSelection));
}

Check check_test_scored_once(const Manifest& manifest, const std::vector<Fold>& folds,
                             const std::vector<ModelLineage>& models) {
  Evidence evidence;
  for (const ModelLineage& model : models) {
    const Fold& fold = fold_of(folds, model);
    std::set<std::int64_t> left(fold.test.begin(), fold.test.end());
    for (const std::int64_t r : model.tested_on) {
      if (left.erase(r) == 0)
        evidence.add(
            cat(model.name, ": tested ", recording(manifest, r).id, " twice, or not on its test side"));
    }
    if (!left.empty())
      evidence.add(cat(model.name, ": did not test ", recording(manifest, *left.begin()).id,
                       left.size() > 1 ? cat(" and ", left.size() - 1, " more") : ""));
  }
  return evidence.check("test_side_scored_once", cat(models.size(), " models, after their training"), false);
}

Check check_initial_weights(const std::vector<Fold>& folds, const std::vector<ModelLineage>& models,
                            const ProtocolSettings& protocol) {
  Evidence evidence;
  std::size_t started = 0;
  Names silent;
  for (const ModelLineage& model : models) {
    if (model.weights_file.empty()) continue;
    ++started;
    if (!model.weights_tell) silent.insert(model.weights_file);
    const Fold& fold = fold_of(folds, model);
    Names test(fold.test_actors.begin(), fold.test_actors.end());
    Names validation(fold.validation_actors.begin(), fold.validation_actors.end());
    if (!fold.actors_apart) {
      for (const std::string& actor : fold.train_actors) {
        test.erase(actor);
        validation.erase(actor);
      }
    }
    const auto find = [&](const std::vector<std::string>& actors, const Names& forbidden, const char* did,
                          const char* side) {
      for (const std::string& actor : actors) {
        if (forbidden.count(actor) > 0)
          evidence.add(cat(model.name, ": starts from ", model.weights_file, ", ", did, " ", actor,
                           ", an actor of its ", side, " side"));
      }
    };
    find(model.weights_heard, test, "trained on", "test");
    find(model.weights_heard, validation, "trained on", "validation");
    find(model.weights_chosen_by, test, "chosen by", "test");
  }
  std::string otherwise = started == 0 ? "all models start from drawn weights"
                                       : cat(started,
                                             " models start from weights that heard none of their test "
                                             "or validation actors");
  if (!silent.empty())
    otherwise += cat("; these do not tell whom they heard: ", join({silent.begin(), silent.end()}, ", "));
  return evidence.check("initial_weights_heard_no_test_actor", otherwise,
                        protocol.has(Leak::kForeignWeights));
}

}  // namespace serval::audit
