// What each library finds, as the state of which src/learners makes the model.
#pragma once

#include "serval/fitting/fit.h"

namespace serval::fitting {

using learners::LearnerSettings;
using learners::LearnerState;
using learners::Rows;
using learners::StepSettings;
using Labels = std::span<const int>;

LearnerState fit_linear(const LearnerSettings& settings, const Rows& x, Labels labels, int classes);
LearnerState fit_rbf_svm(const LearnerSettings& settings, const Rows& x, Labels labels, int classes);
LearnerState fit_forest(const LearnerSettings& settings, const Rows& x, Labels labels, int classes,
                        std::uint64_t seed);

LearnerState fit_pca(const StepSettings& settings, const Rows& x);
LearnerState fit_k_means(const StepSettings& settings, const Rows& x, std::uint64_t seed);

// Weights of the classes: 1, or rows / (classes * rows of the class).
std::vector<double> class_weights(bool balanced, Labels labels, int classes);

}  // namespace serval::fitting
