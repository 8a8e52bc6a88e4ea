#include "serval/evaluate/groups.h"

#include <cmath>

#include <gtest/gtest.h>

#include "serval/core/error.h"
#include "serval/evaluate/probability_scores.h"

namespace serval::evaluate {
namespace {

std::vector<std::string> names(const std::vector<GroupScores>& groups) {
  std::vector<std::string> out;
  for (const GroupScores& group : groups) out.push_back(group.name);
  return out;
}

TEST(Groups, AreScoredByThemselvesInNaturalOrder) {
  const std::vector<std::string> actors = {"a/10", "a/2", "a/10", "a/1", "a/2", "a/10"};
  const auto groups = score_groups(actors, {0, 0, 1, 1, 1, 1}, {0, 1, 1, 1, 1, 0}, 2);
  EXPECT_EQ(names(groups), (std::vector<std::string>{"a/1", "a/2", "a/10"}));
  EXPECT_EQ(groups[2].scores.count, 3);
  EXPECT_DOUBLE_EQ(groups[2].scores.uar, (1 + 0.5) / 2);
  EXPECT_DOUBLE_EQ(groups[1].scores.wa, 0.5);
  // Only one class occurs: its recall is the group's.
  EXPECT_DOUBLE_EQ(groups[0].scores.uar, 1);
  EXPECT_TRUE(std::isnan(groups[0].scores.recall[0]));
  EXPECT_EQ(worst_group(groups)->name, "a/2");
  EXPECT_EQ(best_group(groups)->name, "a/1");
}

// Each group alone gives what it gives among others, and the groups' counts add up to all.
TEST(Groups, DoNotKnowOfEachOther) {
  std::vector<std::string> groups;
  std::vector<int> labels, predictions;
  for (int i = 0; i < 90; ++i) {
    groups.push_back(std::string(1, static_cast<char>('a' + i % 4)));
    labels.push_back(i % 3);
    predictions.push_back(i * 7 % 5 % 3);
  }
  const auto all = score_groups(groups, labels, predictions, 3);
  std::int64_t count = 0;
  for (const GroupScores& group : all) {
    std::vector<int> own_labels, own_predictions;
    for (std::size_t i = 0; i < groups.size(); ++i) {
      if (groups[i] != group.name) continue;
      own_labels.push_back(labels[i]);
      own_predictions.push_back(predictions[i]);
    }
    EXPECT_EQ(group.scores.confusion, score(own_labels, own_predictions, 3).confusion);
    count += group.scores.count;
  }
  EXPECT_EQ(count, 90);
}

TEST(Groups, RecordingsWithoutOneAreInNone) {
  const auto groups = score_groups({"", "strong", ""}, {0, 1, 1}, {0, 1, 1}, 2);
  EXPECT_EQ(names(groups), (std::vector<std::string>{"strong"}));
  EXPECT_TRUE(score_groups({"", ""}, {0, 1}, {0, 1}, 2).empty());
}

TEST(Groups, OfNothingThereAreNone) {
  const auto groups = score_groups({}, {}, {}, 2);
  EXPECT_TRUE(groups.empty());
  EXPECT_EQ(worst_group(groups), nullptr);
  EXPECT_EQ(best_group(groups), nullptr);
  EXPECT_TRUE(std::isnan(gender_gap(groups).absolute));
  EXPECT_THROW(score_groups({"a"}, {}, {}, 2), InternalError);
}

TEST(Groups, OfEqualOnesTheFirstIsWorstAndBest) {
  const auto groups = score_groups({"b", "a", "c"}, {0, 0, 0}, {0, 0, 0}, 2);
  EXPECT_EQ(worst_group(groups)->name, "a");
  EXPECT_EQ(best_group(groups)->name, "a");
}

TEST(Groups, TheGenderGapIsFemaleMinusMale) {
  const std::vector<std::string> genders = {"female", "female", "male", "male", "unknown"};
  const GenderGap gap = gender_gap(score_groups(genders, {0, 1, 0, 1, 0}, {0, 0, 0, 1, 1}, 2));
  EXPECT_DOUBLE_EQ(gap.female_minus_male, 0.5 - 1);
  EXPECT_DOUBLE_EQ(gap.absolute, 0.5);
}

TEST(Groups, WithoutOneGenderThereIsNoGap) {
  const GenderGap gap = gender_gap(score_groups({"female", "unknown"}, {0, 1}, {0, 1}, 2));
  EXPECT_TRUE(std::isnan(gap.female_minus_male));
  EXPECT_TRUE(std::isnan(gap.absolute));
}

TEST(ProbabilityScores, OfNothingAreRefused) {
  EXPECT_THROW(full_scores({}, {}), InternalError);
  EXPECT_THROW(full_scores({0, 1}, {{0.5f, 0.5f}}), InternalError);
  EXPECT_THROW(full_scores({2}, {{0.5f, 0.5f}}), InternalError);
  EXPECT_THROW(score_probabilities({0, 1}, {{0.5f, 0.5f}, {1.0f}}), InternalError);
}

// Whoever is right is also among the two most probable, ties or not.
TEST(ProbabilityScores, Top2IsNeverBelowAccuracy) {
  const auto [scores, probabilities] =
      full_scores({0, 0, 2}, Probabilities(3, std::vector<float>(3, 1.0f / 3)));
  EXPECT_DOUBLE_EQ(scores.wa, 2.0 / 3);
  EXPECT_DOUBLE_EQ(probabilities.top2, 2.0 / 3);
}

}  // namespace
}  // namespace serval::evaluate
