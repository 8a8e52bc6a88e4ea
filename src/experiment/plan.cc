#include "plan.h"

#include <algorithm>
#include <map>
#include <set>

#include "serval/core/error.h"

#include "augmentation.h"
#include "fuse_scores.h"

namespace serval::experiment {

namespace {

using folds::Leak;

std::string place(const folds::Fold& fold) { return folds::fold_name(fold.index, fold.inner); }
std::string place(const train::Task& task) {
  return cat(place(task.sides), ", model ", task.model, ", seed ", task.seed);
}

void need_validation(const ExperimentSettings& settings, const std::vector<folds::Fold>& folds) {
  const bool fuses =
      settings.fusion && fits(settings.fusion->rule) && !settings.protocol.has(Leak::kFusionOnTest);
  const bool selects = chooses_epochs(settings);
  if (!selects && !fuses) return;
  std::vector<std::string> without;
  for (const folds::Fold& fold : folds) {
    // With inner folds, these choose.
    const bool chooses = settings.folds.inner_folds == 0 || fold.inner > 0;
    if (chooses && fold.validation.empty()) without.push_back(place(fold));
  }
  if (without.empty()) return;
  throw ConfigError(cat(selects ? "train.select \"best_validation\""
                                : cat("fusion.rule \"", to_string(settings.fusion->rule), "\""),
                        ": nobody validates in ", join(without, ", "), "; ",
                        folds::how_to_validate(settings.folds), ", or ",
                        selects ? "select \"last\"" : "take a rule that fits nothing, such as \"mean\""));
}

// Stacking learns every class, so each is needed among the recordings that it is fitted on.
void need_stacked_classes(const ExperimentSettings& settings, const std::vector<folds::Fold>& folds,
                          const corpus::Manifest& manifest) {
  if (!settings.fusion || settings.fusion->rule != FusionRule::kStacking) return;
  const bool on_test = settings.protocol.has(Leak::kFusionOnTest);
  std::map<int, std::vector<int>> fitted;  // labels, of each fold; inner folds validate for theirs
  for (const folds::Fold& fold : folds) {
    std::vector<int>& labels = fitted[fold.index];
    for (const std::int64_t r : on_test ? fold.test : fold.validation)
      labels.push_back(manifest.class_of[static_cast<std::size_t>(r)]);
  }
  for (const auto& [fold, labels] : fitted) {
    const std::vector<std::string> missing = classes_without_rows(labels, manifest.classes);
    if (missing.empty()) continue;
    throw ConfigError(cat("fusion.rule \"stacking\": fold ", fold + 1, " has no validation recording of: ",
                          join(missing, ", "), "; use more folds.validation_actors or folds.inner_folds"));
  }
}

// Each once, though every model of a fold has it.
class Statistics {
 public:
  void add(audit::Statistic statistic) {
    if (seen_.insert(statistic.name).second) all_.push_back(std::move(statistic));
  }
  std::vector<audit::Statistic> take() { return std::move(all_); }

