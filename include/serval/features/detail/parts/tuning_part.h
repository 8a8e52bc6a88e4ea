// How far a clip is from A = 440 Hz, as librosa.estimate_tuning, and the chroma filters for it. Has no columns;
// its clip_scratch are the filters, [bin, n_chroma].
//
// Peaks of S = |X|^power between 150 Hz and 4 kHz that are higher than a tenth of their frame's highest bin are
// placed by a parabola through their neighbours. Of all peaks of the clip, those not below the median height
// vote with their distance to the nearest chroma, in hundredths; the tuning is the lowest distance with most
// votes, and 0 where there are no peaks.
#pragma once

#include "serval/features/detail/bin_weights.h"
#include "serval/features/detail/chroma_math.h"
#include "serval/features/detail/split_math.h"

namespace serval::features::detail {

struct TuningPart {
  static constexpr bool kFrame = true;
  static constexpr bool kClip = true;
  static constexpr int kVotes = 100;   // distances from -0.5 to 0.5
  static constexpr int kCounters = 8;  // members who count votes; work: [kCounters, kVotes]
  BinWeights weights;
  ChromaFilters filters;
  int first_bin = 0;  // peaks from here
  int last_bin = 0;   // to below here
  int slots = 0;      // (last_bin - first_bin + 1) / 2: of two neighbours one at most is a peak
  int bins = 0;

  // scratch: [slots] heights, or -1 where there is no peak, and [slots] votes.
  template <class Team>
  SERVAL_HD void frame(const Team& team, const FrameView& in, const PartMemory& memory) const {
    float highest = 0;
    for (int k = team.rank(); k < in.bins; k += team.size()) {
      highest = in.power[k] > highest ? in.power[k] : highest;
    }
    const double least = 0.1 * static_cast<double>(weights.of(team.max(highest)));
    for (int slot = team.rank(); slot < slots; slot += team.size()) {
      memory.scratch[slot] = -1;
      memory.scratch[slots + slot] = 0;
      for (int k = first_bin + 2 * slot; k < first_bin + 2 * slot + 2 && k < last_bin; ++k) {
        const double here = weights.of(in.power[k]);
        const double before = weights.of(in.power[k - 1]);
        const double behind = weights.of(in.power[k + 1]);
        if (!(here > least && here > before && here >= behind)) continue;
        const double curve = behind + before - 2 * here;
        const double slope = (behind - before) / 2;
        const double shift = fabs(slope) >= fabs(curve) ? 0 : -slope / curve;
        memory.scratch[slot] = static_cast<float>(here + 0.5 * slope * shift);
        memory.scratch[slots + slot] = static_cast<float>(vote((k + shift) * filters.bin_hz));
      }
    }
  }

  SERVAL_HD int vote(double hz) const {
    const double place = filters.n_chroma * log2(hz / 27.5);
    double distance = place - floor(place);
    if (distance >= 0.5) distance -= 1;
    const int number = static_cast<int>(floor((distance + 0.5) * kVotes));
    return number < 0 ? 0 : number < kVotes ? number : kVotes - 1;
  }

  template <class Team>
  SERVAL_HD void clip(const Team& team, const ClipView& in, const PartMemory& memory) const {
    const double tuning = estimate(team, in, memory);
    for (int k = team.rank(); k < bins; k += team.size()) {
      filters.weights(k, tuning, memory.clip_scratch + static_cast<std::int64_t>(k) * filters.n_chroma);
    }
  }

  template <class Team>
  SERVAL_HD double estimate(const Team& team, const ClipView& in, const PartMemory& memory) const {
    const SplitValues heights{memory.scratch, slots, in.frames, 2 * static_cast<std::int64_t>(slots)};
    const std::int64_t empty = count_at_most(team, heights, -1);
    const std::int64_t peaks = in.frames * slots - empty;
    if (peaks == 0) return 0;
    // Not below the median, the mean of the two in the middle, are exactly the upper half.
    Split lower{0, empty};
    const std::int64_t below = empty + peaks / 2;
    if (peaks / 2 > 0) lower = split_smallest(team, heights, below);
    const bool border_counts = lower.at_most > below;

    for (int i = team.rank(); i < kCounters * kVotes; i += team.size()) memory.work[i] = 0;
    team.sync();
    const int counters = team.size() < kCounters ? team.size() : kCounters;
    for (std::int64_t f = team.rank(); team.rank() < counters && f < in.frames; f += counters) {
      const float* row = memory.scratch + f * 2 * slots;
      for (int slot = 0; slot < slots; ++slot) {
        if (!(row[slot] > lower.value || (border_counts && row[slot] == lower.value))) continue;
        memory.work[team.rank() * kVotes + static_cast<int>(row[slots + slot])] += 1;
      }
    }
    team.sync();
    int best = 0;
    float most = 0;
    for (int number = 0; number < kVotes; ++number) {
      float votes = 0;
      for (int counter = 0; counter < kCounters; ++counter) votes += memory.work[counter * kVotes + number];
      if (votes > most) {
        most = votes;
        best = number;
      }
    }
    return best / static_cast<double>(kVotes) - 0.5;
  }
};

}  // namespace serval::features::detail
