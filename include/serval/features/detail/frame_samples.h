// The samples of a frame for parts that look at the waveform itself: behind scale and removal of the mean.
#pragma once

#include "serval/core/team.h"
#include "serval/features/detail/views.h"

namespace serval::features::detail {

struct FrameSamples {
  float scale = 1;
  bool remove_dc = false;

  // What has to be subtracted from every scaled sample.
  template <class Team>
  SERVAL_HD float mean(const Team& team, const FrameView& in) const {
    if (!remove_dc) return 0;
    float sum = 0;
    for (int n = team.rank(); n < in.length; n += team.size()) sum += in.sample(n) * scale;
    return team.sum(sum) / static_cast<float>(in.length);
  }
  SERVAL_HD float at(const FrameView& in, int n, float mean) const { return in.sample(n) * scale - mean; }
};

}  // namespace serval::features::detail
