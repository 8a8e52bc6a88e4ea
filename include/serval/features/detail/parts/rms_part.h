// Root mean square of the samples under the window, as librosa.feature.rms; the window's shape does not enter.
#pragma once

#include <cmath>

#include "serval/features/detail/frame_samples.h"

namespace serval::features::detail {

struct RmsPart {
  static constexpr bool kFrame = true;
  static constexpr bool kClip = false;
  FrameSamples samples;

  template <class Team>
  SERVAL_HD void frame(const Team& team, const FrameView& in, const PartMemory& memory) const {
    const float mean = samples.mean(team, in);
    double square = 0;
    for (int n = team.rank(); n < in.length; n += team.size()) {
      const double x = samples.at(in, n, mean);
      square += x * x;
    }
    square = team.sum(square);
    if (team.rank() == 0) memory.columns[0] = static_cast<float>(sqrt(square / in.length));
  }
};

}  // namespace serval::features::detail
