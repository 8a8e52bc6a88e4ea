#include "serval/evaluate/cross_validation.h"

#include <cmath>

#include <gtest/gtest.h>

#include "serval/core/error.h"

namespace serval::evaluate {
namespace {

FoldScores fold(int index, std::uint64_t seed, const std::vector<int>& labels,
                const std::vector<int>& predictions) {
  return {index, seed, {}, score(labels, predictions, 2)};
}

TEST(CrossValidation, KeepsTheSpreadOverFoldsAndOverSeedsApart) {
  // UAR per (fold, seed): (0,1) 1, (0,2) 0.5, (1,1) 0.5, (1,2) 0
  const Summary summary = summarise({fold(0, 1, {0, 1}, {0, 1}), fold(0, 2, {0, 1}, {0, 0}),
                                     fold(1, 1, {0, 1}, {1, 1}), fold(1, 2, {0, 1}, {1, 0})});
  EXPECT_DOUBLE_EQ(summary.uar.mean, 0.5);
  EXPECT_DOUBLE_EQ(summary.uar.std_folds, std::sqrt(2 * 0.25 * 0.25));  // means 0.75 and 0.25
  EXPECT_DOUBLE_EQ(summary.uar.std_seeds, std::sqrt(2 * 0.25 * 0.25));
  EXPECT_EQ(summary.pooled.count, 8);
  EXPECT_EQ(summary.pooled.confusion[0][0], 2);
  EXPECT_EQ(summary.pooled.confusion[0][1], 2);
  EXPECT_DOUBLE_EQ(summary.pooled.wa, 0.5);
}

TEST(CrossValidation, PooledFiguresAreNotTheMeanOfFolds) {
  // A large bad fold and a small good one.
  const Summary summary = summarise({fold(0, 1, {0, 0, 0, 1}, {1, 1, 1, 1}), fold(1, 1, {0, 1}, {0, 1})});
  EXPECT_DOUBLE_EQ(summary.wa.mean, (0.25 + 1) / 2);
  EXPECT_DOUBLE_EQ(summary.pooled.wa, 0.5);
  EXPECT_TRUE(std::isnan(summary.uar.std_seeds)) << "one seed spreads over nothing";
}

TEST(CrossValidation, AGapIsAnError) {
  EXPECT_THROW(summarise({fold(0, 1, {0, 1}, {0, 1}), fold(1, 2, {0, 1}, {0, 1})}), InternalError);
  EXPECT_THROW(summarise({}), InternalError);
}

}  // namespace
}  // namespace serval::evaluate
