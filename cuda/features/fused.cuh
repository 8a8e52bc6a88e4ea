// Log-mel and MFCC features of a ragged batch in one launch: from 16-bit or float samples on the device to
// the finished matrix, without a frame, a spectrum or a band ever leaving the processor that computes it.
//
// Blocks stay for the whole launch and take items, longest first, from a counter. A block turns a clip's
// samples into its log-mel tile, [frame, mel], with a few lanes a frame (fused_frames.cuh), finds its peak, and
// turns the tile into columns (fused_columns.cuh). The tile lies in shared memory where it fits and otherwise
// in the block's own global memory, which is small enough to stay in the second-level cache. Clips of minutes
// are cut into segments for several blocks; the segments of columns wait for those of the tile, which stand
// earlier in the queue and wait for nobody, so that somebody always works.
//
// A clip's numbers depend on that clip alone: not on the batch, the number of blocks, or who takes what.
#pragma once

#include "cuda/core/kernel.cuh"
#include "cuda/features/fused_args.cuh"
#include "cuda/features/fused_columns.cuh"
#include "cuda/features/fused_frames.cuh"

namespace serval::features::cuda {

// Shared: the tables, then memory for exchanges and columns, then a tile.
template <int half_size, class Sample>
SERVAL_KERNEL __launch_bounds__(fused_threads(half_size), 1) fused_kernel(FusedArgs a) {
  using Fft = FusedFft<half_size>;
  SERVAL_DYNAMIC_SHARED(float, shared);
  SERVAL_SHARED(float, scratch, serval::cuda::kWarpSize);
  SERVAL_SHARED(std::int32_t, taken, 1);
  SERVAL_SHARED(float, clip_peak, 1);
  const int thread = static_cast<int>(threadIdx.x);
  for (int i = thread; i < a.places.floats / 4; i += static_cast<int>(blockDim.x))
    reinterpret_cast<float4*>(shared)[i] = reinterpret_cast<const float4*>(a.tables)[i];
  float* work = shared + a.places.floats;
  float* shared_tile = work + a.work_floats;
  float* block_tile =
      a.tiles + a.block_tiles_at + static_cast<std::int64_t>(blockIdx.x) * a.block_tile_floats;

  for (;;) {
    if (thread == 0) taken[0] = atomicAdd(a.counters, 1);
    __syncthreads();
    const int index = taken[0];
    __syncthreads();
    if (index >= a.item_count) break;
    const FusedItem& taken_item = a.items[index];
    const FusedClip& clip = a.clips[taken_item.clip];
    float* tile = taken_item.tile_at >= 0          ? a.tiles + taken_item.tile_at
                  : clip.frames <= a.shared_frames ? shared_tile
                                                   : block_tile;
    float peak = -INFINITY;
    if (taken_item.work != FusedWork::kColumnSegment) {
      peak = tile_rows<Fft, Sample>(a, shared, reinterpret_cast<float2*>(work), clip, taken_item.first_frame,
                                    taken_item.frames, tile);
      peak = serval::cuda::block_max(peak, scratch);
    }
    // Looked up again rather than kept in registers through the first half.
    const FusedItem& item = a.items[taken[0]];
    if (item.work == FusedWork::kTileSegment) {
      if (thread == 0) a.segment_peaks[item.segment] = peak;
      // Every thread's part of the tile is visible everywhere before the counter says so.
      __threadfence();
      __syncthreads();
      if (thread == 0) atomicAdd(a.counters + item.done_at, 1);
      continue;
    }
    if (item.work == FusedWork::kColumnSegment) {
      if (thread == 0) {
        while (atomicAdd(a.counters + item.done_at, 0) < item.segments) {
        }
        __threadfence();
      }
      __syncthreads();
      SERVAL_NO_UNROLL
      for (int s = 0; s < item.segments; ++s) peak = fmaxf(peak, a.segment_peaks[item.first_segment + s]);
    }
    if (thread == 0) clip_peak[0] = peak;
    __syncthreads();
    item_columns(a, shared, work, item, tile, clip_peak);
  }

  // The last block out leaves the counters as it found them.
  if (thread == 0 && atomicAdd(a.counters + 1, 1) == static_cast<std::int32_t>(gridDim.x) - 1) {
    SERVAL_NO_UNROLL
    for (int i = 0; i < a.counter_count; ++i) a.counters[i] = 0;
  }
}

}  // namespace serval::features::cuda
