// The models from their states, one function each, and what they share.
#pragma once

#include "serval/learners/learner.h"
#include "serval/learners/step.h"

namespace serval::learners {

std::unique_ptr<Learner> restore_linear(const LearnerSettings& settings, const LearnerState& state);
std::unique_ptr<Learner> restore_rbf_svm(const LearnerState& state);
std::unique_ptr<Learner> restore_forest(const LearnerState& state);
std::unique_ptr<Learner> restore_neighbours(const LearnerState& state);

std::unique_ptr<Step> restore_pca(const StepSettings& settings, const LearnerState& state);
std::unique_ptr<Step> restore_k_means(const StepSettings& settings, const LearnerState& state);

// In place: e^v / sum e^v
void softmax(std::vector<double>& values);
// [class], places of an array whose c-th is about the class labels[c]. Throws DataError unless each class is there once.
std::vector<std::size_t> class_places(const std::vector<std::int64_t>& labels);

}  // namespace serval::learners
