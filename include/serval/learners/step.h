// What is done to vectors before a classical model sees them:
//   pca      (x - mean) * axes^T, each divided by its deviation where it whitens
//   k_means  distances from the centres, or 1 for the nearest centre and 0 for the others
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "serval/learners/rows.h"
#include "serval/learners/settings.h"
#include "serval/learners/state.h"

namespace serval::learners {

class Step {
 public:
  virtual ~Step() = default;
  virtual std::int64_t inputs() const = 0;                    // columns that it reads
  virtual std::int64_t columns() const = 0;                   // that it gives
  virtual std::vector<float> apply(const Rows& x) const = 0;  // [x.count, columns()]
};

// Throws DataError for a state that is not whole.
std::unique_ptr<Step> restore_step(const StepSettings& settings, const LearnerState& state);

}  // namespace serval::learners
