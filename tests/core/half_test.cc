#include "serval/core/half.h"

#include <cmath>

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

}  // namespace
}  // namespace serval
