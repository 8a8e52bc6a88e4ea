// The order in which recordings are seen, cut into batches.
#pragma once

#include <cstdint>
#include <vector>

#include "serval/core/philox.h"
#include "serval/train/task.h"

namespace serval::train {

// One pass: recordings batch by batch, each longest first, so that the LSTM's work shrinks as sequences end.
struct EpochPlan {
  struct Slice {
    std::int64_t first = 0;  // place in the arrays below
    std::int64_t count = 0;
    std::int64_t time = 0;  // frames of its longest recording
  };
  std::vector<Slice> batches;
  std::vector<std::int64_t> recordings;
  std::vector<std::int64_t> starts;   // first frame of each
  std::vector<std::int32_t> lengths;  // frames of each
  std::vector<std::int32_t> labels;
};

// Training: shuffled by `random`, a pure function of (seed, fold, epoch).
EpochPlan shuffled_plan(const TrainingData& data, const std::vector<std::int64_t>& recordings, int batch_size,
                        const RandomStream& random);
// Scoring: by length, so that batches waste no padding.
EpochPlan sorted_plan(const TrainingData& data, const std::vector<std::int64_t>& recordings, int batch_size);

}  // namespace serval::train
