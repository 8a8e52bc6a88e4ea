// Windows, mel scales and filters, and the arithmetic that both devices share.
#include <cmath>
#include <numeric>
#include <vector>

#include <gtest/gtest.h>

#include "serval/features/detail/frame_math.h"
#include "serval/features/detail/plan.h"
#include "serval/features/mel.h"
#include "serval/features/window.h"

namespace serval::features {
namespace {

TEST(Window, PeriodicAndSymmetric) {
  const std::vector<double> periodic = make_window(WindowShape::kHann, 4, true);
  EXPECT_NEAR(periodic[0], 0, 1e-15);
  EXPECT_NEAR(periodic[1], 0.5, 1e-15);
  EXPECT_NEAR(periodic[2], 1, 1e-15);
  EXPECT_NEAR(periodic[3], 0.5, 1e-15);
  const std::vector<double> symmetric = make_window(WindowShape::kHamming, 5, false);
  EXPECT_NEAR(symmetric[0], 0.08, 1e-15);
  EXPECT_NEAR(symmetric[2], 1, 1e-15);
  EXPECT_NEAR(symmetric[4], 0.08, 1e-15);
  EXPECT_EQ(make_window(WindowShape::kBoxcar, 3, true), std::vector<double>(3, 1.0));
  EXPECT_NEAR(make_window(WindowShape::kBlackman, 5, false)[2], 1, 1e-15);
}

TEST(Mel, ScalesAtKnownPoints) {
  EXPECT_NEAR(hz_to_mel(1000, MelScale::kSlaney), 15, 1e-12);
  EXPECT_NEAR(hz_to_mel(6400, MelScale::kSlaney), 42, 1e-12);
  EXPECT_NEAR(hz_to_mel(1000, MelScale::kHtk), 999.9855, 1e-3);
  for (const MelScale scale : {MelScale::kSlaney, MelScale::kHtk}) {
    for (const double hz : {0.0, 20.0, 440.0, 999.0, 1000.0, 1001.0, 8000.0, 24000.0}) {
      EXPECT_NEAR(mel_to_hz(hz_to_mel(hz, scale), scale), hz, 1e-9 * (1 + hz));
    }
  }
}

TEST(Mel, FiltersAreSparseAndOfEqualArea) {
  const MelFilters filters = make_mel_filters(64, 512, 16000, 0, 8000, MelScale::kSlaney, MelNorm::kSlaney);
  EXPECT_EQ(filters.weights.size(), 498u);
  EXPECT_TRUE(filters.empty_filters().empty());
  std::vector<int> users(257);
  for (std::size_t m = 0; m < 64; ++m) {
    for (std::int32_t i = filters.offset[m]; i < filters.offset[m + 1]; ++i) {
      ++users[static_cast<std::size_t>(filters.first_bin[m] + i - filters.offset[m])];
    }
  }
  for (const int count : users) EXPECT_LE(count, 2);
  EXPECT_EQ(make_mel_filters(128, 512, 16000, 0, 8000, MelScale::kHtk, MelNorm::kNone).empty_filters().size(),
            1u);
  // The widest filter is sampled well enough that its sum times the distance of bins is its area.
  const double sum =
      std::accumulate(filters.weights.begin() + filters.offset[63], filters.weights.end(), 0.0);
  EXPECT_NEAR(sum * 16000 / 512, 1, 0.01);
}

TEST(FrameMath, NaturalLogIsWithinTwoUnits) {
  double worst = 0;
  for (float x = 1e-30f; x < 1e30f; x *= 1.0007f) {
    const double exact = std::log(static_cast<double>(x));
    const double unit = std::max(1e-7, std::abs(exact)) * 0x1p-23;
    worst = std::max(worst, std::abs(detail::natural_log(x) - exact) / unit);
  }
  for (float x = 0.98f; x < 1.02f; x = std::nextafter(x, 2.0f) + 1e-6f) {
    const double exact = std::log(static_cast<double>(x));
    worst = std::max(worst,
                     std::abs(detail::natural_log(x) - exact) / (std::max(1e-7, std::abs(exact)) * 0x1p-23));
  }
  EXPECT_LT(worst, 2);
  EXPECT_EQ(detail::natural_log(1.0f), 0.0f);
}

TEST(FrameMath, ReflectionFollowsNumpy) {
  // numpy.pad([0, 1, 2], 5, mode="reflect")
  const std::vector<int> expected{1, 0, 1, 2, 1, 0, 1, 2, 1, 0, 1, 2, 1};
  for (int i = 0; i < 13; ++i) {
    EXPECT_EQ(detail::source_sample(i - 5, 3, Padding::kReflect), expected[static_cast<std::size_t>(i)]) << i;
  }
  EXPECT_EQ(detail::source_sample(-7, 1, Padding::kReflect), 0);
  EXPECT_EQ(detail::source_sample(-1, 3, Padding::kZero), -1);
  EXPECT_EQ(detail::source_sample(3, 3, Padding::kZero), -1);
  EXPECT_EQ(detail::source_sample(2, 3, Padding::kZero), 2);
}

TEST(FrameMath, OrderedBitsKeepTheOrder) {
  const std::vector<float> rising{-INFINITY, -1e30f, -2.0f, -1e-30f, 0.0f, 1e-30f, 1.0f, 3e38f};
  for (std::size_t i = 0; i < rising.size(); ++i) {
    EXPECT_EQ(detail::from_ordered_bits(detail::ordered_bits(rising[i])), rising[i]);
    if (i > 0) EXPECT_LT(detail::ordered_bits(rising[i - 1]), detail::ordered_bits(rising[i]));
  }
}

TEST(Deltas, TapsOfWidthNine) {
  FeatureSettings settings;
  settings.deltas = 2;
  const detail::DeltaPlan plan = detail::DeltaPlan::make(settings, 0, 1);
  const float* slope = plan.taps[0].data() + detail::delta_taps_at(4);
  const float* curvature = plan.taps[1].data() + detail::delta_taps_at(4);
  const int expected[] = {28, 7, -8, -17, -20, -17, -8, 7, 28};
  for (int k = -4; k <= 4; ++k) {
    EXPECT_FLOAT_EQ(slope[k + 4], static_cast<float>(k) / 60);
    EXPECT_FLOAT_EQ(curvature[k + 4], static_cast<float>(expected[k + 4]) / 462);
  }
  EXPECT_EQ(plan.taps[0].size(), static_cast<std::size_t>(detail::delta_taps_at(5)));
}

TEST(Deltas, NarrowForShortClips) {
  EXPECT_EQ(detail::delta_half(9, 9), 4);
  EXPECT_EQ(detail::delta_half(8, 9), 3);
  EXPECT_EQ(detail::delta_half(3, 9), 1);
  EXPECT_EQ(detail::delta_half(2, 9), 0);
  EXPECT_EQ(detail::delta_half(100, 5), 2);
  EXPECT_EQ(detail::delta_centre(0, 20, 4), 4);
  EXPECT_EQ(detail::delta_centre(10, 20, 4), 10);
  EXPECT_EQ(detail::delta_centre(19, 20, 4), 15);
}

}  // namespace
}  // namespace serval::features
