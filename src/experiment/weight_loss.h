// What rounding a bundle's weights costs, measured on recordings of its run.
#pragma once

#include <cstdint>
#include <optional>

#include "serval/core/json.h"
#include "serval/deploy/bundle.h"
#include "serval/experiment/finished_run.h"

namespace serval::experiment {

struct WeightLoss {
  std::int64_t recordings = 0;
  std::int64_t labels_changed = 0;
  double largest_difference = 0;  // of a probability
  // With the weights as trained and as rounded; none where the bundle has heard the recordings' speakers.
  std::optional<double> uar_float32, uar;
};
JsonValue to_json(const WeightLoss& loss);

// Scores with both kinds of weights: of a bundle of one fold (from 0) its test recordings, else recordings of the whole run; of
// many, every so-manieth. Throws DataError where a recording is gone.
WeightLoss measure_loss(const deploy::Bundle& bundle, const FinishedRun& run,
                        const report::ModelReport& model, std::optional<int> fold);

}  // namespace serval::experiment
