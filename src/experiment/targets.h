// From an experiment's targets to what every recording should be told.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "serval/audit/audit.h"
#include "serval/corpus/manifest.h"
#include "serval/experiment/dataset.h"
#include "serval/experiment/settings.h"
#include "serval/train/target.h"

namespace serval::experiment {

// In the order of the settings. Throws DataError with what is wrong in all files: each line, and the recordings that
// have none.
std::vector<train::Target> read_targets(const ExperimentSettings& settings, const corpus::Manifest& manifest);

// Of the recordings with these numbers alone.
train::Target kept_target(const train::Target& target, const std::vector<std::size_t>& recordings);

// Targets as the folds see them.
struct FoldedTargets {
  std::vector<std::vector<folds::Normaliser>>
      scalings;                              // [target][fold]; without mean where nothing is standardised
  std::vector<audit::Statistic> statistics;  // whom each of them was fitted on
};
// Throws ConfigError where a class has no training recording in a fold, DataError where a number is the same for all.
FoldedTargets fold_targets(const ExperimentSettings& settings, const Dataset& dataset,
                           const std::vector<folds::Fold>& folds);

// The heads of a model in one fold; none for a model that learns the classes alone.
std::vector<train::Head> make_heads(const ExperimentSettings& settings, const ModelSettings& model,
                                    const Dataset& dataset, const FoldedTargets& folded, int fold);

}  // namespace serval::experiment
