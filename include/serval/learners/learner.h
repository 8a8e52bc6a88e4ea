// Classical models through well-kept libraries: LIBLINEAR (linear_svm, logistic), LIBSVM (rbf_svm), OpenCV
// (random_forest, nearest_neighbours, PCA, k-means). One vector a recording goes in, one score a class comes out.
//
// Scores are positive and sum to 1:
//   logistic            the classes' probabilities, one against the rest, normalised (as LIBLINEAR)
//   linear_svm          softmax of the distances from the planes of one class against the rest
//   rbf_svm             softmax of the votes of all pairs, each with the pair's distances squeezed to less than a vote
//                       (as scikit-learn's decision_function_shape "ovr")
//   random_forest       share of the trees' votes
//   nearest_neighbours  share of the neighbours
// The SVMs' scores order classes and add up in fusion, but are not calibrated.
//
// Everything is deterministic in (settings, data, seed); only random_forest and k_means depend on the seed. Several may
// be fitted at once, each in a thread of its own.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "serval/learners/settings.h"
#include "serval/learners/state.h"

namespace serval::learners {

// Rows of numbers, one a recording; does not own.
struct Rows {
  const float* values = nullptr;
  std::int64_t count = 0;
  std::int64_t columns = 0;

  std::span<const float> row(std::int64_t r) const {
    return {values + r * columns, static_cast<std::size_t>(columns)};
  }
};

class Learner {
 public:
  virtual ~Learner() = default;
  // [row][class]
  virtual std::vector<std::vector<float>> scores(const Rows& x) const = 0;
  virtual LearnerState state() const = 0;
};

// `labels` [x.count] are numbers of classes, each of `classes` with at least one row. Throws ConfigError when the
// settings ask for more than the data has: components, clusters or neighbours.
std::unique_ptr<Learner> fit(const LearnerSettings& settings, const Rows& x, std::span<const int> labels,
                             int classes, std::uint64_t seed);

// The model whose state this is, fitted with the same settings: its scores are the same bits. Throws DataError for a state
// that is not whole.
std::unique_ptr<Learner> restore(const LearnerSettings& settings, LearnerState state);

}  // namespace serval::learners
