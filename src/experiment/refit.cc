#include "refit.h"

#include <algorithm>
#include <memory>
#include <numeric>
#include <set>

#include "serval/audio/augment.h"
#include "serval/core/error.h"
#include "serval/core/hash.h"
#include "serval/experiment/dataset.h"
#include "serval/train/cohort.h"

#include "follow_training.h"
#include "plan.h"
#include "run_directory.h"
#include "stages.h"
#include "tasks.h"

namespace serval::experiment {

namespace {

// With those whose weights they start from.
std::set<std::string> with_ancestors(const ExperimentSettings& settings,
                                     const std::vector<std::string>& models) {
  std::set<std::string> out(models.begin(), models.end());
  // A model starts from one before it.
  for (auto model = settings.models.rbegin(); model != settings.models.rend(); ++model) {
    if (out.count(model->first) > 0 && model->second.initial_weights)
      out.insert(model->second.initial_weights->model);
  }
  return out;
}

int middle_epoch_of(const report::ModelReport& model, const std::string& run) {
  std::vector<int> epochs;
  for (const report::LearningCurve& curve : model.curves) epochs.push_back(curve.selected_epoch);
  if (epochs.empty())
    throw DataError(cat(run, "/models/", model.name, ": no result.json tells how long its folds trained"));
  return middle_epoch(std::move(epochs));
}

void need_the_same_recordings(const FinishedRun& run, const corpus::Manifest& manifest) {
  for (const corpus::Recording& recording : manifest.recordings) {
    const auto known = run.contents.find(recording.id);
    if (known == run.contents.end())
      throw DataError(cat(recording.path, ": the run does not know it; a refit takes the run's recordings"));
    if (known->second != recording.content_hash)
      throw DataError(cat(recording.path, ": is no longer the file that the run heard"));
  }
  if (manifest.recordings.size() != run.contents.size()) {
    throw DataError(cat(run.folder, ": ", run.contents.size(), " recordings then, ",
                        manifest.recordings.size(), " are left now"));
  }
}

}  // namespace

Refit refit_models(FinishedRun run, const ExperimentSettings& settings,
                   const std::vector<std::string>& models, const std::vector<std::int64_t>& seeds,
                   const Device& device, int threads) {
  const RunDirectory directory(run.folder + "/refit", settings);
  Refit out{directory.folder(), static_cast<int>(run.report.fold_sizes.size()), {}};
  read_curves(run);
  Dataset dataset = make_dataset(settings, {device, threads, true});
  need_the_same_recordings(run, dataset.manifest);

  Plan plan;
  folds::Fold& everyone = plan.folds.emplace_back();
  everyone.index = out.fold;
  everyone.train_actors = dataset.manifest.actors();
  everyone.train.resize(dataset.manifest.recordings.size());
  std::iota(everyone.train.begin(), everyone.train.end(), std::int64_t{0});
  fit_plan(plan, settings, dataset);
  const auto augmenter = settings.augment.enabled() ? std::make_shared<const audio::Augmenter>(
                                                          settings.augment, settings.audio.sample_rate_hz)
                                                    : nullptr;
  std::vector<train::Task> tasks = make_tasks(settings, dataset, take_features(dataset, device), plan.folds,
                                              plan.normalisers, plan.targets, directory, device, augmenter);
  const std::set<std::string> wanted = with_ancestors(settings, models);
  std::erase_if(tasks, [&](const train::Task& task) {
    return wanted.count(task.model) == 0 ||
           std::find(seeds.begin(), seeds.end(), static_cast<std::int64_t>(task.seed)) == seeds.end();
  });
  for (const report::ModelReport& model : run.report.models) {
    if (wanted.count(model.name) == 0) continue;
    const auto trains = [&](const train::Task& task) { return task.model == model.name && task.network; };
    if (std::none_of(tasks.begin(), tasks.end(), trains)) continue;
    const int epochs = middle_epoch_of(model, run.folder);
    out.epochs.emplace_back(model.name, epochs);
    for (train::Task& task : tasks) {
      if (!trains(task)) continue;
      task.settings.select = train::Select::kLast;  // the folds have chosen
      task.stop_epoch = epochs;
      task.key = Hasher().text(task.key).integer(epochs).hex();
    }
  }
  std::vector<StagedRun> staged{{settings, tasks, {}}};
  run_stages(staged, {device, threads, 0, write_event_files()});
  return out;
}

}  // namespace serval::experiment
