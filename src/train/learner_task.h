// Classical models in a cohort.
#pragma once

#include "serval/train/task.h"

namespace serval::train {

// Fits task.learner on the training side, as normalised for its fold, and scores the test side once. The validation
// side is not looked at: nothing is chosen by it.
TaskResult run_learner(const Task& task);

}  // namespace serval::train
