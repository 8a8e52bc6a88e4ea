// Zero-crossing rate as librosa.feature.zero_crossing_rate: the share of the samples under the window whose sign
// differs from that of the sample before them; the first one never counts. Values within `threshold` of zero are
// zero, and zero is positive.
#pragma once

#include "serval/features/detail/frame_samples.h"

namespace serval::features::detail {

struct ZcrPart {
  static constexpr bool kFrame = true;
  static constexpr bool kClip = false;
  FrameSamples samples;
  double threshold = 0;

  template <class Team>
  SERVAL_HD void frame(const Team& team, const FrameView& in, const PartMemory& memory) const {
    const float mean = samples.mean(team, in);
    int crossings = 0;
    for (int n = 1 + team.rank(); n < in.length; n += team.size()) {
      const bool before = samples.at(in, n - 1, mean) < -threshold;
      const bool now = samples.at(in, n, mean) < -threshold;
      crossings += before != now ? 1 : 0;
    }
    crossings = team.sum(crossings);
    if (team.rank() == 0) memory.columns[0] = static_cast<float>(crossings) / static_cast<float>(in.length);
  }
};

}  // namespace serval::features::detail
