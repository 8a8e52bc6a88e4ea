// Fundamental frequency by YIN, or by pYIN (Mauch and Dixon 2014): columns f0_hz, voiced (0 or 1) and voicing.
//
// YIN takes the first trough of d' below the threshold, or the lowest value. Voicing is 1 - d' there, at least 0.
//
// pYIN asks for every threshold of a beta distribution which troughs are below it and gives each a share, larger for
// shorter periods; a frame's voicing is the sum of the shares. States are pitches `bins` apart, voiced and unvoiced.
// The most likely path changes its pitch by a triangular distribution and its voicing with a small probability.
#pragma once

#include <cmath>
#include <cstdint>

#include "serval/core/team.h"
#include "serval/features/detail/views.h"
#include "serval/features/detail/yin_math.h"

namespace serval::features::detail {

// log of the smallest normal double, which librosa adds to probabilities before taking their logarithm.
constexpr float kLogOfNothing = -708.3964185f;

struct F0Part {
  static constexpr bool kFrame = true;
  static constexpr bool kClip = true;
  F0Method method = F0Method::kYin;
  Unvoiced unvoiced = Unvoiced::kZero;
  float rate_hz = 0;
  PeriodRange range;
  float trough_threshold = 0;
  int thresholds = 0;
  float no_trough = 0;
  double min_hz = 0;
  int bins = 0;
  int bins_per_octave = 0;
  int half_left = 0;   // pitches that a state reaches downwards,
  int half_right = 0;  // and upwards
  float log_stay = 0;
  float log_switch = 0;
  // tables of pYIN, one behind the other:
  //   [thresholds] the thresholds, [thresholds] their probabilities, [thresholds + 1] sums of the first of them
  //   [most_troughs] decay of the shares, [most_troughs + 1] what makes the shares of n troughs add up to 1
  //   [bins] frequencies, [bins] logarithm of what a state's transitions are divided by
  //   [width] logarithms of the transitions to a state, from the lowest pitch on
  // frame_scratch: voicing, number of candidates, then candidates as (bin, probability), over which clip() writes
  //   where each state came from: [bins] voiced in the lower and unvoiced in the upper 16 bits
  // clip_scratch: [2][bins padded] values of the states, [2][bins] best predecessors, [2][bins] where, [bins] observed
  SERVAL_HD int width() const { return half_left + half_right + 1; }
  SERVAL_HD int most_troughs() const { return range.count() / 2 + 1; }
  SERVAL_HD int padded() const { return lag_room(bins) + width() + kLagGroup; }

  int work_size(int length) const {
    const int shares = method == F0Method::kPyin ? 2 * thresholds : 0;
    return yin_work(length, range.max_period) + shares;
  }
  SERVAL_HD int frame_scratch_size() const {
    if (method == F0Method::kYin) return 0;
    return 2 + (2 * most_troughs() > bins ? 2 * most_troughs() : bins);
  }
  int clip_scratch_size() const { return method == F0Method::kYin ? 0 : 2 * padded() + 5 * lag_room(bins); }

  SERVAL_HD float frequency(const float* d, int l) const {
    return rate_hz / (static_cast<float>(range.min_period + l) + parabolic_shift(d, range.count(), l));
  }

  template <class Team>
  SERVAL_HD void frame(const Team& team, const FrameView& in, const PartMemory& memory) const {
    const float* d = normalised_difference(team, in, range, memory.work);
    if (method == F0Method::kYin) {
      if (team.rank() == 0) choose_trough(d, memory.columns);
    } else {
      share_out(team, d, in.length, memory);
    }
  }

  SERVAL_HD void choose_trough(const float* d, float* columns) const {
    const int count = range.count();
    int lowest = 0;
    int chosen = -1;
    for (int l = 0; l < count && chosen < 0; ++l) {
      if (d[l] < d[lowest]) lowest = l;
      if (d[l] < trough_threshold && is_trough(d, count, l)) chosen = l;
    }
    const bool voiced = chosen >= 0;
    if (!voiced) chosen = lowest;
    columns[0] = voiced || unvoiced == Unvoiced::kGuess ? frequency(d, chosen) : 0.0f;
    columns[1] = voiced ? 1.0f : 0.0f;
    columns[2] = d[chosen] < 1 ? 1 - d[chosen] : 0.0f;
  }

  // Of the thresholds, in ascending order, the first that is above `value`.
  SERVAL_HD int first_above(const float* threshold, float value) const {
    int at = value >= 1 ? thresholds : static_cast<int>(value * static_cast<float>(thresholds));
    while (at > 0 && threshold[at - 1] > value) --at;
    while (at < thresholds && threshold[at] <= value) ++at;
    return at;
  }

