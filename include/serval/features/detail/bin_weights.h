// The bins of a frame as weights of their frequencies: S = |X|^power.
#pragma once

#include <cmath>

#include "serval/core/team.h"
#include "serval/features/detail/views.h"

namespace serval::features::detail {

struct BinWeights {
  int power = 1;      // 1 or 2
  double bin_hz = 1;  // from a bin to the next

  SERVAL_HD float of(float squared) const { return power == 2 ? squared : sqrtf(squared); }

  template <class Team>
  SERVAL_HD double total(const Team& team, const FrameView& in) const {
    double sum = 0;
    for (int k = team.rank(); k < in.bins; k += team.size()) sum += of(in.power[k]);
    return team.sum(sum);
  }
  // sum f S / sum S; 0 for a silent frame.
  template <class Team>
  SERVAL_HD double centroid(const Team& team, const FrameView& in, double total) const {
    double sum = 0;
    for (int k = team.rank(); k < in.bins; k += team.size()) sum += k * static_cast<double>(of(in.power[k]));
    sum = team.sum(sum);
    return total > 0 ? bin_hz * sum / total : 0;
  }
};

}  // namespace serval::features::detail
