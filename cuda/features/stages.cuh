// The launches of cuda/features/kernels.cuh for a plan, each with its block and shared memory. The tables and
// the batch lie on the device, or on the host where a test runs the kernels there.
#pragma once

#include "serval/features/detail/plan.h"

#include "cuda/features/kernels.cuh"

namespace serval::features::cuda {

// The plan's tables where the kernels can read them.
struct DeviceTables {
  const float* window = nullptr;
  const std::int32_t* mel_first_bin = nullptr;
  const std::int32_t* mel_offset = nullptr;
  const float* mel_weights = nullptr;
  const float* dct = nullptr;
  const float* delta_taps[2] = {nullptr, nullptr};
};

// Threads for `items` of one frame: whole warps, at most 256.
inline unsigned frame_threads(int items) {
  const int warps = (items + serval::cuda::kWarpSize - 1) / serval::cuda::kWarpSize;
  return static_cast<unsigned>((warps < 8 ? warps : 8) * serval::cuda::kWarpSize);
}

// [frames, n_fft] from `first_frame` of the batch on.
inline void launch_frames(const detail::ExtractionPlan& plan, const DeviceTables& tables, const Batch& batch,
                          const float* samples, std::int64_t first_frame, std::int64_t frames, float* out,
                          serval::cuda::Stream stream) {
  FrameArgs a;
  a.batch = batch;
  a.samples = samples;
  a.window = tables.window;
  a.window_length = plan.window_length;
  a.window_offset = plan.window_offset;
  a.centre = plan.centre;
  a.hop = plan.hop;
  a.n_fft = plan.n_fft;
  a.padding = plan.padding;
  a.first_frame = first_frame;
  a.out = out;
  serval::cuda::launch(frame_kernel, dim3(static_cast<unsigned>(frames)), dim3(frame_threads(plan.n_fft)), 0,
                       stream, a);
}

// [frames, n_fft / 2 + 1] spectra of a chunk to their rows of `mel`, [all frames, n_mels].
inline void launch_mel(const detail::ExtractionPlan& plan, const DeviceTables& tables, const Batch& batch,
                       const float2* spectrum, std::int64_t first_frame, std::int64_t frames, float* mel,
                       std::int32_t* peaks, serval::cuda::Stream stream) {
  MelArgs a;
  a.batch = batch;
  a.spectrum = spectrum;
  a.bins = plan.n_fft / 2 + 1;
  a.power = plan.power;
  a.mel_first_bin = tables.mel_first_bin;
  a.mel_offset = tables.mel_offset;
  a.mel_weights = tables.mel_weights;
  a.n_mels = plan.n_mels;
  a.floor = plan.log_floor;
  a.scale = plan.log_scale;
  a.first_frame = first_frame;
  a.mel = mel;
  a.peaks = peaks;
  serval::cuda::launch(mel_kernel, dim3(static_cast<unsigned>(frames)), dim3(frame_threads(a.bins)),
                       static_cast<std::size_t>(a.bins) * sizeof(float), stream, a);
}

// All frames: the columns before deltas, then the deltas, into `out`, [frames, dimension].
inline void launch_columns(const detail::ExtractionPlan& plan, const DeviceTables& tables, const Batch& batch,
                           std::int64_t frames, const float* mel, const std::int32_t* peaks, float* out,
                           serval::cuda::Stream stream) {
  ColumnArgs a;
  a.batch = batch;
  a.mel = mel;
  a.peaks = peaks;
  a.has_top_db = plan.has_top_db;
  a.top_db = plan.top_db;
  a.n_mels = plan.n_mels;
  a.dct = plan.type == FeatureType::kMfcc ? tables.dct : nullptr;
  a.n_static = plan.n_static;
  a.dimension = plan.dimension;
  a.out = out;
  serval::cuda::launch(column_kernel, dim3(static_cast<unsigned>(frames)), dim3(frame_threads(plan.n_mels)),
                       static_cast<std::size_t>(plan.n_mels) * sizeof(float), stream, a);
  for (int order = 1; order <= plan.deltas; ++order) {
    DeltaArgs d;
    d.batch = batch;
    d.frames = frames;
    d.taps = tables.delta_taps[order - 1];
    d.width = plan.delta_width;
    d.order = order;
    d.n_static = plan.n_static;
    d.dimension = plan.dimension;
    d.out = out;
    constexpr int kThreads = 256;
    serval::cuda::launch(delta_kernel, dim3(serval::cuda::blocks_for(frames * plan.n_static, kThreads)),
                         dim3(kThreads), 0, stream, d);
  }
}

}  // namespace serval::features::cuda
