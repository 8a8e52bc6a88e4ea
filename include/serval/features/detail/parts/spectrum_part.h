// The bins of the transform: magnitude or power, as they are or on a logarithmic scale.
#pragma once

#include "serval/core/team.h"
#include "serval/features/detail/log_columns.h"
#include "serval/features/detail/views.h"

namespace serval::features::detail {

struct SpectrumPart {
  static constexpr bool kFrame = true;
  static constexpr bool kClip = true;
  int bins = 0;
  int power = 2;
  LogRule log;
  bool whole_clip() const { return log.needs_peak(); }

  template <class Team>
  SERVAL_HD void frame(const Team& team, const FrameView& in, const PartMemory& memory) const {
    for (int k = team.rank(); k < bins; k += team.size()) {
      memory.columns[k] = log_of(power == 2 ? in.power[k] : sqrtf(in.power[k]), log);
    }
  }
  template <class Team>
  SERVAL_HD void clip(const Team& team, const ClipView& in, const PartMemory& memory) const {
    apply_peak(team, log, memory.columns, in.frames, bins, memory.stride);
  }
};

}  // namespace serval::features::detail
