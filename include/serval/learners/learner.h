// Classical models that are fitted: vectors go in, one a recording, and one score a class comes out. They are made of
// what serval/fitting/fit.h returns, and need no library.
//
// Scores are positive and sum to 1:
//   logistic            the classes' probabilities, one against the rest, normalised (as LIBLINEAR)
//   linear_svm          softmax of the distances from the planes of one class against the rest
//   rbf_svm             softmax of the votes of all pairs, each with the pair's distances squeezed to less than a vote
//                       (as scikit-learn's decision_function_shape "ovr")
//   random_forest       share of the trees' votes
//   nearest_neighbours  share of the neighbours
// The SVMs' scores order classes and add up in fusion, but are not calibrated.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "serval/learners/rows.h"
#include "serval/learners/settings.h"
#include "serval/learners/state.h"

namespace serval::learners {

class Learner {
 public:
  virtual ~Learner() = default;
  virtual std::int64_t columns() const = 0;  // of the rows that it reads
  virtual std::int64_t classes() const = 0;
  // [row][class]; a row's scores do not depend on the others.
  virtual std::vector<std::vector<float>> scores(const Rows& x) const = 0;
};

// The model whose state this is, with its steps, fitted with the same settings. Throws DataError for a state that is not
// whole or contradicts itself.
std::unique_ptr<Learner> restore(const LearnerSettings& settings, LearnerState state);

}  // namespace serval::learners
