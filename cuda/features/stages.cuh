// The launches of the feature kernels for a plan, each with its block and shared memory. Tables and batch lie on
// the device, or on the host where a test runs the kernels there.
#pragma once

#include "serval/features/detail/plan.h"

#include "cuda/features/kernels.cuh"
#include "cuda/features/part_kernels.cuh"

namespace serval::features::cuda {

// Threads for `items` of one frame: whole warps, at most 256.
inline unsigned frame_threads(int items) {
  const int warps = (items + serval::cuda::kWarpSize - 1) / serval::cuda::kWarpSize;
  return static_cast<unsigned>((warps < 8 ? warps : 8) * serval::cuda::kWarpSize);
}

inline FrameShape shape_of(const detail::FramePlan& plan) {
  return {plan.hop, plan.lead, plan.window_length, plan.window_offset, plan.n_fft, plan.padding};
}

// [frames, n_fft] from `first_frame` of the batch on.
inline void launch_frames(const detail::FramePlan& plan, const float* window, const Batch& batch,
                          std::int64_t first_frame, std::int64_t frames, float* out,
                          serval::cuda::Stream stream) {
  FrameArgs a;
  a.batch = batch;
  a.shape = shape_of(plan);
  a.window = window;
  a.sample_scale = plan.sample_scale;
  a.remove_dc = plan.remove_dc;
  a.preemphasis = plan.preemphasis;
  a.first_frame = first_frame;
  a.out = out;
  serval::cuda::launch(frame_kernel, dim3(static_cast<unsigned>(frames)), dim3(frame_threads(plan.n_fft)), 0,
                       stream, a);
}

inline void launch_power(const float2* spectrum, std::int64_t values, float* power,
                         serval::cuda::Stream stream) {
  constexpr int kThreads = 256;
  serval::cuda::launch(power_kernel, dim3(serval::cuda::blocks_for(values, kThreads)), dim3(kThreads), 0,
                       stream, spectrum, values, power);
}

// Where a bank's tables and results are.
struct BankBuffers {
  const std::int32_t* first_bin = nullptr;
  const std::int32_t* offset = nullptr;
  const float* weights = nullptr;
  float* mel = nullptr;           // [frame, n_mels]
  std::int32_t* peaks = nullptr;  // [clip]
};

// [frames, bins] spectra of a chunk to their rows of `mel`.
inline void launch_bank(const detail::BankPlan& plan, const BankBuffers& buffers, const Batch& batch,
                        const float2* spectrum, int bins, std::int64_t first_frame, std::int64_t frames,
                        serval::cuda::Stream stream) {
  MelArgs a;
  a.batch = batch;
  a.spectrum = spectrum;
  a.bins = bins;
  a.power = plan.power;
  a.first_bin = buffers.first_bin;
  a.offset = buffers.offset;
  a.weights = buffers.weights;
  a.n_mels = plan.n_mels;
  a.log = plan.log;
  a.first_frame = first_frame;
  a.mel = buffers.mel;
  a.peaks = buffers.peaks;
  serval::cuda::launch(mel_kernel, dim3(static_cast<unsigned>(frames)), dim3(frame_threads(bins)),
                       static_cast<std::size_t>(bins) * sizeof(float), stream, a);
}

inline void launch_settle(const detail::BankPlan& plan, const BankBuffers& buffers, const Batch& batch,
                          std::int64_t frames, serval::cuda::Stream stream) {
  if (!plan.log.needs_peak()) return;
  constexpr int kThreads = 256;
  serval::cuda::launch(settle_kernel, dim3(serval::cuda::blocks_for(frames * plan.n_mels, kThreads)),
                       dim3(kThreads), 0, stream, batch, plan.log, frames, plan.n_mels, buffers.peaks,
                       buffers.mel);
}

// The columns of a BankPart from its settled bank.
inline void launch_columns(const detail::PartPlan& part, const float* tables, const float* mel, int n_mels,
                           std::int64_t frames, float* columns, std::int64_t stride,
                           serval::cuda::Stream stream) {
  ColumnArgs a;
  a.mel = mel;
  a.n_mels = n_mels;
  a.cosines = part.bank_part()->cosine ? tables : nullptr;
  a.n_static = part.n_static;
  a.out = columns;
  a.stride = stride;
  // The compiler reads four bands at once, behind the last one too.
  const std::size_t bands = (static_cast<std::size_t>(n_mels) + 3) / 4 * 4;
  serval::cuda::launch(column_kernel, dim3(static_cast<unsigned>(frames)), dim3(frame_threads(n_mels)),
                       bands * sizeof(float), stream, a);
}

// Does nothing for a part without frame().
inline void launch_part_frames(const detail::PartPlan& part, const PartFrameArgs& a,
                               serval::cuda::Stream stream) {
  std::visit(
      [&](const auto& body) {
        using Part = std::decay_t<decltype(body)>;
        if constexpr (Part::kFrame) {
          const int frames = frames_a_block(a.buffers.work);
          serval::cuda::launch(part_frame_kernel<Part>, dim3(serval::cuda::blocks_for(a.frames, frames)),
                               dim3(static_cast<unsigned>(frames * serval::cuda::kWarpSize)),
                               static_cast<std::size_t>(frames * a.buffers.work) * sizeof(float), stream,
                               body, a);
        }
      },
      part.body);
}

// Does nothing for a part without clip().
inline void launch_part_clips(const detail::PartPlan& part, const PartClipArgs& a, std::int64_t clips,
                              serval::cuda::Stream stream) {
  std::visit(
      [&](const auto& body) {
        using Part = std::decay_t<decltype(body)>;
        if constexpr (Part::kClip) {
          serval::cuda::launch(part_clip_kernel<Part>, dim3(static_cast<unsigned>(clips)), dim3(kClipThreads),
                               static_cast<std::size_t>(a.buffers.work) * sizeof(float), stream, body, a);
        }
      },
      part.body);
}

// `taps` are those of order 1 and 2 where the device reads them.
inline void launch_deltas(const detail::DeltaPlan& plan, const float* const (&taps)[2], const Batch& batch,
                          std::int64_t frames, float* sheet, std::int64_t stride,
                          serval::cuda::Stream stream) {
  for (int order = 1; order <= plan.orders; ++order) {
    DeltaArgs a;
    a.batch = batch;
    a.frames = frames;
    a.method = plan.method;
    a.taps = taps[plan.method == DeltaMethod::kSavgol ? order - 1 : 0];
    a.width = plan.width;
    a.n_static = plan.n_static;
    a.from_column = plan.first_column + plan.source_order(order) * plan.n_static;
    a.to_column = plan.first_column + order * plan.n_static;
    a.sheet = sheet;
    a.stride = stride;
    constexpr int kThreads = 256;
    serval::cuda::launch(delta_kernel, dim3(serval::cuda::blocks_for(frames * plan.n_static, kThreads)),
                         dim3(kThreads), 0, stream, a);
  }
}

// All statistics of a sheet into their columns of `out`, [clip, out_stride].
inline void launch_statistics(const detail::SheetPlan& plan, const Batch& batch, std::int64_t clips,
                              const float* sheet, float* out, std::int64_t out_stride,
                              serval::cuda::Stream stream) {
  StatisticArgs a;
  a.batch = batch;
  a.sheet = sheet;
  a.dimension = plan.dimension;
  a.out = out;
  a.out_column = plan.out_column;
  a.out_stride = out_stride;
  for (const Statistic& statistic : plan.statistics) {
    a.statistic = statistic;
    const int columns = statistic.kind == StatisticKind::kAllMean ? 1 : plan.dimension;
    serval::cuda::launch(statistic_kernel, dim3(static_cast<unsigned>(clips), static_cast<unsigned>(columns)),
                         dim3(128), 0, stream, a);
    a.out_column += columns;
  }
}

}  // namespace serval::features::cuda
