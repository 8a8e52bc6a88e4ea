// YIN (de Cheveigne and Kawahara 2002) of one frame, as librosa 0.11 computes it.
#pragma once

#include <cmath>

#include "serval/features/detail/lag_sums.h"
#include "serval/features/detail/views.h"

namespace serval::features::detail {

// Periods from min_period to max_period samples; d'[l] is that of period min_period + l.
struct PeriodRange {
  int min_period = 0;
  int max_period = 0;
  SERVAL_HD int count() const { return max_period - min_period + 1; }
};

SERVAL_HD inline bool is_trough(const float* d, int count, int l) {
  const bool falls = l == 0 || d[l] < d[l - 1];
  if (l == count - 1) return falls;
  return l == 0 ? d[0] < d[1] : falls && d[l] <= d[l + 1];
}

// Where the parabola through d[l - 1], d[l], d[l + 1] is lowest, from l; 0 where that is further than one away.
SERVAL_HD inline float parabolic_shift(const float* d, int count, int l) {
  if (l == 0 || l == count - 1) return 0;
  const float a = d[l + 1] + d[l - 1] - 2 * d[l];
  const float b = (d[l + 1] - d[l - 1]) / 2;
  return fabsf(b) >= fabsf(a) ? 0 : -b / a;
}

// Floats of work for normalised_difference().
SERVAL_HD constexpr int yin_work(int samples, int max_period) {
  return lag_frame_room(samples, max_period) + lag_room(max_period);
}

// The cumulative mean normalised difference d'(k) = d(k) k / (d(1) + ... + d(k)), where d(k) is the sum over n of
// (x[n] - x[n + k])^2 with zeros behind the frame; 0 where all is silent. Returns d' of the range, in `work`.
template <class Team>
SERVAL_HD float* normalised_difference(const Team& team, const FrameView& in, PeriodRange range,
                                       float* work) {
  float* x = work;
  const int room = lag_frame_room(in.length, range.max_period);
  float* d = work + room;
  for (int n = team.rank(); n < room; n += team.size()) x[n] = n < in.length ? in.sample(n) : 0.0f;
  team.sync();
  lag_sums<LagSum::kSquaredDifference>(team, x, in.length, range.max_period, d);
  if (team.rank() == 0) {
    double sum = 0;
    for (int k = 1; k <= range.max_period; ++k) {
      sum += d[k - 1];
      d[k - 1] = sum > 0 ? static_cast<float>(d[k - 1] * k / sum) : 0.0f;
    }
  }
  team.sync();
  return d + range.min_period - 1;
}

}  // namespace serval::features::detail
