// Comparing arrays of numbers, with a message that says where they differ most.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <ranges>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "serval/core/tensor.h"

namespace serval::testing_support {

inline bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() &&
         (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0);
}

// "[3, 0, 17]": the coordinates of a flat index in `shape`, whose last axis is the fastest.
inline std::string coordinates(std::int64_t index, const Shape& shape) {
  std::string out;
  for (int axis = shape.rank() - 1; axis >= 0; --axis) {
    out = cat(index % shape[axis], out.empty() ? "" : ", ", out);
    index /= shape[axis];
  }
  return "[" + out + "]";
}

// Passes when |actual - expected| <= atol + rtol |expected| everywhere. A NaN on either side fails, as does
// an infinity that the other side lacks.
template <std::ranges::contiguous_range Actual, std::ranges::contiguous_range Expected>
::testing::AssertionResult close_to(const Actual& actual, const Expected& expected, double atol, double rtol,
                                    const Shape& shape) {
  const std::int64_t count = static_cast<std::int64_t>(std::ranges::size(actual));
  if (count != static_cast<std::int64_t>(std::ranges::size(expected)) || count != shape.size()) {
    return ::testing::AssertionFailure() << count << " values, expected " << std::ranges::size(expected)
                                         << " of shape " << to_string(shape);
  }
  std::int64_t failures = 0;
  std::int64_t first = -1;
  std::int64_t worst = -1;
  double worst_excess = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    const double a = static_cast<double>(std::ranges::data(actual)[i]);
    const double e = static_cast<double>(std::ranges::data(expected)[i]);
    const double allowed = atol + rtol * std::abs(e);
    double excess = a == e ? 0 : std::abs(a - e) - allowed;
    if (std::isnan(a) || std::isnan(e) || (a != e && (std::isinf(a) || std::isinf(e)))) excess = INFINITY;
    if (excess <= 0) continue;
    if (failures++ == 0) first = i;
    if (worst < 0 || excess > worst_excess) {
      worst = i;
      worst_excess = excess;
    }
  }
  if (failures == 0) return ::testing::AssertionSuccess();
  const auto show = [&](std::int64_t i) {
    return cat(coordinates(i, shape), ": ", std::ranges::data(actual)[i], " but expected ",
               std::ranges::data(expected)[i]);
  };
  return ::testing::AssertionFailure()
         << failures << " of " << count << " values differ by more than " << atol << " + " << rtol
         << " |expected|; worst at " << show(worst) << "; first at " << show(first);
}

template <std::ranges::contiguous_range Actual, std::ranges::contiguous_range Expected>
void expect_close(const Actual& actual, const Expected& expected, double atol, double rtol,
                  const Shape& shape) {
  EXPECT_TRUE(close_to(actual, expected, atol, rtol, shape));
}
template <std::ranges::contiguous_range Actual, std::ranges::contiguous_range Expected>
void expect_close(const Actual& actual, const Expected& expected, double atol, double rtol) {
  EXPECT_TRUE(
      close_to(actual, expected, atol, rtol, Shape{static_cast<std::int64_t>(std::ranges::size(expected))}));
}

}  // namespace serval::testing_support
