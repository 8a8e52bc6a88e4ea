// How large a task's network must be, and what follows from counting its recordings.
#pragma once

#include <span>
#include <vector>

#include "serval/train/augmentation.h"
#include "serval/train/task.h"

namespace serval::train {

std::int64_t largest_side(const Task& task, const Items& items);  // items of it
std::vector<Items> task_items(const Task& task);                  // of each input
// `augmentation` may be null.
nn::NetworkSizes network_sizes(const Task& task, std::span<const Items> items,
                               const Augmentation* augmentation);
// For checks that need no data: the inputs' items, and sequences as long as any.
nn::NetworkSizes any_sizes(const Task& task);
// Weights of the classes in the loss, from the training side alone.
std::vector<float> class_weights(const Task& task, const Items& items);

}  // namespace serval::train
