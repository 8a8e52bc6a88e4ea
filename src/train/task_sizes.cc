#include "task_sizes.h"

#include <algorithm>

namespace serval::train {

std::int64_t largest_side(const Task& task, const Items& items) {
  std::int64_t largest = 0;
  for (const auto* side : {&task.sides.train, &task.sides.validation, &task.sides.test}) {
    std::int64_t count = 0;
    for (const std::int64_t r : *side) count += items.count(r);
    largest = std::max(largest, count);
  }
  return largest;
}

nn::NetworkSizes network_sizes(const Task& task, const Items& items, const Augmentation* augmentation) {
  std::int64_t max_batch = std::min<std::int64_t>(task.settings.batch_size, largest_side(task, items));
  std::int64_t max_time = 0;
  for (const auto* side : {&task.sides.train, &task.sides.validation, &task.sides.test}) {
    for (const std::int64_t r : *side) max_time = std::max<std::int64_t>(max_time, items.longest(r));
  }
  if (augmentation != nullptr) {
    max_batch = task.settings.batch_size;
    max_time = std::max(max_time, augmentation->longest_item());
  }
  return nn::sequence_sizes(task.data->feature, task.data->classes, max_batch, max_time);
}

std::vector<float> class_weights(const Task& task, const Items& items) {
  std::vector<float> weights(static_cast<std::size_t>(task.data->classes), 1.0f);
  if (task.settings.class_weights == ClassWeights::kNone) return weights;
  std::vector<std::int64_t> counts(weights.size(), 0);
  std::int64_t total = 0;
  for (const std::int64_t r : task.sides.train) {
    counts[static_cast<std::size_t>(task.data->labels[static_cast<std::size_t>(r)])] += items.count(r);
    total += items.count(r);
  }
  for (std::size_t c = 0; c < weights.size(); ++c) {
    if (counts[c] == 0) continue;
    weights[c] = static_cast<float>(static_cast<double>(total) /
                                    (static_cast<double>(weights.size()) * static_cast<double>(counts[c])));
  }
  return weights;
}

}  // namespace serval::train
