// Chroma as librosa.feature.chroma_stft: the bins S = |X|^power of all octaves gathered by their pitch class, and
// each frame divided by its norm unless that is 0.
#pragma once

#include <cmath>

#include "serval/features/detail/bin_weights.h"

namespace serval::features::detail {

struct ChromaPart {
  static constexpr bool kFrame = true;
  static constexpr bool kClip = false;
  BinWeights weights;
  int n_chroma = 12;
  ChromaNorm norm = ChromaNorm::kInf;
  bool tuned = false;  // filters [bin, n_chroma] from TuningPart, otherwise tables

  template <class Team>
  SERVAL_HD void frame(const Team& team, const FrameView& in, const PartMemory& memory) const {
    const float* filters = tuned ? memory.other : memory.tables;
    constexpr int kAtOnce = 6;
    double length = 0;
    for (int first = 0; first < n_chroma; first += kAtOnce) {
      const int count = n_chroma - first < kAtOnce ? n_chroma - first : kAtOnce;
      double sums[kAtOnce] = {};
      for (int k = team.rank(); k < in.bins; k += team.size()) {
        const double value = weights.of(in.power[k]);
        const float* row = filters + static_cast<std::int64_t>(k) * n_chroma + first;
        if (count == kAtOnce) {
          for (int c = 0; c < kAtOnce; ++c) sums[c] += value * row[c];
        } else {
          for (int c = 0; c < count; ++c) sums[c] += value * row[c];
        }
      }
      for (int c = 0; c < count; ++c) {
        const double sum = team.sum(sums[c]);
        if (norm == ChromaNorm::kInf) length = sum > length ? sum : length;
        if (norm == ChromaNorm::kL1) length += sum;
        if (norm == ChromaNorm::kL2) length += sum * sum;
        if (team.rank() == 0) memory.columns[first + c] = static_cast<float>(sum);
      }
    }
    if (norm == ChromaNorm::kL2) length = sqrt(length);
    if (norm == ChromaNorm::kNone || !(length > 0)) return;
    team.sync();
    for (int c = team.rank(); c < n_chroma; c += team.size()) {
      memory.columns[c] = static_cast<float>(memory.columns[c] / length);
    }
  }
};

}  // namespace serval::features::detail
