// log max(sum of x^2, floor) over the samples under the window, as Kaldi and HTK define a frame's energy: behind
// scale and removal of the mean, and behind pre-emphasis and window only where asked for.
#pragma once

#include "serval/core/team.h"
#include "serval/features/detail/views.h"

namespace serval::features::detail {

struct EnergyPart {
  static constexpr bool kFrame = true;
  static constexpr bool kClip = false;
  float sample_scale = 1;
  float floor = 0;
  float preemphasis = 0;
  bool remove_dc = false;
  bool windowed = false;  // tables: [length] the window

  template <class Team>
  SERVAL_HD void frame(const Team& team, const FrameView& in, const PartMemory& memory) const {
    float mean = 0;
    if (remove_dc) {
      float sum = 0;
      for (int n = team.rank(); n < in.length; n += team.size()) sum += in.sample(n) * sample_scale;
      mean = team.sum(sum) / static_cast<float>(in.length);
    }
    double energy = 0;
    for (int n = team.rank(); n < in.length; n += team.size()) {
      float x = in.sample(n) * sample_scale - mean;
      if (windowed) {
        x -= preemphasis * (in.sample(n > 0 ? n - 1 : 0) * sample_scale - mean);
        x *= memory.tables[n];
      }
      energy += static_cast<double>(x) * x;
    }
    energy = team.sum(energy);
    if (team.rank() == 0) memory.columns[0] = log_value(static_cast<float>(energy), floor, 1.0f);
  }
};

}  // namespace serval::features::detail
