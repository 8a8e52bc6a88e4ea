// Harmonics-to-noise ratio (Boersma 1993), as Praat's "To Harmonicity (ac)": with r the highest maximum, between the
// samples too, of the frame's autocorrelation over that of its Gaussian window, 10 log10(r / (1 - r)) dB.
//
// A frame whose peak is p times the clip's peak counts as unvoiced where r <= 2 - p / silence.
#pragma once

#include <cmath>
#include <cstdint>

#include "serval/core/team.h"
#include "serval/features/detail/lag_sums.h"
#include "serval/features/detail/views.h"

namespace serval::features::detail {

struct HnrPart {
  static constexpr bool kFrame = true;
  static constexpr bool kClip = true;
  // Lags each side that a first estimate is a sum of; the value that counts is a sum over all that there are.
  static constexpr int kFirstDepth = 30;

  int hop = 0;
  int lead = 0;        // of frame 0
  bool whole = false;  // frames stand for all of the clip; otherwise those at the ends stand for what is left
  int longest_lag = 0;  // maxima are looked for below it
  int lags = 0;         // of the autocorrelation
  int period = 0;       // the longest, in samples
  float silence = 0;
  float lowest_db = 0;
  // tables: [length] the window, [lags] 1 / its normalised autocorrelation at lag 1, 2, ...
  // frame_scratch: strength, peak of the frame; sum, number, least and largest of the samples it stands for
  static constexpr int kScratch = 6;

  int work_size(int length) const { return lag_frame_room(length, lags) + lag_room(lags); }

  // The autocorrelation between lags, by a sum of sin(pi x) / (pi x) under a raised cosine.
  template <class Team>
  SERVAL_HD double interpolated(const Team& team, const float* r, double at, int most) const {
    constexpr double kPi = 3.14159265358979323846;
    const int left = static_cast<int>(floor(at));
    const double share = at - left;
    if (share == 0) return r[left - 1];
    const int depth = lags - left < most ? lags - left : most;
    const double sine = sin(kPi * share) / kPi;
    double sum = 0;
    for (int side = 0; side < 2; ++side) {
      const double first = side == 0 ? share : 1 - share;  // distance of the nearest sample on this side
      const double step = kPi / (first + depth);
      // cos((first + i) step), by turning
      double c = cos((first + team.rank()) * step), s = sin((first + team.rank()) * step);
      const double turn_c = cos(team.size() * step), turn_s = sin(team.size() * step);
      for (int i = team.rank(); i < depth; i += team.size()) {
        const int lag = side == 0 ? left - i : left + 1 + i;
        const double value = lag == 0 ? 1 : r[(lag < 0 ? -lag : lag) - 1];
        const double weight = sine / (first + i) * (0.5 + 0.5 * c);
        sum += (i % 2 == 0 ? weight : -weight) * value;
        const double turned = c * turn_c - s * turn_s;
        s = s * turn_c + c * turn_s;
        c = turned;
      }
    }
    return team.sum(sum);
  }

  struct Peak {
    double at = 0;
    double height = 0;
  };

  // The highest of the points a quarter of a sample apart around the maximum at `lag`, roughly.
  template <class Team>
  SERVAL_HD Peak estimated(const Team& team, const float* r, int lag) const {
    Peak peak{static_cast<double>(lag), r[lag - 1]};
    for (int quarter = -3; quarter <= 3; ++quarter) {
      if (quarter == 0) continue;
      const double at = lag + 0.25 * quarter;
      const double height = interpolated(team, r, at, kFirstDepth);
      if (height > peak.height) peak = {at, height};
    }
    return peak;
  }

  // The height of a peak, by parabolas through interpolated points that close in on it.
  template <class Team>
  SERVAL_HD double refined(const Team& team, const float* r, Peak peak) const {
    peak.height = interpolated(team, r, peak.at, lags);
    double step = 0.125;
    for (int round = 0; round < 3; ++round) {
      const double low = interpolated(team, r, peak.at - step, lags);
      const double high = interpolated(team, r, peak.at + step, lags);
      const double curve = 2 * peak.height - low - high;
      double move = curve > 0 ? 0.5 * (high - low) / curve : 0;
      move = move < -1 ? -1 : move > 1 ? 1 : move;
      peak.at += move * step;
      peak.height = interpolated(team, r, peak.at, lags);
      step *= 0.25;
    }
    return peak.height;
  }

