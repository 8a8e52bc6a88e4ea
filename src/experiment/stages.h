// Trains an experiment's tasks in the order in which they need each other.
#pragma once

#include <vector>

#include "serval/experiment/settings.h"
#include "serval/train/cohort.h"

namespace serval::experiment {

// A run's tasks and what came of them, in their order.
struct StagedRun {
  const ExperimentSettings& settings;
  std::vector<train::Task>& tasks;
  std::vector<train::TaskResult> results;
};

// Networks that start from another one's weights train after it, and a fold's models after those of its inner folds,
// which say for how many epochs; all others side by side, those of all runs together.
void run_stages(std::vector<StagedRun>& runs, const train::CohortOptions& options);

// Takes out the tasks of inner folds and their results, which no table shows; their time counts as their fold's.
void keep_outer(std::vector<train::Task>& tasks, std::vector<train::TaskResult>& results);

// The middle one of the epochs that folds chose; of two, the later.
int middle_epoch(std::vector<int> epochs);

}  // namespace serval::experiment
