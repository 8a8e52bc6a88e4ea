// Teager and Kaiser's energy operator, x[n]^2 - x[n - 1] x[n + 1], averaged over the samples under the window that
// have both neighbours there.
#pragma once

#include "serval/core/team.h"
#include "serval/features/detail/views.h"

namespace serval::features::detail {

struct TeagerPart {
  static constexpr bool kFrame = true;
  static constexpr bool kClip = false;
  TeagerValue value = TeagerValue::kMean;
  float floor = 0;

  template <class Team>
  SERVAL_HD void frame(const Team& team, const FrameView& in, const PartMemory& memory) const {
    double sum = 0;
    for (int n = 1 + team.rank(); n < in.length - 1; n += team.size()) {
      const double x = in.sample(n);
      const double energy = x * x - static_cast<double>(in.sample(n - 1)) * in.sample(n + 1);
      sum += value == TeagerValue::kMean || energy > 0 ? energy : -energy;
    }
    const float mean = static_cast<float>(team.sum(sum) / (in.length - 2));
    if (team.rank() != 0) return;
    memory.columns[0] = value == TeagerValue::kLogMeanAbs ? log_value(mean, floor, 1.0f) : mean;
  }
};

}  // namespace serval::features::detail