 private:
  std::set<std::string> seen_;
  std::vector<audit::Statistic> all_;
};

// What a task was made from, as the task itself has it. Whose recordings those were is read off the recordings, not off
// the plan's own lists.
void add_fitted(Statistics& out, const train::Task& task, const train::TaskResult& result,
                const corpus::Manifest& manifest) {
  const std::string where = place(task.sides);
  for (const train::TaskInput& input : task.inputs) {
    if (input.normaliser.fitted_on_actors.empty()) continue;
    out.add({.name = cat("normaliser of model ", task.model, ", input ", input.name, ", ", where),
             .fold = task.fold,
             .fitted_on_actors = input.normaliser.fitted_on_actors,
             .inner = task.inner,
             .leak = Leak::kNormaliserOnAll});
  }
  const std::vector<std::string> trained = manifest.actors_of(result.lineage.trained_on);
  out.add({.name = cat(task.learner ? "learner" : "weights", ", ", place(task)),
           .fold = task.fold,
           .fitted_on_actors = trained,
           .inner = task.inner,
           .leak = Leak::kCopiesBeforeSplit});
  if (task.network && task.settings.class_weights != train::ClassWeights::kNone) {
    out.add({.name = cat("class weights, ", where),
             .fold = task.fold,
             .fitted_on_actors = manifest.actors_of(task.sides.train),
             .inner = task.inner});
  }
  if (!result.lineage.chosen_by.empty()) {
    out.add({.name = cat("choice of the epoch, ", place(task)),
             .fold = task.fold,
             .fitted_on_actors = manifest.actors_of(result.lineage.chosen_by),
             .role = audit::Role::kChoice,
             .inner = task.inner,
             .leak = Leak::kTestSelection});
  }
}

}  // namespace

Plan plan_folds(const ExperimentSettings& settings, const Dataset& dataset) {
  Plan plan;
  plan.folds = folds::make_folds(settings.folds, dataset.manifest, settings.protocol);
  need_validation(settings, plan.folds);
  need_stacked_classes(settings, plan.folds, dataset.manifest);
  audit::PlanFacts facts{dataset.waveform_hashes, dataset.near_duplicates};
  if (settings.augment.enabled()) {
    for (const folds::Fold& fold : plan.folds)
      facts.copied.push_back({fold.index, copied_recordings(fold, settings.protocol), fold.inner});
  }
  plan.audit = audit::audit_plan(dataset.manifest, plan.folds, facts, settings.protocol);
  return plan;
}

void fit_plan(Plan& plan, const ExperimentSettings& settings, Dataset& dataset) {
  SERVAL_CHECK(plan.audit.passed(), "nothing is fitted for a plan that leaks");
  if (!settings.protocol.has(Leak::kSharedAudio)) folds::check_disjoint(plan.folds, dataset.manifest);
  for (FeatureSet& set : dataset.features) {
    const folds::RaggedFeatures ragged{set.values.data(), set.offsets, set.dimension};
    if (settings.protocol.has(Leak::kSpeakerStatistics))
      folds::normalise_by_speaker(ragged, dataset.manifest, set.values);
    std::vector<folds::Normaliser>& normalisers = plan.normalisers.emplace_back();
    if (settings.protocol.has(Leak::kNormaliserOnAll)) {
      normalisers.assign(plan.folds.size(), folds::fit_normaliser_on_all(ragged, dataset.manifest));
      continue;
    }
    for (const folds::Fold& fold : plan.folds)
      normalisers.push_back(folds::fit_normaliser(ragged, fold, dataset.manifest));
  }
  plan.targets = fold_targets(settings, dataset, plan.folds);
}

void audit_results(Plan& plan, const ExperimentSettings& settings, const corpus::Manifest& manifest,
                   const std::vector<train::Task>& tasks, const std::vector<train::TaskResult>& results,
                   const std::vector<audit::Statistic>& fused) {
  SERVAL_CHECK(tasks.size() == results.size(), tasks.size(), " tasks, ", results.size(), " results");
  Statistics statistics;
  if (settings.protocol.has(Leak::kSpeakerStatistics)) {
    for (const folds::Fold& fold : plan.folds) {
      statistics.add({.name = cat("each actor's own mean and deviation, ", place(fold)),
                      .fold = fold.index,
                      .fitted_on_actors = manifest.actors(),
                      .inner = fold.inner,
                      .leak = Leak::kSpeakerStatistics});
    }
  }
  std::vector<audit::ModelLineage> models;
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    const train::Task& task = tasks[i];
    const train::TaskResult& result = results[i];
    add_fitted(statistics, task, result, manifest);
    audit::ModelLineage& model = models.emplace_back();
    model.name = place(task);
    model.fold = task.fold;
    model.inner = task.inner;
    model.trained_on = result.lineage.trained_on;
    model.chosen_by = result.lineage.chosen_by;
    model.tested_on = result.recordings;
    if (!task.initial_weights) continue;
    model.weights_file = task.initial_weights->path(task.fold, task.seed);
    model.weights_tell = result.lineage.weights_tell;
    model.weights_heard = result.lineage.weights_heard;
    model.weights_chosen_by = result.lineage.weights_chosen_by;
  }
  for (const audit::Statistic& statistic : plan.targets.statistics) statistics.add(statistic);
  for (const audit::Statistic& statistic : fused) statistics.add(statistic);
  audit::audit_lineage(plan.audit, manifest, plan.folds, statistics.take(), models, settings.protocol);
}

}  // namespace serval::experiment
