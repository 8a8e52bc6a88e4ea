// A run's models trained once more, on every actor: what is shipped where no actor is to be left out. Nobody is left
// to score them, so their figures are those of the folds.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "serval/core/tensor.h"
#include "serval/experiment/finished_run.h"
#include "serval/experiment/settings.h"

namespace serval::experiment {

struct Refit {
  std::string folder;                               // <run>/refit: models/<model>/fold-..., as in a run
  int fold = 0;                                     // from 0: the one behind the run's own
  std::vector<std::pair<std::string, int>> epochs;  // of each network
};

// Trains `models` with `seeds`, and what they start from, for the middle one of the epochs that their folds and seeds
// selected, or continues an interrupted refit. Throws DataError where the recordings are no longer those of the run.
Refit refit_models(FinishedRun run, const ExperimentSettings& settings,
                   const std::vector<std::string>& models, const std::vector<std::int64_t>& seeds,
                   const Device& device, int threads);

}  // namespace serval::experiment
