// Statistics of one column, for a team; the definitions are those of features/statistics.h.
#pragma once

#include <cmath>
#include <cstdint>

#include "serval/core/team.h"
#include "serval/features/detail/frame_math.h"
#include "serval/features/statistics.h"

namespace serval::features::detail {

// `count` values, `stride` apart.
struct Column {
  const float* values = nullptr;
  std::int64_t count = 0;
  std::int64_t stride = 1;
  SERVAL_HD float operator[](std::int64_t i) const { return values[i * stride]; }
};

// The k-th smallest value, from 0: the bits of the answer are found one after the other by counting.
template <class Team>
SERVAL_HD float kth_smallest(const Team& team, const Column& column, std::int64_t k) {
  std::int64_t low = -2147483648LL;  // as ordered_bits; the answer is in [low, high]
  std::int64_t high = 2147483647LL;
  while (low < high) {
    const std::int64_t middle = (low + high) >> 1;
    int below = 0;
    for (std::int64_t i = team.rank(); i < column.count; i += team.size()) {
      below += ordered_bits(column[i]) <= middle ? 1 : 0;
    }
    if (team.sum(below) > k) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return from_ordered_bits(static_cast<std::int32_t>(low));
}

template <class Team>
SERVAL_HD float percentile(const Team& team, const Column& column, double percent) {
  const double at = percent / 100 * static_cast<double>(column.count - 1);
  const std::int64_t below = static_cast<std::int64_t>(at);
  const float first = kth_smallest(team, column, below);
  const double share = at - static_cast<double>(below);
  if (share == 0) return first;
  const float second = kth_smallest(team, column, below + 1);
  return static_cast<float>(first + share * (static_cast<double>(second) - first));
}

template <class Team>
SERVAL_HD double mean_of(const Team& team, const Column& column) {
  double sum = 0;
  for (std::int64_t i = team.rank(); i < column.count; i += team.size()) sum += column[i];
  return team.sum(sum) / static_cast<double>(column.count);
}

template <class Team>
SERVAL_HD float moment_statistic(const Team& team, const Column& column, StatisticKind kind) {
  const double mean = mean_of(team, column);
  if (kind == StatisticKind::kMean) return static_cast<float>(mean);
  double square = 0;
  double higher = 0;
  for (std::int64_t i = team.rank(); i < column.count; i += team.size()) {
    const double d = column[i] - mean;
    square += d * d;
    higher += kind == StatisticKind::kSkewness ? d * d * d : d * d * d * d;
  }
  const double n = static_cast<double>(column.count);
  const double variance = team.sum(square) / n;
  higher = team.sum(higher) / n;
  if (kind == StatisticKind::kVariance) return static_cast<float>(variance);
  if (kind == StatisticKind::kStd) return static_cast<float>(sqrt(variance));
  // Rounding alone gives a constant column a variance of this size.
  if (variance <= mean * mean * 1e-14) return 0;
  return static_cast<float>(kind == StatisticKind::kSkewness ? higher / (variance * sqrt(variance))
                                                             : higher / (variance * variance) - 3);
}

template <class Team>
SERVAL_HD float column_statistic(const Team& team, const Column& column, const Statistic& statistic) {
  if (statistic.kind == StatisticKind::kPercentile) return percentile(team, column, statistic.percent);
  const bool extremes = statistic.kind == StatisticKind::kMin || statistic.kind == StatisticKind::kMax ||
                        statistic.kind == StatisticKind::kRange;
  if (!extremes) return moment_statistic(team, column, statistic.kind);
  float low = INFINITY;
  float high = -INFINITY;
  for (std::int64_t i = team.rank(); i < column.count; i += team.size()) {
    const float value = column[i];
    low = value < low ? value : low;
    high = value > high ? value : high;
  }
  low = team.min(low);
  high = team.max(high);
  if (statistic.kind == StatisticKind::kMin) return low;
  return statistic.kind == StatisticKind::kMax ? high : high - low;
}

}  // namespace serval::features::detail
