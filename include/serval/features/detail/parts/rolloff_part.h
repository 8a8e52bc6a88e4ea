// The frequency in Hz of the lowest bin at which the sum of S = |X|^power from below reaches `share` of the
// frame's total, as librosa.feature.spectral_rolloff; 0 for a silent frame.
#pragma once

#include "serval/features/detail/bin_weights.h"

namespace serval::features::detail {

struct RolloffPart {
  static constexpr bool kFrame = true;
  static constexpr bool kClip = false;
  BinWeights weights;
  double share = 0.85;

  template <class Team>
  SERVAL_HD void frame(const Team& team, const FrameView& in, const PartMemory& memory) const {
    // Each member sums a stretch of bins of its own and then looks for the crossing in it.
    const int stretch = (in.bins + team.size() - 1) / team.size();
    const int first = team.rank() * stretch;
    const int last = first + stretch < in.bins ? first + stretch : in.bins;
    double own = 0;
    for (int k = first; k < last; ++k) own += weights.of(in.power[k]);
    double total = 0;
    double below = 0;
    for (int member = 0; member < team.size(); ++member) {
      if (member == team.rank()) below = total;
      total += team.sum(member == team.rank() ? own : 0.0);
    }
    int crossing = in.bins - 1;
    for (int k = first; k < last; ++k) {
      below += weights.of(in.power[k]);
      if (below >= share * total) {
        crossing = k;
        break;
      }
    }
    crossing = team.min(crossing);
    if (team.rank() == 0) memory.columns[0] = static_cast<float>(crossing * weights.bin_hz);
  }
};

}  // namespace serval::features::detail
