// Features of a ragged batch around a batched real-to-complex transform: frames before it, mel banks and bank
// columns behind it, then deltas and statistics.
#pragma once

#include "serval/features/detail/log_columns.h"
#include "serval/features/detail/statistics_math.h"

#include "cuda/core/kernel.cuh"
#include "cuda/core/teams.cuh"
#include "cuda/features/batch.cuh"

namespace serval::features::cuda {

struct FrameArgs {
  Batch batch;
  FrameShape shape;
  const float* window = nullptr;  // [window_length]
  float sample_scale = 1;
  bool remove_dc = false;
  float preemphasis = 0;
  std::int64_t first_frame = 0;  // of the chunk
  float* out = nullptr;          // [frame of the chunk, n_fft]
};

// One block a frame of the chunk: the samples under the window, shaped, times the window, zeros around it.
SERVAL_KERNEL frame_kernel(FrameArgs a) {
  SERVAL_SHARED(float, scratch, serval::cuda::kWarpSize);
  const detail::FrameView in = frame_view(a.batch, a.shape, a.first_frame + blockIdx.x);
  float* out = a.out + static_cast<std::int64_t>(blockIdx.x) * a.shape.n_fft;
  float mean = 0;
  if (a.remove_dc) {
    float sum = 0;
    for (int n = static_cast<int>(threadIdx.x); n < in.length; n += static_cast<int>(blockDim.x)) {
      sum += in.sample(n) * a.sample_scale;
    }
    mean = serval::cuda::block_sum(sum, scratch) / static_cast<float>(in.length);
  }
  for (int i = static_cast<int>(threadIdx.x); i < a.shape.n_fft; i += static_cast<int>(blockDim.x)) {
    const int n = i - a.shape.window_offset;
    float value = 0;
    if (n >= 0 && n < in.length) {
      value = in.sample(n) * a.sample_scale - mean;
      if (a.preemphasis != 0) value -= (in.sample(n > 0 ? n - 1 : 0) * a.sample_scale - mean) * a.preemphasis;
      value *= a.window[n];
    }
    out[i] = value;
  }
}

// Power spectra of a chunk as rows, for the parts that read them. One thread a value.
SERVAL_KERNEL power_kernel(const float2* spectrum, std::int64_t values, float* power) {
  const std::int64_t i = serval::cuda::global_index();
  if (i >= values) return;
  const float2 x = spectrum[i];
  power[i] = x.x * x.x + x.y * x.y;
}

struct MelArgs {
  Batch batch;
  const float2* spectrum = nullptr;  // [frame of the chunk, bins]
  int bins = 0;
  int power = 2;
  const std::int32_t* first_bin = nullptr;
  const std::int32_t* offset = nullptr;
  const float* weights = nullptr;
  int n_mels = 0;
  detail::LogRule log;
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
    const float power = row[k].x * row[k].x + row[k].y * row[k].y;
    spectrum[k] = a.power == 2 ? power : sqrtf(power);
  }
  __syncthreads();
  float peak = -INFINITY;
  for (int m = static_cast<int>(threadIdx.x); m < a.n_mels; m += static_cast<int>(blockDim.x)) {
    const int begin = a.offset[m];
    const int end = a.offset[m + 1];
    const float* bin = spectrum + a.first_bin[m];
    float sum = 0;
    for (int i = begin; i < end; ++i) sum += a.weights[i] * bin[i - begin];
    const float value = detail::log_of(sum, a.log);
    a.mel[frame * a.n_mels + m] = value;
    peak = value > peak ? value : peak;
  }
  peak = serval::cuda::block_max(peak, scratch);
  if (threadIdx.x == 0) atomicMax(a.peaks + a.batch.frame_clip[frame], detail::ordered_bits(peak));
}

// A bank's values against the peak of their clip. One thread a value.
SERVAL_KERNEL settle_kernel(Batch batch, detail::LogRule log, std::int64_t frames, int n_mels,
                            const std::int32_t* peaks, float* mel) {
  const std::int64_t i = serval::cuda::global_index();
  if (i >= frames * n_mels) return;
  const float peak = detail::from_ordered_bits(peaks[batch.frame_clip[i / n_mels]]);
  mel[i] = detail::against_peak(mel[i], peak, log);
}

