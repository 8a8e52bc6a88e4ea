// Sums over a frame for every lag, and the best predecessor of every pitch state. On the CPU both are loops over
// whole vectors, compiled for each instruction set (src/features/lag_loops.cc); every result is a sum of its own in
// a fixed order, so that all of them give the same bits.
#pragma once

#include <cmath>
#include <cstdint>
#include <type_traits>

#include "serval/core/hd.h"
#include "serval/core/team.h"

namespace serval::features::detail {

enum class LagSum { kSquaredDifference, kProduct };

// Lags are worked on in groups of this many; memory for n lags is that of whole groups.
constexpr int kLagGroup = 64;
// Terms that are added before the next ones start from 0: sums stay as good as floats allow.
constexpr int kLagTerms = 64;
SERVAL_HD constexpr int lag_room(int lags) { return (lags + kLagGroup - 1) / kLagGroup * kLagGroup; }
// Memory for x: the frame, and zeros behind it.
SERVAL_HD constexpr int lag_frame_room(int samples, int lags) { return samples + lag_room(lags); }

// sums[k - 1] for k = 1 ... lags: the sum over n < samples of (x[n] - x[n + k])^2 or x[n] x[n + k].
void solo_lag_sums(LagSum kind, const float* x, int samples, int lags, float* sums);
// best[j] = max over q < width of from[j + q] + taps[q], and where[j] the first such q, for j < count; `from`,
// `best` and `where` hold whole groups.
void solo_best_in_band(const float* from, const float* taps, int width, int count, float* best,
                       std::int32_t* where);

template <LagSum kind, class Team>
SERVAL_HD void lag_sums(const Team& team, const float* x, int samples, int lags, float* sums) {
  if constexpr (std::is_same_v<Team, SoloTeam>) {
    solo_lag_sums(kind, x, samples, lags, sums);
  } else {
    for (int k = 1 + team.rank(); k <= lags; k += team.size()) {
      float total = 0;
      for (int first = 0; first < samples; first += kLagTerms) {
        const int end = first + kLagTerms < samples ? first + kLagTerms : samples;
        float sum = 0;
        for (int n = first; n < end; ++n) {
          if constexpr (kind == LagSum::kSquaredDifference) {
            const float d = x[n] - x[n + k];
            sum += d * d;
          } else {
            sum += x[n] * x[n + k];
          }
        }
        total += sum;
      }
      sums[k - 1] = total;
    }
    team.sync();
  }
}

template <class Team>
SERVAL_HD void best_in_band(const Team& team, const float* from, const float* taps, int width, int count,
                            float* best, std::int32_t* where) {
  if constexpr (std::is_same_v<Team, SoloTeam>) {
    solo_best_in_band(from, taps, width, count, best, where);
  } else {
    for (int j = team.rank(); j < count; j += team.size()) {
      float value = -INFINITY;
      int at = 0;
      for (int q = 0; q < width; ++q) {
        const float candidate = from[j + q] + taps[q];
        at = candidate > value ? q : at;
        value = candidate > value ? candidate : value;
      }
      best[j] = value;
      where[j] = at;
    }
    team.sync();
  }
}

}  // namespace serval::features::detail
