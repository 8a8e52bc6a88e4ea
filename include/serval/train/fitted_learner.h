// A classical model with what is done to vectors before it, in memory and on disk.
#pragma once

#include <string>
#include <vector>

#include "serval/learners/learner.h"
#include "serval/train/task.h"

namespace serval::train {

struct FittedLearner {
  learners::LearnerSettings settings;
  folds::Normaliser normaliser;
  learners::LearnerState state;
  std::unique_ptr<learners::Learner> model;  // of that state

  // [row][class], of vectors as the features are.
  std::vector<std::vector<float>> scores(const learners::Rows& x) const;
};

// On the training side, as normalised for its fold. The validation side is not looked at: nothing is chosen by it.
FittedLearner fit_learner(const Task& task);

// A sealed HDF5 file: the state of the model by the names of learners/state.h, its settings, the normaliser. What is
// read gives the same scores, bit for bit. Reading throws DataError naming the file.
void write_learner(const std::string& path, const Task& task, const FittedLearner& learner);
FittedLearner read_learner(const std::string& path);

}  // namespace serval::train
