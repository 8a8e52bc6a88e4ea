// Spectral contrast as librosa.feature.spectral_contrast: in bands an octave wide, the mean of the strongest bins
// S = |X|^power (peak) against the mean of the weakest (valley).
//   linear: peak - valley
//   dB: P - V with P = 10 log10(max(peak, 1e-10)), raised to at least `top_db` below the clip's largest P, and V
//       alike from the valleys
#pragma once

#include <cmath>

#include "serval/features/detail/bin_weights.h"
#include "serval/features/detail/split_math.h"

namespace serval::features::detail {

struct ContrastPart {
  static constexpr bool kFrame = true;
  static constexpr bool kClip = true;
  BinWeights weights;
  int bands = 0;  // columns; tables: [band, 3] first bin, bins, bins in the peak and in the valley
  bool linear = false;
  bool has_top_db = false;
  float top_db = 0;

  // The sum of the `count` smallest of `bins` values.
  template <class Team>
  SERVAL_HD double smallest_sum(const Team& team, const float* squared, int bins, int count) const {
    if (count == 0) return 0;
    const Split split = split_smallest(team, SplitValues{squared, bins, 1, 0}, count);
    double sum = 0;
    for (int i = team.rank(); i < bins; i += team.size()) {
      if (squared[i] <= split.value) sum += weights.of(squared[i]);
    }
    sum = team.sum(sum);
    return sum - static_cast<double>(split.at_most - count) * weights.of(split.value);
  }

  SERVAL_HD static float decibels(double value) {
    return static_cast<float>(10 * log10(value > 1e-10 ? value : 1e-10));
  }

  template <class Team>
  SERVAL_HD void frame(const Team& team, const FrameView& in, const PartMemory& memory) const {
    for (int band = 0; band < bands; ++band) {
      const float* squared = in.power + static_cast<int>(memory.tables[3 * band]);
      const int bins = static_cast<int>(memory.tables[3 * band + 1]);
      const int count = static_cast<int>(memory.tables[3 * band + 2]);
      double all = 0;
      for (int i = team.rank(); i < bins; i += team.size()) all += weights.of(squared[i]);
      all = team.sum(all);
      const double valley = smallest_sum(team, squared, bins, count) / count;
      const double peak = (all - smallest_sum(team, squared, bins, bins - count)) / count;
      if (team.rank() != 0) continue;
      if (linear) {
        memory.columns[band] = static_cast<float>(peak - valley);
      } else {
        memory.scratch[band] = decibels(peak);
        memory.scratch[bands + band] = decibels(valley);
      }
    }
  }

  template <class Team>
  SERVAL_HD void clip(const Team& team, const ClipView& in, const PartMemory& memory) const {
    if (linear) return;
    float lowest[2] = {-INFINITY, -INFINITY};
    if (has_top_db) {
      for (std::int64_t i = team.rank(); i < in.frames * bands; i += team.size()) {
        const float* row = memory.scratch + i / bands * 2 * bands;
        for (int side = 0; side < 2; ++side) {
          const float value = row[side * bands + i % bands];
          lowest[side] = value > lowest[side] ? value : lowest[side];
        }
      }
      for (int side = 0; side < 2; ++side) lowest[side] = team.max(lowest[side]) - top_db;
    }
    for (std::int64_t i = team.rank(); i < in.frames * bands; i += team.size()) {
      const float* row = memory.scratch + i / bands * 2 * bands;
      const float peak = row[i % bands];
      const float valley = row[bands + i % bands];
      memory.columns[i / bands * memory.stride + i % bands] =
          (peak > lowest[0] ? peak : lowest[0]) - (valley > lowest[1] ? valley : lowest[1]);
    }
  }
};

}  // namespace serval::features::detail