struct ColumnArgs {
  const float* mel = nullptr;  // [frame, n_mels]
  int n_mels = 0;
  const float* cosines = nullptr;  // [n_static, n_mels]; null for the bands themselves
  int n_static = 0;
  float* out = nullptr;  // [frame, n_static], rows `stride` apart
  std::int64_t stride = 0;
};

// One block a frame: the columns of a BankPart. Shared: n_mels floats.
SERVAL_KERNEL column_kernel(ColumnArgs a) {
  SERVAL_DYNAMIC_SHARED(float, mel);
  const std::int64_t frame = blockIdx.x;
  for (int m = static_cast<int>(threadIdx.x); m < a.n_mels; m += static_cast<int>(blockDim.x)) {
    mel[m] = a.mel[frame * a.n_mels + m];
  }
  __syncthreads();
  for (int c = static_cast<int>(threadIdx.x); c < a.n_static; c += static_cast<int>(blockDim.x)) {
    float value = 0;
    if (a.cosines == nullptr) {
      value = mel[c];
    } else {
      for (int m = 0; m < a.n_mels; ++m) value += a.cosines[c * a.n_mels + m] * mel[m];
    }
    a.out[frame * a.stride + c] = value;
  }
}

struct DeltaArgs {
  Batch batch;
  std::int64_t frames = 0;  // of all clips
  DeltaMethod method = DeltaMethod::kSavgol;
  const float* taps = nullptr;
  int width = 0;
  int n_static = 0;
  std::int64_t from_column = 0;
  std::int64_t to_column = 0;
  float* sheet = nullptr;  // [frame, stride]
  std::int64_t stride = 0;
};

// One thread a frame and column.
SERVAL_KERNEL delta_kernel(DeltaArgs a) {
  const std::int64_t i = serval::cuda::global_index();
  if (i >= a.frames * a.n_static) return;
  const std::int64_t frame = i / a.n_static;
  const std::int64_t column = i % a.n_static;
  const std::int32_t clip = a.batch.frame_clip[frame];
  const std::int64_t first = a.batch.first_frame[clip];
  const std::int64_t frames = a.batch.first_frame[clip + 1] - first;
  const bool regression = a.method == DeltaMethod::kRegression;
  const int half = regression ? a.width / 2 : detail::delta_half(frames, a.width);
  float value = 0;
  if (half > 0) {
    const float* from = a.sheet + first * a.stride + a.from_column + column;
    const float* taps = a.taps + (regression ? 0 : detail::delta_taps_at(half));
    for (int k = 0; k < 2 * half + 1; ++k) {
      value += taps[k] * from[detail::delta_source(frame - first, k, frames, half, a.method) * a.stride];
    }
  }
  a.sheet[frame * a.stride + a.to_column + column] = value;
}

struct StatisticArgs {
  Batch batch;
  Statistic statistic;
  const float* sheet = nullptr;  // [frame, dimension]
  int dimension = 0;
  float* out = nullptr;         // [clip, out_stride]
  std::int64_t out_column = 0;  // of the first column's statistic
  std::int64_t out_stride = 0;
};

// One block a clip (x) and column (y); for all_mean one column.
SERVAL_KERNEL statistic_kernel(StatisticArgs a) {
  SERVAL_SHARED(double, scratch, serval::cuda::kWarpSize);
  const serval::cuda::BlockTeam team{scratch};
  const std::int64_t clip = blockIdx.x;
  const std::int64_t first = a.batch.first_frame[clip];
  const std::int64_t frames = a.batch.first_frame[clip + 1] - first;
  const bool all = a.statistic.kind == StatisticKind::kAllMean;
  detail::Column column{a.sheet + first * a.dimension + blockIdx.y, frames, a.dimension};
  Statistic statistic = a.statistic;
  if (all) {
    column = {a.sheet + first * a.dimension, frames * a.dimension, 1};
    statistic.kind = StatisticKind::kMean;
  }
  const float value = detail::column_statistic(team, column, statistic);
  if (threadIdx.x == 0) a.out[clip * a.out_stride + a.out_column + blockIdx.y] = value;
}

}  // namespace serval::features::cuda
