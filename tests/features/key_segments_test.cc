// Which segments stand for a recording: found again where the answer is known, and against a plain k-means.
#include "serval/features/key_segments.h"

#include <algorithm>
#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "serval/core/philox.h"

namespace serval::features {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

SegmentSettings cut(std::int64_t length, std::int64_t shift) {
  SegmentSettings settings;
  settings.segment_frames = {length};
  settings.shift_frames = {shift};
  return settings;
}

TEST(KeySegments, OneOfEachStretchThatSoundsAlike) {
  // 2 columns, segments of 2 frames: three low, two high, one that is low in the second column alone.
  const std::vector<float> values{0, 5, 0.1f, 5, 0, 5.1f, 0.2f, 5, 0.1f, 5, 0, 5,  //
                                  9, 5, 9,    5, 9, 5.1f, 9,    5, 0,    0, 0, 0};
  const std::vector<std::int64_t> offsets{0, 12};
  const SegmentIndex all = plan_segments(offsets, cut(2, 2));
  ASSERT_EQ(all.segments.size(), 6u);
  const SegmentIndex keys = key_segments(all, offsets, values.data(), 2, 3);
  ASSERT_EQ(keys.segments.size(), 3u);
  EXPECT_LT(keys.segments[0].first_frame, 6);
  EXPECT_THAT(keys.segments[1].first_frame, testing::AnyOf(6, 8));
  EXPECT_EQ(keys.segments[2].first_frame, 10);
  EXPECT_THAT(keys.offsets, ElementsAre(0, 3));
  // Every frame is in a segment or said to be in none.
  std::int64_t frames = 0;
  for (const Segment& segment : keys.segments) frames += segment.real_frames;
  for (const DroppedFrames& gap : keys.dropped) frames += gap.frames;
  EXPECT_EQ(frames, 12);
}

TEST(KeySegments, AsManyAsThereAreWhereThereAreNoMore) {
  const std::vector<float> values{1, 2, 3, 4, 5, 6, 7};
  const std::vector<std::int64_t> offsets{0, 2, 7};
  const SegmentIndex all = plan_segments(offsets, cut(2, 2));
  const SegmentIndex keys = key_segments(all, offsets, values.data(), 1, 3);
  EXPECT_EQ(keys.segments, all.segments);
  EXPECT_EQ(keys.offsets, all.offsets);
  EXPECT_THAT(keys.dropped, IsEmpty());
  // Segments that are equal have one cluster between them.
  const std::vector<float> flat(7, 1.0f);
  const SegmentIndex one = key_segments(all, offsets, flat.data(), 1, 2);
  EXPECT_THAT(one.offsets, ElementsAre(0, 1, 2));
}

TEST(KeySegments, EachLengthByItselfAndNoRecordingMindsTheOthers) {
  const RandomStream random{.seed = 3};
  std::vector<float> values;
  for (std::uint32_t i = 0; i < 120; ++i) values.push_back(random.uniform(i));
  SegmentSettings settings;
  settings.segment_frames = {4, 8};
  settings.shift_frames = {2, 4};
  const auto keys_of = [&](const std::vector<std::int64_t>& offsets) {
    return key_segments(plan_segments(offsets, settings), offsets, values.data(), 2, 3);
  };
  const SegmentIndex both = keys_of({0, 30, 60});
  const SegmentIndex alone = keys_of({0, 30});
  ASSERT_EQ(both.offsets[1], static_cast<std::int64_t>(alone.segments.size()));
  EXPECT_EQ(alone.segments.size(), 6u);
  EXPECT_TRUE(std::equal(alone.segments.begin(), alone.segments.end(), both.segments.begin()));
  for (std::size_t i = 1; i < alone.segments.size(); ++i) {
    if (alone.segments[i].scale == alone.segments[i - 1].scale) {
      EXPECT_GT(alone.segments[i].first_frame, alone.segments[i - 1].first_frame);
    }
  }
}

// What the header says, over every division of a few points into two clusters: none that is stable under k-means has been
// missed for a reason, so the chosen rows must be the keys of one of the stable ones.
TEST(KeySegments, TheKeysAreThoseOfAStableDivision) {
  constexpr std::int64_t kCount = 7;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const RandomStream random{.seed = seed};
    std::vector<double> rows;
    for (std::uint32_t i = 0; i < kCount * 2; ++i) rows.push_back(static_cast<double>(random.uniform(i)));
    std::vector<double> variance(2);
    for (std::size_t c = 0; c < 2; ++c) {
      double mean = 0;
      for (std::size_t a = 0; a < kCount; ++a) mean += rows[a * 2 + c] / kCount;
      for (std::size_t a = 0; a < kCount; ++a) variance[c] += std::pow(rows[a * 2 + c] - mean, 2) / kCount;
    }
    const auto k = [&](std::size_t a, std::size_t b) {
      double sum = 0;
      for (std::size_t c = 0; c < 2; ++c) sum += std::pow(rows[a * 2 + c] - rows[b * 2 + c], 2) / variance[c];
      return std::exp(-sum / 4);
    };
    const auto away = [&](std::size_t a, unsigned members) {
      double size = 0, to = 0, within = 0;
      for (std::size_t b = 0; b < kCount; ++b) {
        if ((members >> b & 1) == 0) continue;
        ++size;
        to += k(a, b);
        for (std::size_t c = 0; c < kCount; ++c) within += (members >> c & 1) != 0 ? k(b, c) : 0;
      }
      return 1 - 2 * to / size + within / (size * size);
    };
    std::vector<std::vector<std::int64_t>> stable;
    constexpr unsigned kAll = (1u << kCount) - 1;
    for (unsigned members = 1; members < kAll; ++members) {
      bool moves = false;
      std::int64_t keys[2] = {-1, -1};
      double nearest[2] = {INFINITY, INFINITY};
      for (std::size_t a = 0; a < kCount; ++a) {
        const std::size_t own = (members >> a & 1) != 0 ? 0 : 1;
        const double distances[2] = {away(a, members), away(a, kAll ^ members)};
        moves = moves || distances[1 - own] < distances[own];
        if (distances[own] < nearest[own]) {
          nearest[own] = distances[own];
          keys[own] = static_cast<std::int64_t>(a);
        }
      }
      if (!moves) stable.push_back({std::min(keys[0], keys[1]), std::max(keys[0], keys[1])});
    }
    EXPECT_THAT(stable, testing::Contains(key_rows(rows, kCount, 2))) << "seed " << seed;
  }
}

}  // namespace
}  // namespace serval::features
