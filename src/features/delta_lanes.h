// Slopes and curvatures of columns over time, several columns at a time.
#pragma once

#include <cstdint>

#include "serval/features/detail/frame_math.h"

#include "lane_pass.h"
#include "transpose_lanes.h"

namespace serval::features::detail {

// Columns [column, column + width) of one frame. Taps left and right of the middle are equal but for the sign
// in slopes (`taps` starts at the middle, tap 0 is zero), and equal in curvatures: so one product serves both.
template <int width, bool curved>
SERVAL_INLINE void delta_block(const float* const* from, const float* taps, int half, float* to) {
  Vector<width> sum = {};
  if (curved) sum = unaligned_at<width>(from[half]) * taps[0];
  for (int k = 1; k <= half; ++k) {
    const Vector<width> after = unaligned_at<width>(from[half + k]);
    const Vector<width> before = unaligned_at<width>(from[half - k]);
    sum += (curved ? after + before : after - before) * taps[k];
  }
  unaligned_at<width>(to) = sum;
}

template <int width, bool curved>
SERVAL_INLINE void delta_row(const float** from, const float* taps, int half, float*& to, int& left) {
  for (; left >= width; left -= width, to += width) {
    delta_block<width, curved>(from, taps, half, to);
    for (int k = 0; k <= 2 * half; ++k) from[k] += width;
  }
  if constexpr (width > 4) delta_row<width / 2, curved>(from, taps, half, to, left);
}

template <int lanes, bool curved>
SERVAL_INLINE void delta_rows(const DeltaColumns& job) {
  const float* from[kMaxDeltaWidth];
  for (std::int64_t frame = 0; frame < job.frames; ++frame) {
    for (int k = 0; k <= 2 * job.half; ++k)
      from[k] = job.from + delta_source(frame, k, job.frames, job.half, job.method) * job.stride;
    float* to = job.to + frame * job.stride;
    int left = job.count;
    delta_row<lanes, curved>(from, job.taps, job.half, to, left);
    for (int column = 0; column < left; ++column) {
      float sum = curved ? from[job.half][column] * job.taps[0] : 0.0f;
      for (int k = 1; k <= job.half; ++k) {
        const float after = from[job.half + k][column], before = from[job.half - k][column];
        sum += (curved ? after + before : after - before) * job.taps[k];
      }
      to[column] = sum;
    }
  }
}

template <int lanes>
SERVAL_INLINE void deltas(const DeltaColumns& job) {
  if (job.curved) {
    delta_rows<lanes, true>(job);
  } else {
    delta_rows<lanes, false>(job);
  }
}

}  // namespace serval::features::detail
