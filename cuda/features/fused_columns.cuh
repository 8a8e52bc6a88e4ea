// Second half of the fused feature kernel: from a clip's log-mel tile to its rows of the output. Columns
// before deltas pass through shared memory, `row_count` frames at a time; of the frames before, those stay
// that the next deltas look at.
#pragma once

#include "serval/features/detail/frame_math.h"

#include "cuda/core/kernel.cuh"
#include "cuda/features/fused_args.cuh"

namespace serval::features::cuda {

constexpr int kFusedRun = 8;  // frames of one column that a thread takes at once

// A band's value given the clip's peak: no lower than `lowest`, less `reference`, which may be 0.
struct PeakRule {
  float lowest = 0;
  float reference = 0;
};
SERVAL_DEVICE PeakRule peak_rule(const FusedPart& part, float peak) {
  PeakRule rule;
  rule.lowest = part.has_top_db ? peak - part.top_db : -INFINITY;
  rule.reference = part.from_peak ? peak : 0;
  return rule;
}
SERVAL_DEVICE float settled(float value, const PeakRule& rule) {
  return fmaxf(value, rule.lowest) - rule.reference;
}
SERVAL_DEVICE float4 settled(float4 values, const PeakRule& rule) {
  return make_float4(settled(values.x, rule), settled(values.y, rule), settled(values.z, rule),
                     settled(values.w, rule));
}

// 8 frames by 8 * `blocks` coefficients from `first` on, by one warp: a lane has two frames and every eighth
// coefficient.
template <int blocks>
SERVAL_DEVICE void cosine_block(const FusedArgs& a, const float* dct, const float* tile, int tile_row,
                                int last_row, const PeakRule& rule, int first, float* rows, int row,
                                int row_end) {
  const int lane = static_cast<int>(threadIdx.x) % serval::cuda::kWarpSize;
  const int coefficient = first + lane % 8;
  const int frame = lane / 8;
  // Frames behind the last one repeat it; they are not kept.
  const int row0 = tile_row + frame;
  const int row1 = tile_row + frame + 4;
  const float4* x0 = reinterpret_cast<const float4*>(
      tile + static_cast<std::int64_t>(row0 < last_row ? row0 : last_row) * a.mel_stride);
  const float4* x1 = reinterpret_cast<const float4*>(
      tile + static_cast<std::int64_t>(row1 < last_row ? row1 : last_row) * a.mel_stride);
  const float* table = dct + coefficient * a.places.dct_stride;
  float sum0[blocks], sum1[blocks];
  SERVAL_UNROLL
  for (int b = 0; b < blocks; ++b) sum0[b] = sum1[b] = 0;
  SERVAL_NO_UNROLL
  for (int quad = 0; quad < a.mel_stride / 4; ++quad) {
    const float4 p = settled(x0[quad], rule);
    const float4 q = settled(x1[quad], rule);
    SERVAL_UNROLL
    for (int b = 0; b < blocks; ++b) {
      const float4 w = reinterpret_cast<const float4*>(table + 8 * b * a.places.dct_stride)[quad];
      sum0[b] += w.x * p.x;
      sum0[b] += w.y * p.y;
      sum0[b] += w.z * p.z;
      sum0[b] += w.w * p.w;
      sum1[b] += w.x * q.x;
      sum1[b] += w.y * q.y;
      sum1[b] += w.z * q.z;
      sum1[b] += w.w * q.w;
    }
  }
  SERVAL_UNROLL
  for (int b = 0; b < blocks; ++b) {
    const int c = coefficient + 8 * b;
    if (c >= a.mfcc.columns) continue;
    float* to = rows + a.log_mel.columns + c;
    if (row + frame < row_end) to[(row + frame) * a.row_stride] = sum0[b];
    if (row + frame + 4 < row_end) to[(row + frame + 4) * a.row_stride] = sum1[b];
  }
}

// All coefficients of 8 frames.
SERVAL_DEVICE void cosine_rows(const FusedArgs& a, const float* dct, const float* tile, int tile_row,
                               int last_row, const PeakRule& rule, float* rows, int row, int row_end) {
  for (int c = 0; c < a.mfcc.columns; c += 40) {
    const int blocks = (a.mfcc.columns - c + 7) / 8;
    if (blocks >= 5) {
      cosine_block<5>(a, dct, tile, tile_row, last_row, rule, c, rows, row, row_end);
    } else if (blocks >= 3) {
      cosine_block<3>(a, dct, tile, tile_row, last_row, rule, c, rows, row, row_end);
      if (blocks == 4) cosine_block<1>(a, dct, tile, tile_row, last_row, rule, c + 24, rows, row, row_end);
    } else {
      cosine_block<2>(a, dct, tile, tile_row, last_row, rule, c, rows, row, row_end);
    }
  }
}

// Columns before deltas of the clip's frames first_frame ... into rows [row, row_end).
SERVAL_DEVICE void static_rows(const FusedArgs& a, const float* tables, const float* tile,
                               const FusedClip& clip, const float* peak, int first_frame, int row,
                               int row_end, float* rows) {
  const int lane = static_cast<int>(threadIdx.x) % serval::cuda::kWarpSize;
  const int warp = static_cast<int>(threadIdx.x) / serval::cuda::kWarpSize;
  const int warps = static_cast<int>(blockDim.x) / serval::cuda::kWarpSize;
  if (a.log_mel.columns > 0) {
    const PeakRule rule = peak_rule(a.log_mel, *peak);
    for (int r = row + warp; r < row_end; r += warps) {
      const float* from = tile + static_cast<std::int64_t>(first_frame + (r - row)) * a.mel_stride;
      for (int m = lane; m < a.log_mel.columns; m += serval::cuda::kWarpSize)
        rows[r * a.row_stride + m] = settled(from[m], rule);
    }
  }
  if (a.mfcc.columns == 0) return;
  const PeakRule rule = peak_rule(a.mfcc, *peak);
  for (int r = row + 8 * warp; r < row_end; r += 8 * warps) {
    const int tile_row = first_frame + (r - row);
    cosine_rows(a, tables + a.places.dct, tile, tile_row, clip.frames - 1, rule, rows, r, row_end);
  }
}

// A column of frames [frame, frame + 8) with all deltas, away from the clip's ends: `rows` starts 4 earlier.
template <int orders>
SERVAL_DEVICE void fast_run(const FusedArgs& a, const FusedPart& part, const float* rows, float* out) {
  float x[kFusedRun + 8];
  SERVAL_UNROLL
  for (int i = 0; i < kFusedRun + 8; ++i) x[i] = rows[i * a.row_stride];
  SERVAL_UNROLL
  for (int i = 0; i < kFusedRun; ++i) {
    out[0] = x[i + 4];
    SERVAL_UNROLL
    for (int order = 0; order < orders; ++order) {
      float value = 0;
      SERVAL_UNROLL
      for (int k = 0; k < kFusedTaps; ++k) value += part.taps9[order][k] * x[i + k];
      out[(order + 1) * part.delta_step] = value;
    }
    out += a.dimension;
  }
}

// The same anywhere and for every width. rows[0] is frame `base`.
SERVAL_DEVICE void slow_run(const FusedArgs& a, const FusedPart& part, const float* rows, int base,
                            int frames, int frame, int end, float* out) {
  const int half = part.deltas > 0 ? detail::delta_half(frames, part.delta_width) : 0;
  SERVAL_NO_UNROLL
  for (; frame < end; ++frame) {
    out[0] = rows[(frame - base) * a.row_stride];
    for (int order = 0; order < part.deltas; ++order) {
      float value = 0;
      if (half > 0) {
        const int centre = static_cast<int>(detail::delta_centre(frame, frames, half));
        const float* from = rows + (centre - half - base) * a.row_stride;
        const float* taps = part.taps[order] + detail::delta_taps_at(half);
        SERVAL_NO_UNROLL
        for (int k = 0; k < 2 * half + 1; ++k) value += taps[k] * from[k * a.row_stride];
      }
      out[(order + 1) * part.delta_step] = value;
    }
    out += a.dimension;
  }
}

// One part's columns of frames [first, end) of the clip to the output. rows[0] is frame `base`.
SERVAL_DEVICE void store_part(const FusedArgs& a, const FusedPart& part, const float* rows, int base,
                              const FusedClip& clip, int first, int end) {
  const int runs = (end - first + kFusedRun - 1) / kFusedRun;
  for (int unit = static_cast<int>(threadIdx.x); unit < runs * part.columns;
       unit += static_cast<int>(blockDim.x)) {
    const int run = unit / part.columns;
    const int column = unit - run * part.columns;
    const int frame = first + kFusedRun * run;
    const float* of_column = rows + column;
    float* out = a.out + (clip.first_row + frame) * a.dimension + part.out_at + column;
    const bool inner = part.delta_width == kFusedTaps && frame >= 4 && frame + kFusedRun + 4 <= clip.frames &&
                       frame + kFusedRun <= end;
    if (inner && part.deltas == 2) {
      fast_run<2>(a, part, of_column + (frame - 4 - base) * a.row_stride, out);
    } else if (inner && part.deltas == 1) {
      fast_run<1>(a, part, of_column + (frame - 4 - base) * a.row_stride, out);
    } else {
      const int last = frame + kFusedRun < end ? frame + kFusedRun : end;
      slow_run(a, part, of_column, base, clip.frames, frame, last, out);
    }
  }
}

// The item's frames to the output. Every thread of the block must call, after the tile is complete. What the
// loop needs is worked out from the item again each time: registers are scarcer than instructions here.
SERVAL_DEVICE void item_columns(const FusedArgs& a, const float* tables, float* rows, const FusedItem& item,
                                const float* tile, const float* peak) {
  const FusedClip& clip = a.clips[item.clip];
  const int mel_half = a.log_mel.deltas > 0 ? detail::delta_half(clip.frames, a.log_mel.delta_width) : 0;
  const int mfcc_half = a.mfcc.deltas > 0 ? detail::delta_half(clip.frames, a.mfcc.delta_width) : 0;
  const int half = mel_half > mfcc_half ? mel_half : mfcc_half;
  // Rows [base, base + kept) are in memory: those that the next frames' deltas look back to.
  const int first_centre =
      item.first_frame < clip.frames - 1 - half ? item.first_frame : clip.frames - 1 - half;
  int base = first_centre > half ? first_centre - half : 0;
  int kept = 0;
  for (;;) {
    const int last_centre =
        item.first_frame + item.frames - 1 > half ? item.first_frame + item.frames - 1 : half;
    const int row_end = last_centre + half + 1 < clip.frames ? last_centre + half + 1 : clip.frames;
    const int filled = row_end - base < a.row_count ? row_end - base : a.row_count;
    static_rows(a, tables, tile, clip, peak, base + kept, kept, filled, rows);
    __syncthreads();
    const int end = item.first_frame + item.frames;
    const int ready = base + filled;
    const bool last = ready == row_end;
    // Where the frames before ended: half a neighbourhood in front of their last row. At first nothing is kept.
    const int reached = kept == 2 * half ? base + half : item.first_frame;
    const int done = reached > item.first_frame ? reached : item.first_frame;
    const int next = last ? end : ready - half > done ? ready - half : done;
    store_part(a, a.log_mel, rows, base, clip, done, next);
    store_part(a, a.mfcc, rows + a.log_mel.columns, base, clip, done, next);
    __syncthreads();
    if (last) break;
    const float* from = rows + (filled - 2 * half) * a.row_stride;
    // A thread moves a column from the top down, so that the two places may overlap.
    for (int column = static_cast<int>(threadIdx.x); column < a.log_mel.columns + a.mfcc.columns;
         column += static_cast<int>(blockDim.x)) {
      SERVAL_NO_UNROLL
      for (int row = 0; row < 2 * half; ++row)
        rows[row * a.row_stride + column] = from[row * a.row_stride + column];
    }
    kept = 2 * half;
    base = ready - kept;
    __syncthreads();
  }
}

}  // namespace serval::features::cuda
