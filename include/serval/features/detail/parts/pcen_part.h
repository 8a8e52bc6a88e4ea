// Per-channel energy normalisation of mel bands E[t, m], as librosa.pcen with max_size 1:
//   M[t] = (1 - b) M[t - 1] + b E[t], M[-1] = 1
//   G[t] = E[t] (eps + M[t])^-gain
//   (G + bias)^power - bias^power; with bias 0: G^power; with power 0: log(1 + G)
#pragma once

#include <cmath>

#include "serval/core/team.h"
#include "serval/features/detail/views.h"

namespace serval::features::detail {

struct PcenPart {
  static constexpr bool kFrame = false;
  static constexpr bool kClip = true;
  double smoothing = 1;  // b
  double gain = 0;
  double bias = 0;
  double power = 0;
  double eps = 1;
  double bias_root = 0;  // bias^power

  SERVAL_HD double compress(double energy, double smooth) const {
    const double level = energy * exp(-gain * (log(eps) + log1p(smooth / eps)));
    if (power == 0) return log1p(level);
    if (bias == 0) return level > 0 ? exp(power * log(level)) : 0.0;
    return bias_root * expm1(power * log1p(level / bias));
  }

  template <class Team>
  SERVAL_HD void clip(const Team& team, const ClipView& in, const PartMemory& memory) const {
    for (int m = team.rank(); m < in.n_mels; m += team.size()) {
      double smooth = 1;
      for (std::int64_t t = 0; t < in.frames; ++t) {
        const double energy = in.bank[t * in.n_mels + m];
        smooth = smoothing * energy + (1 - smoothing) * smooth;
        memory.columns[t * memory.stride + m] = static_cast<float>(compress(energy, smooth));
      }
    }
  }
};

}  // namespace serval::features::detail
