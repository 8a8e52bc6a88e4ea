// The models, one function each.
#pragma once

#include "serval/learners/learner.h"

namespace serval::learners {

using Labels = std::span<const int>;

std::unique_ptr<Learner> fit_linear(const LearnerSettings& settings, const Rows& x, Labels labels,
                                    int classes);
std::unique_ptr<Learner> fit_rbf_svm(const LearnerSettings& settings, const Rows& x, Labels labels,
                                     int classes);
std::unique_ptr<Learner> fit_forest(const LearnerSettings& settings, const Rows& x, Labels labels,
                                    int classes, std::uint64_t seed);
std::unique_ptr<Learner> fit_neighbours(const LearnerSettings& settings, const Rows& x, Labels labels,
                                        int classes);

// From their states.
std::unique_ptr<Learner> restore_linear(const LearnerSettings& settings, const LearnerState& state);
std::unique_ptr<Learner> restore_rbf_svm(const LearnerState& state);
std::unique_ptr<Learner> restore_forest(const LearnerState& state);
std::unique_ptr<Learner> restore_neighbours(const LearnerState& state);

// Something done to vectors before a model sees them.
class Step {
 public:
  virtual ~Step() = default;
  virtual std::int64_t columns() const = 0;
  virtual std::vector<float> apply(const Rows& x) const = 0;  // [x.count, columns()]
  virtual LearnerState state() const = 0;
};
std::unique_ptr<Step> fit_step(const StepSettings& settings, const Rows& x, std::uint64_t seed);
std::unique_ptr<Step> restore_step(const StepSettings& settings, const LearnerState& state);

// Weights of the classes: 1, or rows / (classes * rows of the class).
std::vector<double> class_weights(bool balanced, Labels labels, int classes);
// In place: e^v / sum e^v
void softmax(std::vector<double>& values);

}  // namespace serval::learners
