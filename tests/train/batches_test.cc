#include "serval/train/batches.h"

#include <algorithm>
#include <functional>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "serval/core/error.h"

namespace serval::train {
namespace {

using testing::ElementsAre;

TrainingData ten_recordings() {
  TrainingData data;
  data.offsets = {0, 3, 10, 11, 16, 20, 21, 30, 32, 36, 40};
  data.labels = {0, 1, 2, 0, 1, 2, 0, 1, 2, 0};
  return data;
}

RandomStream epoch(std::uint32_t number) { return {1, 2, RandomPurpose::kShuffle, number, 0}; }

TEST(Batches, EveryRecordingComesOnceLongestFirstInEachBatch) {
  const TrainingData data = ten_recordings();
  const EpochPlan plan = shuffled_plan(data, whole_recordings(data), {0, 1, 2, 4, 6, 8, 9}, 3, epoch(1));
  EXPECT_EQ(std::set<std::int64_t>(plan.recordings.begin(), plan.recordings.end()),
            (std::set<std::int64_t>{0, 1, 2, 4, 6, 8, 9}));
  ASSERT_EQ(plan.batches.size(), 3u);
  EXPECT_EQ(plan.batches[2].count, 1);
  for (const EpochPlan::Slice& slice : plan.batches) {
    const auto begin = plan.recordings.begin() + slice.first;
    EXPECT_TRUE(std::is_sorted(begin, begin + slice.count, [&](std::int64_t a, std::int64_t b) {
      return data.frames(a) > data.frames(b);
    }));
  }
  for (std::size_t i = 0; i < plan.recordings.size(); ++i) {
    const auto r = static_cast<std::size_t>(plan.recordings[i]);
    EXPECT_EQ(plan.items[i], plan.recordings[i]);
    EXPECT_EQ(plan.labels[i], data.labels[r]);
  }
}

TEST(Batches, TheOrderDependsOnTheEpochAlone) {
  const TrainingData data = ten_recordings();
  const std::vector<std::int64_t> all{0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
  EXPECT_EQ(shuffled_plan(data, whole_recordings(data), all, 4, epoch(3)).recordings,
            shuffled_plan(data, whole_recordings(data), all, 4, epoch(3)).recordings);
  EXPECT_NE(shuffled_plan(data, whole_recordings(data), all, 4, epoch(3)).recordings,
            shuffled_plan(data, whole_recordings(data), all, 4, epoch(4)).recordings);
}

TEST(Batches, EveryOrderIsAboutEquallyLikely) {
  const TrainingData data = ten_recordings();
  std::vector<int> first(10, 0);
  for (std::uint32_t e = 0; e < 5000; ++e) {
    ++first[static_cast<std::size_t>(
        shuffled_plan(data, whole_recordings(data), {0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, 1, epoch(e))
            .recordings[0])];
  }
  for (const int count : first) EXPECT_NEAR(count, 500, 120);  // more than five standard deviations
}

TEST(Batches, ScoringGoesByLength) {
  const TrainingData data = ten_recordings();
  EXPECT_THAT(sorted_plan(data, whole_recordings(data), {0, 1, 2, 6}, 2).recordings, ElementsAre(6, 1, 0, 2));
}

// Recording 1 in three segments, recording 3 in two, recording 6 in one; the others in none.
Items some_segments() {
  Items items;
  items.starts = {3, 6, 9, 11, 13, 21};
  items.frames = {4, 4, 1, 3, 3, 9};
  items.offsets = {0, 0, 3, 3, 5, 5, 5, 6, 6, 6, 6};
  return items;
}

TEST(Batches, SegmentsCarryTheLabelOfTheirRecording) {
  const TrainingData data = ten_recordings();
  const EpochPlan sorted = sorted_plan(data, some_segments(), {6, 3, 1}, 4);
  EXPECT_THAT(sorted.items, ElementsAre(5, 0, 1, 3, 4, 2));
  EXPECT_THAT(sorted.recordings, ElementsAre(6, 1, 1, 3, 3, 1));
  EXPECT_THAT(sorted.labels, ElementsAre(0, 1, 1, 0, 0, 1));
  ASSERT_EQ(sorted.batches.size(), 2u);
  const EpochPlan shuffled = shuffled_plan(data, some_segments(), {1, 3, 6}, 4, epoch(1));
  EXPECT_EQ(std::set<std::int64_t>(shuffled.items.begin(), shuffled.items.end()),
            (std::set<std::int64_t>{0, 1, 2, 3, 4, 5}));
}

TEST(Batches, BalancedSamplingDrawsEachGroupEquallyOften) {
  TrainingData data = ten_recordings();
  data.corpora = {0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
  const std::vector<std::int64_t> side{0, 1, 3, 4, 6, 9};  // classes 0 1 0 1 0 0
  std::set<std::int64_t> seen;
  for (std::uint32_t e = 0; e < 50; ++e) {
    const EpochPlan plan =
        shuffled_plan(data, whole_recordings(data), side, 4, epoch(e), Sampling::kClassBalanced);
    ASSERT_EQ(plan.labels.size(), 6u);
    EXPECT_EQ(std::count(plan.labels.begin(), plan.labels.end(), 0), 3);
    EXPECT_EQ(std::count(plan.labels.begin(), plan.labels.end(), 1), 3);
    seen.insert(plan.recordings.begin(), plan.recordings.end());
    const EpochPlan corpora =
        shuffled_plan(data, whole_recordings(data), side, 4, epoch(e), Sampling::kCorpusBalanced);
    EXPECT_EQ(std::count(corpora.recordings.begin(), corpora.recordings.end(), 9), 3);
  }
  EXPECT_EQ(seen, std::set<std::int64_t>(side.begin(), side.end()));
  EXPECT_EQ(shuffled_plan(data, whole_recordings(data), side, 4, epoch(1), Sampling::kClassBalanced).items,
            shuffled_plan(data, whole_recordings(data), side, 4, epoch(1), Sampling::kClassBalanced).items);
}

TEST(Batches, StretchedItemsAreWithinTheirBoundsAndLongestFirst) {
  const TrainingData data = ten_recordings();
  const Items items = whole_recordings(data);
  const EpochPlan before = shuffled_plan(data, items, {0, 1, 2, 4, 6, 8, 9}, 4, epoch(1));
  double shortest = 1, longest = 1;
  for (std::uint32_t e = 1; e <= 60; ++e) {
    EpochPlan plan = before;
    stretch_items(plan, items, 0.5, epoch(e));
    ASSERT_EQ(plan.stretched.size(), before.items.size());
    for (const EpochPlan::Slice& slice : plan.batches) {
      const auto first = static_cast<std::ptrdiff_t>(slice.first),
                 end = first + static_cast<std::ptrdiff_t>(slice.count);
      EXPECT_TRUE(
          std::is_sorted(plan.stretched.begin() + first, plan.stretched.begin() + end, std::greater<>()));
      EXPECT_TRUE(std::is_permutation(plan.items.begin() + first, plan.items.begin() + end,
                                      before.items.begin() + first));
    }
    for (std::size_t i = 0; i < plan.items.size(); ++i) {
      EXPECT_EQ(plan.recordings[i], plan.items[i]);
      EXPECT_EQ(plan.labels[i], data.labels[static_cast<std::size_t>(plan.items[i])]);
      const auto frames = items.frames[static_cast<std::size_t>(plan.items[i])];
      const double factor = static_cast<double>(plan.stretched[i]) / static_cast<double>(frames);
      EXPECT_LE(plan.stretched[i], longest_stretched(frames, 0.5));
      EXPECT_GE(plan.stretched[i], 1);
      if (frames < 8) continue;  // rounding
      shortest = std::min(shortest, factor);
      longest = std::max(longest, factor);
    }
  }
  EXPECT_NEAR(shortest, 1 / 1.5, 0.08);
  EXPECT_NEAR(longest, 1.5, 0.08);
}

TEST(Batches, MixedTargetsHaveTheirNeighboursShare) {
  TrainingData data = ten_recordings();
  data.classes = 3;
  for (const double alpha : {0.05, 0.4, 1.0, 3.0}) {
    double sum = 0, squares = 0;
    constexpr int kEpochs = 2000;
    for (std::uint32_t e = 0; e < kEpochs; ++e) {
      EpochPlan plan =
          sorted_plan(data, whole_recordings(data), {1, 2, 3}, 2);  // recordings 1, 3 and 2 alone
      plan.targets = {{0, 1, 0, 1, 0, 0, 0, 0, 1}, {}, {4, 2, -3}};
      mix_targets(plan, alpha, epoch(e));
      ASSERT_THAT(plan.recordings, ElementsAre(1, 3, 2));
      const float share = plan.shares[0];
      EXPECT_FLOAT_EQ(plan.targets[0][1], share);
      EXPECT_FLOAT_EQ(plan.targets[0][0], 1 - share);
      EXPECT_FLOAT_EQ(plan.targets[0][3], plan.shares[1]);
      EXPECT_EQ(plan.shares[2], 1);
      EXPECT_EQ(plan.targets[0][8], 1);
      EXPECT_FLOAT_EQ(plan.targets[2][0], share * 4 + (1 - share) * 2);  // numbers mix as classes do
      EXPECT_EQ(plan.targets[2][2], -3);
      sum += static_cast<double>(share);
      squares += static_cast<double>(share) * static_cast<double>(share);
    }
    const double mean = sum / kEpochs;
    EXPECT_NEAR(mean, 0.5, 0.06) << alpha;  // five standard deviations at the most
    EXPECT_NEAR(squares / kEpochs - mean * mean, 1 / (4 * (2 * alpha + 1)), 0.02) << alpha;
  }
}

TEST(Batches, ARecordingScoresTheMeanOfItsSegments) {
  const TrainingData data = ten_recordings();
  const EpochPlan plan = sorted_plan(data, some_segments(), {6, 3, 1}, 4);
  // Rows in the plan's order: recordings 6, 1, 1, 3, 3, 1.
  const std::vector<float> scores{0.25f, 0.75f, 1, 0, 0.5f, 0.5f, 0, 1, 0.5f, 0.5f, 0.75f, 0.25f};
  EXPECT_THAT(recording_scores(plan, scores, 2, {1, 3, 6}),
              ElementsAre(ElementsAre(0.75f, 0.25f), ElementsAre(0.25f, 0.75f), ElementsAre(0.25f, 0.75f)));
  EXPECT_THAT(recording_scores(plan, scores, 2, {6}), ElementsAre(ElementsAre(0.25f, 0.75f)));
  EXPECT_THROW(recording_scores(plan, scores, 2, {2}), InternalError);
}

}  // namespace
}  // namespace serval::train
