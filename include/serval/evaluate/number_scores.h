// How close predicted numbers y come to true ones t. Sums run over the recordings and divide by their number n:
//   mse = mean (y - t)^2   rmse = sqrt(mse)
//   ccc = 2 cov(y, t) / (var y + var t + (mean y - mean t)^2)     concordance, Lin (1989)
// ccc is 1 for y = t, 0 where one of them does not vary, and NaN where both are constant and equal.
#pragma once

#include <cstdint>
#include <vector>

#include "serval/evaluate/cross_validation.h"

namespace serval::evaluate {

struct NumberScores {
  std::int64_t count = 0;
  double ccc = 0, mse = 0, rmse = 0;
};

// One truth and one prediction a recording, at least one; throws InternalError otherwise.
NumberScores score_numbers(const std::vector<double>& truths, const std::vector<double>& predictions);

// One number on one fold's test actors with one seed.
struct FoldNumberScores {
  int fold = 0;  // from 0
  std::uint64_t seed = 1;
  std::vector<std::string> test_actors;
  NumberScores scores;
};
struct NumberSummary {
  Spread ccc, mse, rmse;
};
// Every (fold, seed) pair once; throws InternalError on a gap.
NumberSummary summarise(const std::vector<FoldNumberScores>& folds);

}  // namespace serval::evaluate
