#include "serval/evaluate/number_scores.h"

#include <cmath>

#include <gtest/gtest.h>

#include "serval/core/error.h"

namespace serval::evaluate {
namespace {

// By hand: means 2 and 3, variances 2/3 and 8/3, covariance 4/3.
TEST(NumberScores, FollowTheirFormulas) {
  const NumberScores scores = score_numbers({1, 2, 3}, {1, 3, 5});
  EXPECT_EQ(scores.count, 3);
  EXPECT_DOUBLE_EQ(scores.ccc, (8.0 / 3) / (2.0 / 3 + 8.0 / 3 + 1));
  EXPECT_DOUBLE_EQ(scores.mse, 5.0 / 3);
  EXPECT_DOUBLE_EQ(scores.rmse, std::sqrt(5.0 / 3));
}

TEST(NumberScores, PerfectOppositeAndConstantPredictions) {
  EXPECT_DOUBLE_EQ(score_numbers({1, 2, 4}, {1, 2, 4}).ccc, 1);
  EXPECT_DOUBLE_EQ(score_numbers({-1, 0, 1}, {1, 0, -1}).ccc, -1);
  EXPECT_EQ(score_numbers({1, 2, 4}, {2, 2, 2}).ccc, 0);
  EXPECT_EQ(score_numbers({1, 1}, {2, 2}).ccc, 0);
  EXPECT_TRUE(std::isnan(score_numbers({2, 2}, {2, 2}).ccc));
  EXPECT_EQ(score_numbers({2}, {5}).rmse, 3);
  EXPECT_THROW(score_numbers({}, {}), InternalError);
  EXPECT_THROW(score_numbers({1}, {1, 2}), InternalError);
}

// A shift and a scale cost agreement, as Lin defines it; the correlation would not see them.
TEST(NumberScores, ConcordanceSeesShiftAndScale) {
  const std::vector<double> truth{0.5, -1, 2, 0.25, 3};
  std::vector<double> shifted, scaled;
  for (const double t : truth) {
    shifted.push_back(t + 1);
    scaled.push_back(0.5 * t);
  }
  double mean = 0, variance = 0;
  for (const double t : truth) mean += t / 5;
  for (const double t : truth) variance += (t - mean) * (t - mean) / 5;
  EXPECT_NEAR(score_numbers(truth, shifted).ccc, 2 * variance / (2 * variance + 1), 1e-12);
  EXPECT_NEAR(score_numbers(truth, scaled).ccc, variance / (1.25 * variance + 0.25 * mean * mean), 1e-12);
}

TEST(NumberScores, SummariesKeepFoldsAndSeedsApart) {
  const auto fold = [](int index, std::uint64_t seed, double ccc) {
    return FoldNumberScores{index, seed, {}, {4, ccc, 4 * ccc, 2 * ccc}};
  };
  const NumberSummary summary = summarise({fold(0, 1, 1), fold(0, 2, 0.5), fold(1, 1, 0.5), fold(1, 2, 0)});
  EXPECT_DOUBLE_EQ(summary.ccc.mean, 0.5);
  EXPECT_DOUBLE_EQ(summary.ccc.std_folds, std::sqrt(2 * 0.25 * 0.25));
  EXPECT_DOUBLE_EQ(summary.mse.mean, 2);
  EXPECT_DOUBLE_EQ(summary.rmse.std_seeds, 2 * std::sqrt(2 * 0.25 * 0.25));
  EXPECT_THROW(summarise(std::vector<FoldNumberScores>{}), InternalError);
  EXPECT_THROW(summarise({fold(0, 1, 1), fold(1, 2, 1)}), InternalError);
}

}  // namespace
}  // namespace serval::evaluate
