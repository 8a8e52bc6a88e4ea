// Trains a set of models side by side: on the CPU one per thread, on a GPU each with a stream of its own.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "serval/core/tensor.h"
#include "serval/train/task.h"

namespace serval::train {

struct CohortOptions {
  Device device;
  int threads = 1;
  int models = 0;  // side by side, at most; 0: as many as there are threads, on a GPU 16
  std::int64_t memory_bytes =
      0;  // that they may take together; 0: what is free when they start, less a reserve
};

// Tasks in order; a task whose folder already holds a result of the same key is not run again, one with a
// checkpoint continues. Each finished task writes checkpoint.h5 (a classical model: learner.h5, see fitted_learner.h),
// history.csv, augmentation.csv where it augments, and then result.json into its folder: the task is done only when that
// last file says so. A model's numbers do not depend on which others run beside it. Throws InterruptedError when stopped;
// everything finished or checkpointed is kept.
std::vector<TaskResult> run_cohort(const std::vector<Task>& tasks, const CohortOptions& options);

}  // namespace serval::train
