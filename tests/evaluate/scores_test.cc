#include "serval/evaluate/scores.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <vector>

#include <gtest/gtest.h>

#include "serval/core/error.h"
#include "serval/core/philox.h"

namespace serval::evaluate {
namespace {

constexpr double kTight = 1e-15;

TEST(Scores, MatchesAHandComputedTable) {
  // true 0: 3 of 4 right, one taken for 1. true 1: 1 of 2, one taken for 0. true 2: 1 of 3, two taken for 1.
  const Scores s = score({0, 0, 0, 0, 1, 1, 2, 2, 2}, {0, 0, 0, 1, 1, 0, 2, 1, 1}, 3);
  EXPECT_EQ(s.count, 9);
  EXPECT_EQ(s.confusion, (std::vector<std::vector<std::int64_t>>{{3, 1, 0}, {1, 1, 0}, {0, 2, 1}}));
  EXPECT_NEAR(s.recall[0], 3.0 / 4, kTight);
  EXPECT_NEAR(s.recall[1], 1.0 / 2, kTight);
  EXPECT_NEAR(s.recall[2], 1.0 / 3, kTight);
  EXPECT_NEAR(s.precision[0], 3.0 / 4, kTight);
  EXPECT_NEAR(s.precision[1], 1.0 / 4, kTight);
  EXPECT_NEAR(s.precision[2], 1.0, kTight);
  EXPECT_NEAR(s.f1[0], 0.75, kTight);
  EXPECT_NEAR(s.f1[1], 1.0 / 3, kTight);
  EXPECT_NEAR(s.f1[2], 0.5, kTight);
  EXPECT_NEAR(s.uar, (0.75 + 0.5 + 1.0 / 3) / 3, kTight);
  EXPECT_NEAR(s.wa, 5.0 / 9, kTight);
  EXPECT_NEAR(s.macro_f1, (0.75 + 1.0 / 3 + 0.5) / 3, kTight);
}

TEST(Scores, AClassThatNeitherOccursNorIsPredictedCountsNowhere) {
  const Scores s = score({0, 1, 1}, {0, 1, 0}, 4);
  EXPECT_TRUE(std::isnan(s.recall[2]));
  EXPECT_TRUE(std::isnan(s.precision[2]));
  EXPECT_TRUE(std::isnan(s.f1[2]));
  EXPECT_NEAR(s.uar, (1.0 + 0.5) / 2, kTight);
  EXPECT_NEAR(s.macro_f1, 2.0 / 3, kTight);  // both classes: 2 * 1 / (2 + 1)
}

TEST(Scores, AClassThatIsOnlyPredictedLowersF1ButNotRecall) {
  const Scores s = score({0, 0, 1}, {0, 2, 1}, 3);
  EXPECT_TRUE(std::isnan(s.recall[2]));
  EXPECT_EQ(s.precision[2], 0);
  EXPECT_EQ(s.f1[2], 0);
  EXPECT_NEAR(s.uar, (0.5 + 1.0) / 2, kTight);
  EXPECT_NEAR(s.macro_f1, (2.0 / 3 + 1.0 + 0) / 3, kTight);
}

TEST(Scores, AClassThatIsNeverPredictedHasNoPrecisionAndZeroF1) {
  const Scores s = score({0, 0, 1}, {0, 0, 0}, 2);
  EXPECT_TRUE(std::isnan(s.precision[1]));
  EXPECT_EQ(s.recall[1], 0);
  EXPECT_EQ(s.f1[1], 0);
  EXPECT_NEAR(s.uar, 0.5, kTight);
  EXPECT_NEAR(s.macro_f1, (0.8 + 0) / 2, kTight);
}

TEST(Scores, RefusesWhatHasNoScore) {
  EXPECT_THROW(score({}, {}, 3), InternalError);
  EXPECT_THROW(score({0, 1}, {0}, 2), InternalError);
  EXPECT_THROW(score({0, 2}, {0, 1}, 2), InternalError);
  EXPECT_THROW(score({0, 1}, {0, -1}, 2), InternalError);
  EXPECT_THROW(chance({}, 2), InternalError);
  EXPECT_THROW(mean_std({}), InternalError);
}

// The same figures by another road: sums over recordings with weights, and F1 from precision and recall.
TEST(Scores, AgreesWithAnIndependentFormulaOnRandomPredictions) {
  for (std::uint64_t trial = 0; trial < 200; ++trial) {
    const RandomStream random{trial, 0, RandomPurpose::kTest};
    const int classes = 2 + static_cast<int>(random.below(0, 7));
    const int count = 1 + static_cast<int>(random.below(1, 60));
    std::vector<int> labels, predictions;
    for (int i = 0; i < count; ++i) {
      const auto at = static_cast<std::uint64_t>(2 + 2 * i);
      labels.push_back(static_cast<int>(random.below(at, static_cast<std::uint32_t>(classes))));
      predictions.push_back(random.below(at + 1, 2) == 0 ? labels.back() : static_cast<int>(at) % classes);
    }
    const auto times = [](const std::vector<int>& list, int value) {
      return static_cast<double>(std::count(list.begin(), list.end(), value));
    };
    const std::set<int> occurring(labels.begin(), labels.end());
    std::set<int> mentioned = occurring;
    mentioned.insert(predictions.begin(), predictions.end());
    double right = 0, weighted = 0, f1_sum = 0;
    for (std::size_t i = 0; i < labels.size(); ++i) {
      if (labels[i] != predictions[i]) continue;
      right += 1;
      weighted += 1 / times(labels, labels[i]);
    }
    for (const int c : mentioned) {
      double hits = 0;
      for (std::size_t i = 0; i < labels.size(); ++i) hits += labels[i] == c && predictions[i] == c;
      if (hits == 0) continue;
      const double precision = hits / times(predictions, c);
      const double recall = hits / times(labels, c);
      f1_sum += 2 * precision * recall / (precision + recall);
    }
    const Scores s = score(labels, predictions, classes);
    EXPECT_NEAR(s.wa, right / count, 1e-12);
    EXPECT_NEAR(s.uar, weighted / static_cast<double>(occurring.size()), 1e-12);
    EXPECT_NEAR(s.macro_f1, f1_sum / static_cast<double>(mentioned.size()), 1e-12);
    EXPECT_NEAR(chance(labels, classes).uar, 1.0 / static_cast<double>(occurring.size()), 1e-12);
  }
}

TEST(Scores, ChanceIsThatOfAGuesserAndOfTheMajority) {
  const Chance c = chance({0, 0, 0, 2, 2, 3}, 5);
  EXPECT_NEAR(c.uar, 1.0 / 3, kTight);
  EXPECT_NEAR(c.majority_wa, 0.5, kTight);
  // The majority guesser's own scores are these figures.
  const Scores s = score({0, 0, 0, 2, 2, 3}, {0, 0, 0, 0, 0, 0}, 5);
  EXPECT_NEAR(s.uar, c.uar, kTight);
  EXPECT_NEAR(s.wa, c.majority_wa, kTight);
}

TEST(Scores, DeviationIsThatOfASample) {
  const MeanStd m = mean_std({2, 4, 4, 4, 5, 5, 7, 9});
  EXPECT_NEAR(m.mean, 5, kTight);
  EXPECT_NEAR(m.std, std::sqrt(32.0 / 7), kTight);
  EXPECT_EQ(mean_std({0.25}).mean, 0.25);
  EXPECT_TRUE(std::isnan(mean_std({0.25}).std));
  // A small deviation on a large mean survives: the sum of squares is taken about the mean.
  EXPECT_NEAR(mean_std({1e9 + 1, 1e9 + 2, 1e9 + 3}).std, 1, 1e-9);
}

}  // namespace
}  // namespace serval::evaluate