  template <class Team>
  SERVAL_HD void frame(const Team& team, const FrameView& in, const PartMemory& memory) const {
    measure(team, in, memory.scratch);
    const int length = in.length;
    const int half = length / 2;
    double sum = 0;
    for (int n = half - period + team.rank(); n < half + period; n += team.size()) sum += in.sample(n);
    const float mean = static_cast<float>(team.sum(sum) / (2 * period));
    float* x = memory.work;
    const int room = lag_frame_room(length, lags);
    float* r = x + room;
    float peak = 0;
    for (int n = team.rank(); n < room; n += team.size()) {
      x[n] = n < length ? (in.sample(n) - mean) * memory.tables[n] : 0.0f;
      const float size = fabsf(x[n]);
      if (n >= half - period / 2 - 1 && n < half + period / 2 + 1 && size > peak) peak = size;
    }
    peak = team.max(peak);
    const float energy = energy_of(team, x, length);
    team.sync();
    lag_sums<LagSum::kProduct>(team, x, length, lags, r);
    for (int k = 1 + team.rank(); k <= lags && energy > 0; k += team.size()) {
      r[k - 1] = r[k - 1] / energy * memory.tables[length + k - 1];
    }
    team.sync();
    const double strength = energy > 0 && peak > 0 ? strongest(team, r) : 0;
    if (team.rank() != 0) return;
    memory.scratch[0] = static_cast<float>(strength);
    memory.scratch[1] = peak;
    // The ratio is taken here, where the strength has all its digits.
    memory.columns[0] = strength <= 0 ? lowest_db : decibels(strength);
  }

  template <class Team>
  SERVAL_HD float energy_of(const Team& team, const float* x, int length) const {
    double energy = 0;
    for (int n = team.rank(); n < length; n += team.size()) energy += static_cast<double>(x[n]) * x[n];
    return static_cast<float>(team.sum(energy));
  }

  SERVAL_HD float decibels(double strength) const {
    const double left = 1 - strength > 1e-10 ? 1 - strength : 1e-10;
    const float db = static_cast<float>(10 * log10(strength / left));
    return db > lowest_db ? db : lowest_db;
  }

  template <class Team>
  SERVAL_HD double strongest(const Team& team, const float* r) const {
    float highest = 0;
    for (int k = 2; k < longest_lag; ++k) {
      if (is_maximum(r, k) && r[k - 1] > highest) highest = r[k - 1];
    }
    double best = 0;
    for (int k = 2; k < longest_lag; ++k) {
      if (!is_maximum(r, k)) continue;
      // What a maximum may reach between the samples is bounded from its parabola and from what lag 0 adds there,
      // generously, and then from a first estimate; most need no more work.
      const float slope = 0.5f * (r[k] - r[k - 2]), curve = 2 * r[k - 1] - r[k - 2] - r[k];
      const float bound =
          r[k - 1] + 3 * slope * slope / curve + 0.5f * curve + 0.01f + 0.6f / static_cast<float>(k);
      if (bound < highest || bound < best) continue;
      const Peak peak = estimated(team, r, k);
      if (1.1 * peak.height + 0.02 < best) continue;
      const double height = reflected(refined(team, r, peak));
      best = height > best ? height : best;
    }
    return best;
  }

  // Windows that are short against the period let r rise above 1.
  SERVAL_HD static double reflected(double r) { return r > 1 ? 1 / r : r; }

  SERVAL_HD static bool is_maximum(const float* r, int k) {
    return r[k - 1] > 0 && r[k - 1] > r[k - 2] && r[k - 1] >= r[k];
  }

  // Sum, number, least and largest of the samples that the frame stands for, which are those of its hop.
  template <class Team>
  SERVAL_HD void measure(const Team& team, const FrameView& in, float* scratch) const {
    const std::int64_t centre = in.start + in.length / 2;
    std::int64_t first = in.start <= lead ? 0 : centre;
    std::int64_t end = centre + hop;
    if (!whole && in.start + hop + in.length > in.clip_samples) end = in.clip_samples;
    end = end < in.clip_samples ? end : in.clip_samples;
    first = first < end ? first : end;
    double sum = 0;
    float low = INFINITY, high = -INFINITY;
    for (std::int64_t n = first + team.rank(); n < end; n += team.size()) {
      const float x = in.samples[n];
      sum += x;
      low = x < low ? x : low;
      high = x > high ? x : high;
    }
    sum = team.sum(sum);
    low = team.min(low);
    high = team.max(high);
    if (team.rank() != 0) return;
    scratch[2] = static_cast<float>(sum);
    scratch[3] = static_cast<float>(end - first);
    scratch[4] = low;
    scratch[5] = high;
  }

  template <class Team>
  SERVAL_HD void clip(const Team& team, const ClipView& in, const PartMemory& memory) const {
    double sum = 0;
    double count = 0;
    float low = INFINITY, high = -INFINITY;
    for (std::int64_t t = team.rank(); t < in.frames; t += team.size()) {
      const float* frame = memory.scratch + t * kScratch;
      sum += frame[2];
      count += frame[3];
      low = frame[4] < low ? frame[4] : low;
      high = frame[5] > high ? frame[5] : high;
    }
    sum = team.sum(sum);
    count = team.sum(count);
    low = team.min(low);
    high = team.max(high);
    const float mean = static_cast<float>(sum / count);
    const float peak = high - mean > mean - low ? high - mean : mean - low;
    if (silence <= 0) return;
    for (std::int64_t t = team.rank(); t < in.frames; t += team.size()) {
      const float* frame = memory.scratch + t * kScratch;
      const float level = frame[1] < peak ? frame[1] / peak : 1.0f;
      if (frame[0] <= 2 - level / silence) memory.columns[t * memory.stride] = lowest_db;
    }
  }
};

}  // namespace serval::features::detail