  // The candidates of a frame with their probabilities, into its scratch. The samples in `work` are overwritten.
  template <class Team>
  SERVAL_HD void share_out(const Team& team, const float* d, int length, const PartMemory& memory) const {
    const float* threshold = memory.tables;
    const float* probability = threshold + thresholds;
    const float* decay = probability + 2 * thresholds + 1;
    const float* norm = decay + most_troughs();
    float* trough = memory.work;                                     // [troughs], behind their number
    float* rank = memory.work + yin_work(length, range.max_period);  // [thresholds] troughs below it so far
    float* weight = rank + thresholds;  // [thresholds] its probability over the sum of its shares
    const int count = range.count();
    if (team.rank() == 0) {
      int found = 0;
      for (int l = 0; l < count; ++l) {
        if (is_trough(d, count, l)) trough[++found] = static_cast<float>(l);
      }
      trough[0] = static_cast<float>(found);
    }
    team.sync();
    const int troughs = static_cast<int>(trough[0]);
    for (int t = team.rank(); t < thresholds; t += team.size()) {
      int below = 0;
      for (int i = 1; i <= troughs; ++i) below += d[static_cast<int>(trough[i])] < threshold[t] ? 1 : 0;
      rank[t] = 0;
      weight[t] = probability[t] * norm[below];
    }
    team.sync();
    int lowest = 0;
    for (int i = 1; i <= troughs; ++i) {
      const int l = static_cast<int>(trough[i]);
      if (i == 1 || d[l] < d[lowest]) lowest = l;
    }
    double voicing = 0;
    int candidates = 0;
    float* candidate = memory.scratch + 2;
    for (int i = 1; i <= troughs; ++i) {
      const int l = static_cast<int>(trough[i]);
      const int first = first_above(threshold, d[l]);
      double share = 0;
      for (int t = first + team.rank(); t < thresholds; t += team.size()) {
        const int before = static_cast<int>(rank[t]);
        share += static_cast<double>(weight[t]) * decay[before];
        rank[t] = static_cast<float>(before + 1);
      }
      share = team.sum(share);
      if (l == lowest) share += static_cast<double>(no_trough) * (probability + thresholds)[first];
      const int bin = bin_of(frequency(d, l));
      // The next trough may give a threshold to another thread of the team.
      team.sync();
      if (share <= 0 || bin == bins) continue;
      // Of two candidates for one state the longer period counts.
      if (candidates > 0 && static_cast<int>(candidate[2 * candidates - 2]) == bin) {
        --candidates;
        voicing -= candidate[2 * candidates + 1];
      }
      team.sync();
      if (team.rank() == 0) {
        candidate[2 * candidates] = static_cast<float>(bin);
        candidate[2 * candidates + 1] = static_cast<float>(share);
      }
      team.sync();
      voicing += static_cast<float>(share);
      ++candidates;
    }
    if (team.rank() != 0) return;
    memory.scratch[0] = static_cast<float>(voicing < 1 ? voicing : 1);
    memory.scratch[1] = static_cast<float>(candidates);
  }

  SERVAL_HD int bin_of(float f0_hz) const {
    const double bin = rint(bins_per_octave * log2(f0_hz / min_hz));
    return bin < 0 ? 0 : bin > bins ? bins : static_cast<int>(bin);
  }

  template <class Team>
  SERVAL_HD void clip(const Team& team, const ClipView& in, const PartMemory& memory) const {
    if (method == F0Method::kPyin) decode(team, in.frames, memory);
    team.sync();
    if (unvoiced == Unvoiced::kInterpolate && team.rank() == 0) bridge(in.frames, memory);
  }

