// The work of a ragged batch for the fused feature kernel, and its launch.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "cuda/features/fused.cuh"
#include "cuda/features/fused_layout.cuh"

namespace serval::features::cuda {

// Clips beyond this many frames are cut into segments of so many for several blocks.
constexpr int kFusedLongFrames = 2048;
constexpr int kFusedSegmentFrames = 512;

// The items of a batch in the order in which blocks take them, and the memory that they need.
struct FusedQueue {
  std::vector<FusedItem> items;
  std::int64_t long_tile_floats = 0;   // of the clips that are cut
  std::int64_t block_tile_floats = 0;  // of every block, for clips that shared memory does not hold
  int segments = 0;
  int counters = 2;
};

inline FusedQueue make_fused_queue(std::span<const FusedClip> clips, int mel_stride, int shared_frames,
                                   int long_frames = kFusedLongFrames,
                                   int segment_frames = kFusedSegmentFrames) {
  FusedQueue queue;
  std::vector<std::int32_t> order(clips.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = static_cast<std::int32_t>(i);
  const auto frames_of = [&](std::int32_t i) { return clips[static_cast<std::size_t>(i)].frames; };
  std::stable_sort(order.begin(), order.end(),
                   [&](std::int32_t a, std::int32_t b) { return frames_of(a) > frames_of(b); });
  std::vector<FusedItem> column_items;
  std::vector<FusedItem> clip_items;
  for (const std::int32_t clip : order) {
    const std::int32_t frames = frames_of(clip);
    FusedItem item;
    item.clip = clip;
    item.frames = frames;
    if (frames <= std::max(long_frames, shared_frames)) {
      if (frames > shared_frames)
        queue.block_tile_floats = std::max(queue.block_tile_floats, std::int64_t{frames} * mel_stride);
      clip_items.push_back(item);
      continue;
    }
    item.tile_at = queue.long_tile_floats;
    queue.long_tile_floats += std::int64_t{frames} * mel_stride;
    item.first_segment = queue.segments;
    item.segments = (frames + segment_frames - 1) / segment_frames;
    item.done_at = queue.counters++;
    for (std::int32_t first = 0; first < frames; first += segment_frames) {
      item.first_frame = first;
      item.frames = std::min(segment_frames, frames - first);
      item.work = FusedWork::kTileSegment;
      item.segment = queue.segments++;
      queue.items.push_back(item);
      item.work = FusedWork::kColumnSegment;
      column_items.push_back(item);
    }
  }
  queue.items.insert(queue.items.end(), clip_items.begin(), clip_items.end());
  queue.items.insert(queue.items.end(), column_items.begin(), column_items.end());
  return queue;
}

template <class Sample>
auto fused_kernel_for(int n_fft) -> void (*)(FusedArgs) {
  switch (n_fft) {
    case 256:
      return fused_kernel<128, Sample>;
    case 512:
      return fused_kernel<256, Sample>;
    case 1024:
      return fused_kernel<512, Sample>;
    case 2048:
      return fused_kernel<1024, Sample>;
    default:
      SERVAL_CHECK(false, "n_fft ", n_fft);
  }
}

template <class Sample>
void launch_fused(const FusedLayout& layout, int n_fft, int blocks, const FusedArgs& args,
                  serval::cuda::Stream stream) {
  serval::cuda::launch(fused_kernel_for<Sample>(n_fft), dim3(static_cast<unsigned>(blocks)),
                       dim3(static_cast<unsigned>(layout.warps * serval::cuda::kWarpSize)),
                       layout.shared_bytes, stream, args);
}

}  // namespace serval::features::cuda
