// The order in which items (recordings or their segments) are seen, cut into batches.
#pragma once

#include <cstdint>
#include <vector>

#include "serval/core/philox.h"
#include "serval/train/task.h"

namespace serval::train {

// One pass: items batch by batch, each longest first, so that the LSTM's work shrinks as sequences end.
struct EpochPlan {
  struct Slice {
    std::int64_t first = 0;  // place in the arrays below
    std::int64_t count = 0;
  };
  std::vector<Slice> batches;
  std::vector<std::int64_t> items;
  std::vector<std::int64_t> recordings;  // of each item
  std::vector<std::int32_t> labels;
  // Of each head: [items, width], or empty where its loss takes labels.
  std::vector<std::vector<float>> targets;
  std::vector<float> shares;            // [items]: how much of itself each item keeps; only with mixup
  std::vector<std::int32_t> stretched;  // [items]: frames after stretching; only where items are stretched
};

// Training: the items of `recordings` shuffled, or drawn with replacement and shuffled, by `random`, a pure function of
// (seed, fold, epoch).
EpochPlan shuffled_plan(const TrainingData& data, const Items& items,
                        const std::vector<std::int64_t>& recordings, int batch_size,
                        const RandomStream& random, Sampling sampling = Sampling::kShuffled);
// Scoring: by length, so that batches waste no padding.
EpochPlan sorted_plan(const TrainingData& data, const Items& items,
                      const std::vector<std::int64_t>& recordings, int batch_size);

// Draws how long each item becomes: its own frames times a factor whose logarithm is uniform within that of 1 + most. Items of a
// batch are put in the new order, longest first; to be called before targets are filled. `most` 0: as they are.
void stretch_items(EpochPlan& plan, const Items& items, double most, const RandomStream& random);
std::int64_t longest_stretched(std::int64_t frames, double most);

// Draws how much each item keeps of itself where neighbours in a batch are mixed, from Beta(alpha, alpha), and mixes
// the targets of all heads. A batch of one keeps all.
void mix_targets(EpochPlan& plan, double alpha, const RandomStream& random);

// Scores of `recordings`, [recording][width], from those of the items of a plan over them, [item, width]: the mean,
// summed in the order in which the items lie in their recording.
std::vector<std::vector<float>> recording_scores(const EpochPlan& plan, const std::vector<float>& scores,
                                                 std::int64_t width,
                                                 const std::vector<std::int64_t>& recordings);

}  // namespace serval::train
