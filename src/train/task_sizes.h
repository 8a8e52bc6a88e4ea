// How large a task's network must be, and what follows from counting its recordings.
#pragma once

#include <vector>

#include "serval/train/augmentation.h"
#include "serval/train/task.h"

namespace serval::train {

std::int64_t largest_side(const Task& task, const Items& items);  // items of it
// `augmentation` may be null.
nn::NetworkSizes network_sizes(const Task& task, const Items& items, const Augmentation* augmentation);
// Weights of the classes in the loss, from the training side alone.
std::vector<float> class_weights(const Task& task, const Items& items);

}  // namespace serval::train
