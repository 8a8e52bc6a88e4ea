// Parting values into the smallest few and the rest, for a team, without sorting.
#pragma once

#include <cstdint>

#include "serval/core/team.h"
#include "serval/features/detail/frame_math.h"

namespace serval::features::detail {

// Rows of values, those below zero all alike.
struct SplitValues {
  const float* first = nullptr;
  int row = 0;  // values in a row
  std::int64_t rows = 1;
  std::int64_t stride = 0;  // from row to row
};

template <class Team>
SERVAL_HD std::int64_t count_at_most(const Team& team, const SplitValues& values, std::int32_t bits) {
  int count = 0;
  for (std::int64_t r = 0; r < values.rows; ++r) {
    const float* row = values.first + r * values.stride;
    for (int i = team.rank(); i < values.row; i += team.size()) count += bits_of(row[i]) <= bits ? 1 : 0;
  }
  return team.sum(count);
}

// `at_most` of the values are not above `value`, and these hold the `count` smallest. There are more than `count`
// only where equal values stand on the border, and then `value` is those.
struct Split {
  float value = 0;
  std::int64_t at_most = 0;
};

// The border is found by halving the range of its bits. Needs 1 <= count <= all, and a border that is not below
// zero.
template <class Team>
SERVAL_HD Split split_smallest(const Team& team, const SplitValues& values, std::int64_t count) {
  std::int32_t low = 0x7F800000;
  std::int32_t high = 0;
  for (std::int64_t r = 0; r < values.rows; ++r) {
    const float* row = values.first + r * values.stride;
    for (int i = team.rank(); i < values.row; i += team.size()) {
      const std::int32_t bits = bits_of(row[i]);
      low = bits < low && bits >= 0 ? bits : low;
      high = bits > high ? bits : high;
    }
  }
  low = team.min(low);
  high = team.max(high);
  while (low < high) {
    const std::int32_t middle = low + (high - low) / 2;
    const std::int64_t at_most = count_at_most(team, values, middle);
    if (at_most == count) return {float_of(middle), at_most};
    if (at_most > count) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return {float_of(high), count_at_most(team, values, high)};
}

}  // namespace serval::features::detail
