// Trains a set of models side by side: on the CPU one per thread, on a GPU each with a stream of its own.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "serval/core/tensor.h"
#include "serval/train/task.h"

namespace serval::train {

// Hears of a training as it goes, in the thread that trains. Made when a network starts to train, with the epochs behind
// which it continues; what it gives is called with each epoch that follows. May throw, which stops the cohort.
using Follower = std::function<void(const Epoch&)>;
using MakeFollower = std::function<Follower(const Task&, const std::vector<Epoch>& before)>;

struct CohortOptions {
  Device device;
  int threads = 1;
  // That models may take together; 0: what is free when they start, less a reserve.
  std::int64_t memory_bytes = 0;
  MakeFollower follow = nullptr;  // null: nobody listens
};

// Tasks in order; a task whose folder already holds a result of the same key is not run again, one with a
// checkpoint continues. Each finished task writes checkpoint.h5 (a classical model: learner.h5, see fitted_learner.h),
// history.csv (while it trains, about once a second), augmentation.csv where it augments, and then result.json into its folder: the task is done only when that
// last file says so. A model's numbers do not depend on which others run beside it. How large a model is shows when the
// first of its name is made; more start only where they fit, and one that finds no room waits for others to end. Throws
// OutOfMemoryError where one does not fit alone, and InterruptedError when stopped; everything finished or checkpointed is
// kept.
std::vector<TaskResult> run_cohort(const std::vector<Task>& tasks, const CohortOptions& options);

}  // namespace serval::train