  template <class Team>
  SERVAL_HD void decode(const Team& team, std::int64_t frames, const PartMemory& memory) const {
    const int room = lag_room(bins);
    float* from[2] = {memory.clip_scratch, memory.clip_scratch + padded()};  // voiced, unvoiced
    float* best[2] = {from[1] + padded(), from[1] + padded() + room};
    std::int32_t* where[2] = {reinterpret_cast<std::int32_t*>(best[1] + room),
                              reinterpret_cast<std::int32_t*>(best[1] + 2 * room)};
    float* observed = best[1] + 3 * room;
    const float* frequencies = memory.tables + 3 * thresholds + 2 + 2 * most_troughs();
    const float* log_divisor = frequencies + bins;
    const float* taps = log_divisor + bins;
    const std::int64_t size = frame_scratch_size();
    for (int i = team.rank(); i < 2 * padded(); i += team.size()) from[0][i] = -INFINITY;
    float peak = 0;
    int last = 0;
    for (std::int64_t t = 0; t < frames; ++t) {
      float* frame = memory.scratch + t * size;
      observe(team, frame, observed);
      if (t > 0) {
        for (int v = 0; v < 2; ++v) {
          for (int j = team.rank(); j < bins; j += team.size())
            from[v][half_right + j] -= peak + log_divisor[j];
        }
        team.sync();
        for (int v = 0; v < 2; ++v) best_in_band(team, from[v], taps, width(), bins, best[v], where[v]);
      }
      const float silent = unvoiced_log(frame[0]);
      float top = -INFINITY;
      for (int j = team.rank(); j < bins; j += team.size()) {
        float value[2] = {0, 0};
        if (t > 0) {
          std::uint32_t source[2] = {0, 0};
          for (int v = 0; v < 2; ++v) {
            const float voiced = best[0][j] + (v == 0 ? log_stay : log_switch);
            const float unvoiced_one = best[1][j] + (v == 0 ? log_switch : log_stay);
            const bool other = unvoiced_one > voiced;
            value[v] = other ? unvoiced_one : voiced;
            source[v] =
                static_cast<std::uint32_t>((other ? bins : 0) + where[other ? 1 : 0][j] + j - half_right);
            // Every transition has a least probability, which counts where no other leads on.
            if (kLogOfNothing > value[v]) {
              value[v] = kLogOfNothing;
              source[v] = static_cast<std::uint32_t>(last);
            }
          }
          frame[2 + j] = float_of(static_cast<std::int32_t>(source[0] | source[1] << 16));
        }
        value[0] += observed[j];
        value[1] += silent;
        from[0][half_right + j] = value[0];
        from[1][half_right + j] = value[1];
        top = value[0] > top ? value[0] : top;
        top = value[1] > top ? value[1] : top;
      }
      peak = team.max(top);
      last = first_state(team, from, peak);
    }
    if (team.rank() != 0) return;
    for (std::int64_t t = frames - 1; t >= 0; --t) {
      const float* frame = memory.scratch + t * size;
      const int bin = last % bins;
      const bool voiced = last < bins;
      float* columns = memory.columns + t * memory.stride;
      columns[0] = voiced || unvoiced == Unvoiced::kGuess ? frequencies[bin] : 0.0f;
      columns[1] = voiced ? 1.0f : 0.0f;
      columns[2] = frame[0];
      const std::uint32_t sources = t > 0 ? static_cast<std::uint32_t>(bits_of(frame[2 + bin])) : 0;
      last = static_cast<int>(voiced ? sources & 0xFFFF : sources >> 16);
    }
  }

  SERVAL_HD float unvoiced_log(float voicing) const {
    const double probability = (1 - static_cast<double>(voicing)) / bins;
    return probability > 0 ? static_cast<float>(log(probability)) : kLogOfNothing;
  }

  // Logarithms of a frame's probabilities, from its candidates.
  template <class Team>
  SERVAL_HD void observe(const Team& team, const float* frame, float* observed) const {
    for (int j = team.rank(); j < bins; j += team.size()) observed[j] = kLogOfNothing;
    team.sync();
    const int candidates = static_cast<int>(frame[1]);
    for (int c = team.rank(); c < candidates; c += team.size()) {
      observed[static_cast<int>(frame[2 + 2 * c])] =
          static_cast<float>(log(static_cast<double>(frame[3 + 2 * c])));
    }
    team.sync();
  }

  // The first state whose value is `peak`.
  template <class Team>
  SERVAL_HD int first_state(const Team& team, float* const (&from)[2], float peak) const {
    int first = 2 * bins;
    for (int v = 1; v >= 0; --v) {
      for (int j = team.rank(); j < bins; j += team.size()) {
        const int state = v * bins + j;
        if (from[v][half_right + j] == peak && state < first) first = state;
      }
    }
    return team.min(first);
  }

  // Straight lines over the frames without voice.
  SERVAL_HD void bridge(std::int64_t frames, const PartMemory& memory) const {
    std::int64_t before = -1;
    for (std::int64_t t = 0; t <= frames; ++t) {
      if (t < frames && memory.columns[t * memory.stride + 1] == 0) continue;
      for (std::int64_t gap = before + 1; gap < t; ++gap) {
        float* to = memory.columns + gap * memory.stride;
        if (before < 0 && t == frames) {
          *to = 0;
        } else if (before < 0 || t == frames) {
          *to = memory.columns[(before < 0 ? t : before) * memory.stride];
        } else {
          const double left = memory.columns[before * memory.stride];
          const double right = memory.columns[t * memory.stride];
          *to = static_cast<float>(left + (right - left) * static_cast<double>(gap - before) /
                                              static_cast<double>(t - before));
        }
      }
      before = t;
    }
  }
};

}  // namespace serval::features::detail
