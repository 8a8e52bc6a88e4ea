#include "serval/core/half.h"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

namespace serval {
namespace {

TEST(Half, IsReadExactly) {
  EXPECT_EQ(half_to_float(0x0000), 0.0f);
  EXPECT_TRUE(std::signbit(half_to_float(0x8000)));
  EXPECT_EQ(half_to_float(0x3C00), 1.0f);
  EXPECT_EQ(half_to_float(0xC000), -2.0f);
  EXPECT_EQ(half_to_float(0x7BFF), 65504.0f);
  EXPECT_EQ(half_to_float(0x0400), 0x1p-14f);
  EXPECT_EQ(half_to_float(0x0001), 0x1p-24f);
  EXPECT_EQ(half_to_float(0x83FF), -1023 * 0x1p-24f);
  EXPECT_EQ(half_to_float(0xFC00), -INFINITY);
  EXPECT_TRUE(std::isnan(half_to_float(0x7E00)));
  // The 31,744 halves from zero up to infinity rise.
  for (std::uint16_t half = 1; half <= 0x7C00; ++half)
    ASSERT_LT(half_to_float(static_cast<std::uint16_t>(half - 1)), half_to_float(half)) << half;
}

TEST(Half, EveryHalfComesBackAndBetweenTwoTheEvenOneIsTaken) {
  for (std::uint32_t h = 0; h < 0x7C00; ++h) {
    const auto half = static_cast<std::uint16_t>(h), next = static_cast<std::uint16_t>(h + 1);
    const float value = half_to_float(half);
    ASSERT_EQ(float_to_half(value), half);
    ASSERT_EQ(float_to_half(-value), half | 0x8000);
    if (next == 0x7C00) break;
    const float middle = (value + half_to_float(next)) / 2;  // exact: a float has the bit for it
    ASSERT_EQ(float_to_half(middle), h % 2 == 0 ? half : next) << h;
    ASSERT_EQ(float_to_half(std::nextafter(middle, 0.0f)), half) << h;
    ASSERT_EQ(float_to_half(std::nextafter(middle, 1e9f)), next) << h;
  }
  EXPECT_EQ(float_to_half(65519.99f), 0x7BFF);
  EXPECT_EQ(float_to_half(65520.0f), 0x7C00);
  EXPECT_EQ(float_to_half(-std::numeric_limits<float>::infinity()), 0xFC00);
  EXPECT_TRUE(std::isnan(half_to_float(float_to_half(std::numeric_limits<float>::quiet_NaN()))));
}

}  // namespace
}  // namespace serval
