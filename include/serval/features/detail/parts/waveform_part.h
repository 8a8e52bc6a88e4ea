// The samples, one a frame.
#pragma once

#include "serval/core/team.h"
#include "serval/features/detail/views.h"

namespace serval::features::detail {

struct WaveformPart {
  static constexpr bool kFrame = true;
  static constexpr bool kClip = false;

  template <class Team>
  SERVAL_HD void frame(const Team& team, const FrameView& in, const PartMemory& memory) const {
    if (team.rank() == 0) memory.columns[0] = in.sample(0);
  }
};

}  // namespace serval::features::detail
