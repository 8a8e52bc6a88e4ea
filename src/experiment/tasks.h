// From an experiment's models to the tasks that train: one for each model, fold and seed.
#pragma once

#include <memory>
#include <vector>

#include "serval/audio/augment.h"
#include "serval/experiment/dataset.h"
#include "serval/train/task.h"

#include "run_directory.h"
#include "targets.h"

namespace serval::experiment {

// [feature set]; the values leave the dataset for the device.
using DeviceFeatures = std::vector<std::shared_ptr<const train::TrainingData>>;
DeviceFeatures take_features(Dataset& dataset, const Device& device);

// Folds innermost, so that a whole cross-validation comes first. `normalisers` are those of [feature set][fold]. Throws
// ConfigError, naming model and input, where a model does not fit its data.
std::vector<train::Task> make_tasks(const ExperimentSettings& settings, const Dataset& dataset,
                                    const DeviceFeatures& data, const std::vector<folds::Fold>& folds,
                                    const std::vector<std::vector<folds::Normaliser>>& normalisers,
                                    const FoldedTargets& targets, const RunDirectory& directory,
                                    const Device& device,
                                    const std::shared_ptr<const audio::Augmenter>& augmenter);

}  // namespace serval::experiment
