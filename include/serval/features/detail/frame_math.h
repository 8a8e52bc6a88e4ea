// The arithmetic of single values that the CPU and the CUDA bodies share.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>

#include "serval/core/hd.h"
#include "serval/features/settings.h"

namespace serval::features::detail {

// Which sample stands at position `at` of the padded clip, or -1 for a zero. Mirrors as often as it takes.
// kReflect does not repeat the first and the last sample (numpy's "reflect"), kMirror does ("symmetric").
SERVAL_HD inline std::int64_t source_sample(std::int64_t at, std::int64_t samples, Padding padding) {
  if (at >= 0 && at < samples) return at;
  if (padding == Padding::kEdge) return at < 0 ? 0 : samples - 1;
  if (padding != Padding::kReflect && padding != Padding::kMirror) return -1;
  if (samples == 1) return 0;
  const bool repeats = padding == Padding::kMirror;
  const std::int64_t period = repeats ? 2 * samples : 2 * (samples - 1);
  std::int64_t in_period = at % period;
  if (in_period < 0) in_period += period;
  return in_period < samples ? in_period : period - in_period - (repeats ? 1 : 0);
}

SERVAL_HD inline std::int32_t bits_of(float x) { return std::bit_cast<std::int32_t>(x); }
SERVAL_HD inline float float_of(std::int32_t bits) { return std::bit_cast<float>(bits); }

// log(x) for positive normal x, within 2 units in the last place. One formula, so that both devices round
// alike, and free of branches, so that compilers vectorise it: x = 2^e m with m in [sqrt(1/2), sqrt(2)), and
// log(m) = 2 artanh(s) with s = (m - 1) / (m + 1), whose series is cut where s^11 is below float's precision.
SERVAL_HD inline float natural_log(float x) {
  constexpr std::int32_t kRootHalf = 0x3F3504F3;
  const std::int32_t bits = bits_of(x) - kRootHalf;
  const std::int32_t exponent = bits >> 23;
  const float m = float_of((bits & 0x7FFFFF) + kRootHalf);
  const float e = static_cast<float>(exponent);
  const float s = (m - 1.0f) / (m + 1.0f);
  const float z = s * s;
  const float series = z * (0.66666666f + z * (0.4f + z * (0.28571429f + z * 0.22222222f)));
  // log(2) in two parts, the first exact in a product with e.
  return e * 0.693145751953125f + (2.0f * s + (s * series + e * 1.42860682e-6f));
}

// The logarithm that settings ask for: 10 log10 or log, as scale * log(max(x, floor)).
SERVAL_HD inline float log_value(float x, float floor, float scale) {
  return scale * natural_log(x > floor ? x : floor);
}

// Savitzky-Golay over 2 half + 1 frames: how many frames each side a clip of `frames` allows; 0 for none.
SERVAL_HD inline int delta_half(std::int64_t frames, int width) {
  const std::int64_t half = (frames - 1) / 2;
  return half < width / 2 ? static_cast<int>(half) : width / 2;
}
// Frames too near an end take the polynomial of the nearest whole neighbourhood, so their value is that of
// this frame: a line has one slope and a parabola one curvature.
SERVAL_HD inline std::int64_t delta_centre(std::int64_t frame, std::int64_t frames, int half) {
  if (frame < half) return half;
  return frame > frames - 1 - half ? frames - 1 - half : frame;
}
// Where the taps of `half` start in a table of all half widths: behind those of 1, 2, ... half - 1.
SERVAL_HD inline int delta_taps_at(int half) { return half * half - 1; }
// The frame that tap k of 2 half + 1 looks at: HTK's regression repeats the clip's ends, Savitzky-Golay takes
// the nearest whole neighbourhood.
SERVAL_HD inline std::int64_t delta_source(std::int64_t frame, int k, std::int64_t frames, int half,
                                           DeltaMethod method) {
  if (method != DeltaMethod::kRegression) return delta_centre(frame, frames, half) - half + k;
  const std::int64_t at = frame + k - half;
  return at < 0 ? 0 : at > frames - 1 ? frames - 1 : at;
}

// Floats whose order as signed integers is their own order, for atomicMax on a GPU.
SERVAL_HD inline std::int32_t ordered_bits(float x) {
  const std::int32_t bits = bits_of(x);
  return bits >= 0 ? bits : bits ^ 0x7FFFFFFF;
}
SERVAL_HD inline float from_ordered_bits(std::int32_t bits) {
  return float_of(bits >= 0 ? bits : bits ^ 0x7FFFFFFF);
}

}  // namespace serval::features::detail
