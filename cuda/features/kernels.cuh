// Features of a ragged batch: frame by frame on both sides of a batched real-to-complex transform, then per
// clip. All clips lie behind each other, and so do their frames; a frame finds its clip through frame_clip.
// Nothing is padded, so nothing of one clip can reach another.
#pragma once

#include "serval/features/detail/frame_math.h"

#include "cuda/core/kernel.cuh"

namespace serval::features::cuda {

struct ClipSpan {
  std::int64_t first_sample = 0;
  std::int64_t samples = 0;
  std::int64_t first_frame = 0;
  std::int64_t frames = 0;
};

struct Batch {
  const ClipSpan* clips = nullptr;           // [clip]
  const std::int32_t* frame_clip = nullptr;  // [frame]
};

struct FrameArgs {
  Batch batch;
  const float* samples = nullptr;  // of all clips
  const float* window = nullptr;   // [window_length]
  int window_length = 0;
  int window_offset = 0;
  int centre = 0;
  int hop = 0;
  int n_fft = 0;
  Padding padding = Padding::kZero;
  std::int64_t first_frame = 0;  // of the chunk
  float* out = nullptr;          // [frame of the chunk, n_fft]
};

// One block a frame of the chunk: the samples under the window, times the window, zeros around it.
SERVAL_KERNEL frame_kernel(FrameArgs a) {
  const std::int64_t frame = a.first_frame + blockIdx.x;
  const ClipSpan clip = a.batch.clips[a.batch.frame_clip[frame]];
  const float* samples = a.samples + clip.first_sample;
  float* out = a.out + static_cast<std::int64_t>(blockIdx.x) * a.n_fft;
  const std::int64_t start = (frame - clip.first_frame) * a.hop - a.centre;
  for (int i = static_cast<int>(threadIdx.x); i < a.n_fft; i += static_cast<int>(blockDim.x)) {
    const int n = i - a.window_offset;
    float value = 0;
    if (n >= 0 && n < a.window_length) {
      const std::int64_t at = detail::source_sample(start + i, clip.samples, a.padding);
      if (at >= 0) value = samples[at] * a.window[n];
    }
    out[i] = value;
  }
}

struct MelArgs {
  Batch batch;
  const float2* spectrum = nullptr;  // [frame of the chunk, bins]
  int bins = 0;
  int power = 2;
  const std::int32_t* mel_first_bin = nullptr;
  const std::int32_t* mel_offset = nullptr;
  const float* mel_weights = nullptr;
  int n_mels = 0;
  float floor = 0;
  float scale = 0;
  std::int64_t first_frame = 0;   // of the chunk
  float* mel = nullptr;           // [frame, n_mels]
  std::int32_t* peaks = nullptr;  // [clip], as ordered_bits
};

// One block a frame of the chunk. Shared: bins floats.
SERVAL_KERNEL mel_kernel(MelArgs a) {
  SERVAL_DYNAMIC_SHARED(float, spectrum);
  SERVAL_SHARED(float, scratch, serval::cuda::kWarpSize);
  const std::int64_t frame = a.first_frame + blockIdx.x;
  const float2* row = a.spectrum + static_cast<std::int64_t>(blockIdx.x) * a.bins;
  for (int k = static_cast<int>(threadIdx.x); k < a.bins; k += static_cast<int>(blockDim.x)) {
    spectrum[k] = detail::spectrum_value(row[k].x, row[k].y, a.power);
  }
  __syncthreads();
  float peak = -INFINITY;
  for (int m = static_cast<int>(threadIdx.x); m < a.n_mels; m += static_cast<int>(blockDim.x)) {
    const int begin = a.mel_offset[m];
    const int end = a.mel_offset[m + 1];
    const float* bin = spectrum + a.mel_first_bin[m];
    float sum = 0;
    for (int i = begin; i < end; ++i) sum += a.mel_weights[i] * bin[i - begin];
    const float value = detail::log_value(sum, a.floor, a.scale);
    a.mel[frame * a.n_mels + m] = value;
    peak = value > peak ? value : peak;
  }
  peak = serval::cuda::block_max(peak, scratch);
  if (threadIdx.x == 0) atomicMax(a.peaks + a.batch.frame_clip[frame], detail::ordered_bits(peak));
}

struct ColumnArgs {
  Batch batch;
  const float* mel = nullptr;  // [frame, n_mels]
  const std::int32_t* peaks = nullptr;
  bool has_top_db = false;
  float top_db = 0;
  int n_mels = 0;
  const float* dct = nullptr;  // [n_static, n_mels]; null for log-mel
  int n_static = 0;
  int dimension = 0;
  float* out = nullptr;  // [frame, dimension]
};

// One block a frame: the columns before deltas. Shared: n_mels floats.
SERVAL_KERNEL column_kernel(ColumnArgs a) {
  SERVAL_DYNAMIC_SHARED(float, mel);
  const std::int64_t frame = blockIdx.x;
  const float peak = detail::from_ordered_bits(a.peaks[a.batch.frame_clip[frame]]);
  const float lowest = a.has_top_db ? peak - a.top_db : -INFINITY;
  for (int m = static_cast<int>(threadIdx.x); m < a.n_mels; m += static_cast<int>(blockDim.x)) {
    const float value = a.mel[frame * a.n_mels + m];
    mel[m] = value > lowest ? value : lowest;
  }
  __syncthreads();
  for (int c = static_cast<int>(threadIdx.x); c < a.n_static; c += static_cast<int>(blockDim.x)) {
    float value = 0;
    if (a.dct == nullptr) {
      value = mel[c];
    } else {
      for (int m = 0; m < a.n_mels; ++m) value += a.dct[c * a.n_mels + m] * mel[m];
    }
    a.out[frame * a.dimension + c] = value;
  }
}

struct DeltaArgs {
  Batch batch;
  std::int64_t frames = 0;      // of all clips
  const float* taps = nullptr;  // of this order, every half width
  int width = 0;
  int order = 0;
  int n_static = 0;
  int dimension = 0;
  float* out = nullptr;  // [frame, dimension]; reads the first n_static columns
};

// One thread a frame and column.
SERVAL_KERNEL delta_kernel(DeltaArgs a) {
  const std::int64_t index = serval::cuda::global_index();
  if (index >= a.frames * a.n_static) return;
  const std::int64_t frame = index / a.n_static;
  const std::int64_t column = index % a.n_static;
  const ClipSpan clip = a.batch.clips[a.batch.frame_clip[frame]];
  const int half = detail::delta_half(clip.frames, a.width);
  float value = 0;
  if (half > 0) {
    const std::int64_t centre = detail::delta_centre(frame - clip.first_frame, clip.frames, half);
    const float* from = a.out + (clip.first_frame + centre - half) * a.dimension + column;
    const float* taps = a.taps + detail::delta_taps_at(half);
    for (int k = 0; k < 2 * half + 1; ++k)
      value += taps[k] * from[static_cast<std::int64_t>(k) * a.dimension];
  }
  a.out[frame * a.dimension + static_cast<std::int64_t>(a.order) * a.n_static + column] = value;
}

}  // namespace serval::features::cuda
