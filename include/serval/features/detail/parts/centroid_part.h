// Where the weight of the spectrum lies and how widely, in Hz: librosa.feature.spectral_centroid and
// spectral_bandwidth. With S = |X|^power over the bins' frequencies f:
//   centroid c = sum f S / sum S
//   bandwidth  = (sum w |f - c|^p)^(1/p) with w = S / sum S, or w = S where it is not normalised
// A silent frame has 0 of both.
#pragma once

#include "serval/features/detail/bin_weights.h"

namespace serval::features::detail {

struct CentroidPart {
  static constexpr bool kFrame = true;
  static constexpr bool kClip = false;
  BinWeights weights;

  template <class Team>
  SERVAL_HD void frame(const Team& team, const FrameView& in, const PartMemory& memory) const {
    const double centroid = weights.centroid(team, in, weights.total(team, in));
    if (team.rank() == 0) memory.columns[0] = static_cast<float>(centroid);
  }
};

struct BandwidthPart {
  static constexpr bool kFrame = true;
  static constexpr bool kClip = false;
  BinWeights weights;
  double p = 2;
  bool normalised = true;

  template <class Team>
  SERVAL_HD void frame(const Team& team, const FrameView& in, const PartMemory& memory) const {
    const double total = weights.total(team, in);
    const double centroid = weights.centroid(team, in, total);
    double sum = 0;
    for (int k = team.rank(); k < in.bins; k += team.size()) {
      const double distance = fabs(k * weights.bin_hz - centroid);
      sum += weights.of(in.power[k]) * (p == 2 ? distance * distance : pow(distance, p));
    }
    sum = team.sum(sum);
    if (normalised && total > 0) sum /= total;
    if (team.rank() == 0) memory.columns[0] = static_cast<float>(p == 2 ? sqrt(sum) : pow(sum, 1 / p));
  }
};

}  // namespace serval::features::detail
