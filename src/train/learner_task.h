// Classical models in a cohort.
#pragma once

#include "serval/train/task.h"

namespace serval::train {

// One vector a recording, [recordings, feature].
std::vector<float> vectors_of(const Task& task, const std::vector<std::int64_t>& recordings);

// Fits task.learner, writes learner.h5 into the task's folder, and scores the test side once.
TaskResult run_learner(const Task& task);

}  // namespace serval::train
