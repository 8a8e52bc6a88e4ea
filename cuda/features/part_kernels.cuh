// Runs the parts' own functions: a warp for each frame, a block for each clip.
#pragma once

#include "serval/features/detail/plan.h"

#include "cuda/core/kernel.cuh"
#include "cuda/core/teams.cuh"
#include "cuda/features/batch.cuh"

namespace serval::features::cuda {

// Frames that a block takes, each with so many floats of shared memory: as many as 64 KiB hold, which every device has.
inline int frames_a_block(int work) {
  constexpr int kMostFrames = 4, kFloats = 64 * 1024 / static_cast<int>(sizeof(float));
  int frames = kMostFrames;
  while (frames > 1 && frames * work > kFloats) frames /= 2;
  return frames;
}
constexpr int kClipThreads = 256;

// The memory of one part over the whole batch.
struct PartBuffers {
  const float* tables = nullptr;
  float* scratch = nullptr;       // [frame, frame_scratch]
  float* clip_scratch = nullptr;  // [clip, clip_scratch]
  const float* other = nullptr;   // [clip, other_scratch]
  int work = 0;
  int frame_scratch = 0;
  int clip_scratch_size = 0;
  int other_scratch = 0;
  float* columns = nullptr;  // of the first frame of all
  std::int64_t stride = 0;
};

SERVAL_HD inline detail::PartMemory part_memory(const PartBuffers& buffers, std::int64_t frame,
                                                std::int64_t clip, float* work) {
  detail::PartMemory memory;
  memory.tables = buffers.tables;
  memory.work = work;
  memory.scratch = buffers.scratch + frame * buffers.frame_scratch;
  memory.clip_scratch = buffers.clip_scratch + clip * buffers.clip_scratch_size;
  memory.other = buffers.other + clip * buffers.other_scratch;
  memory.columns = buffers.columns + frame * buffers.stride;
  memory.stride = buffers.stride;
  return memory;
}

struct PartFrameArgs {
  Batch batch;
  FrameShape shape;
  PartBuffers buffers;
  const float* power = nullptr;  // [frame of the chunk, bins]; null where the part needs none
  int bins = 0;
  std::int64_t first_frame = 0;  // of the chunk
  std::int64_t frames = 0;
};

// A warp for each frame of a block. Shared: `work` floats a warp.
template <class Part>
SERVAL_KERNEL part_frame_kernel(Part part, PartFrameArgs a) {
  SERVAL_DYNAMIC_SHARED(float, work);
  const int warp = static_cast<int>(threadIdx.x) / serval::cuda::kWarpSize;
  const std::int64_t i =
      static_cast<std::int64_t>(blockIdx.x) * (blockDim.x / serval::cuda::kWarpSize) + warp;
  if (i >= a.frames) return;  // a whole warp, and warps do not wait for each other here
  const std::int64_t frame = a.first_frame + i;
  detail::FrameView view = frame_view(a.batch, a.shape, frame);
  view.bins = a.bins;
  view.power = a.power == nullptr ? nullptr : a.power + i * a.bins;
  part.frame(serval::cuda::WarpTeam{}, view,
             part_memory(a.buffers, frame, a.batch.frame_clip[frame], work + warp * a.buffers.work));
}

struct PartClipArgs {
  Batch batch;
  PartBuffers buffers;
  const float* bank = nullptr;  // [frame, n_mels]
  int n_mels = 0;
};

// Shared: `work` floats.
template <class Part>
SERVAL_KERNEL part_clip_kernel(Part part, PartClipArgs a) {
  SERVAL_DYNAMIC_SHARED(float, work);
  SERVAL_SHARED(double, scratch, serval::cuda::kWarpSize);
  const std::int64_t clip = blockIdx.x;
  const std::int64_t first = a.batch.first_frame[clip];
  detail::ClipView view;
  view.frames = a.batch.first_frame[clip + 1] - first;
  view.bank = a.bank == nullptr ? nullptr : a.bank + first * a.n_mels;
  view.n_mels = a.n_mels;
  part.clip(serval::cuda::BlockTeam{scratch}, view, part_memory(a.buffers, first, clip, work));
}

}  // namespace serval::features::cuda
