#include "task_sizes.h"

#include <algorithm>

#include "serval/train/batches.h"

#include "input_feed.h"

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

std::vector<Items> task_items(const Task& task) {
  std::vector<Items> out;
  for (const TaskInput& input : task.inputs)
    out.push_back(input.items ? *input.items : whole_recordings(*input.data));
  return out;
}

nn::NetworkSizes any_sizes(const Task& task) {
  nn::NetworkSizes sizes;
  sizes.classes = task.data().classes;
  for (const TaskInput& input : task.inputs)
    sizes.inputs.push_back({item_shape(input), std::int64_t{1} << 16});
  return sizes;
}

nn::NetworkSizes network_sizes(const Task& task, std::span<const Items> items,
                               const Augmentation* augmentation) {
  nn::NetworkSizes sizes = any_sizes(task);
  sizes.max_batch = augmentation != nullptr
                        ? task.settings.batch_size
                        : std::min<std::int64_t>(task.settings.batch_size, largest_side(task, items.front()));
  for (std::size_t i = 0; i < sizes.inputs.size(); ++i) {
    std::int64_t& max_time = sizes.inputs[i].max_time;
    max_time = augmentation != nullptr ? augmentation->longest_item(i) : 0;
    for (const auto* side : {&task.sides.train, &task.sides.validation, &task.sides.test}) {
      for (const std::int64_t r : *side) max_time = std::max<std::int64_t>(max_time, items[i].longest(r));
    }
    max_time = longest_stretched(max_time, task.settings.augment_batch.time_stretch);
  }
  return sizes;
}

std::vector<float> class_weights(const Task& task, const Items& items) {
  std::vector<float> weights(static_cast<std::size_t>(task.data().classes), 1.0f);
  if (task.settings.class_weights == ClassWeights::kNone) return weights;
  std::vector<std::int64_t> counts(weights.size(), 0);
  std::int64_t total = 0;
  for (const std::int64_t r : task.sides.train) {
    counts[static_cast<std::size_t>(task.data().labels[static_cast<std::size_t>(r)])] += items.count(r);
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
