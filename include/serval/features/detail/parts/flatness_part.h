// Spectral flatness as librosa.feature.spectral_flatness: the geometric mean over the arithmetic mean of
// max(|X|^exponent, floor) over the bins. 1 for a silent frame and near it for noise, near 0 for tones.
#pragma once

#include <cmath>

#include "serval/core/team.h"
#include "serval/features/detail/views.h"

namespace serval::features::detail {

struct FlatnessPart {
  static constexpr bool kFrame = true;
  static constexpr bool kClip = false;
  double half_exponent = 1;  // of |X|^2
  double floor = 0;
  double log_floor = 0;

  template <class Team>
  SERVAL_HD void frame(const Team& team, const FrameView& in, const PartMemory& memory) const {
    double logs = 0;
    double values = 0;
    for (int k = team.rank(); k < in.bins; k += team.size()) {
      const double squared = in.power[k];
      const double value = half_exponent == 1 ? squared : pow(squared, half_exponent);
      const bool above = value > floor;
      values += above ? value : floor;
      logs += above ? half_exponent * log(squared) : log_floor;
    }
    values = team.sum(values);
    logs = team.sum(logs);
    if (team.rank() == 0) {
      memory.columns[0] = static_cast<float>(exp(logs / in.bins) / (values / in.bins));
    }
  }
};

}  // namespace serval::features::detail
