#include <algorithm>
#include <type_traits>
#include <utility>

#include <cuda_runtime.h>

#include "cuda/core/check.cuh"
#include "cuda/core/launch.cuh"
#include "cuda/core/state.cuh"
#include "cuda/features/fused_batch.cuh"
#include "cuda/features/fused_extractor.cuh"

namespace serval::features::cuda {

namespace {

int attribute(cudaDeviceAttr which, int device) {
  int value = 0;
  SERVAL_CUDA_CHECK(cudaDeviceGetAttribute(&value, which, device));
  return value;
}

// Blocks of the layout that really share a multiprocessor. Also asks for its memory to be shared memory before
// it is cache: the blocks' number depends on it.
template <class Sample>
int resident_blocks(const FusedLayout& layout, int n_fft) {
  const auto kernel = fused_kernel_for<Sample>(n_fft);
  const void* const function = reinterpret_cast<const void*>(kernel);
  serval::cuda::allow_shared_memory(function, layout.shared_bytes);
  SERVAL_CUDA_CHECK(cudaFuncSetAttribute(function, cudaFuncAttributePreferredSharedMemoryCarveout,
                                         cudaSharedmemCarveoutMaxShared));
  int blocks = 0;
  SERVAL_CUDA_CHECK(cudaOccupancyMaxActiveBlocksPerMultiprocessor(
      &blocks, kernel, layout.warps * serval::cuda::kWarpSize, layout.shared_bytes));
  return std::max(blocks, 1);
}

}  // namespace

FusedLimits fused_limits(const Context& context) {
  const int device = context.device().index;
  FusedLimits limits;
  limits.block_bytes = static_cast<std::size_t>(attribute(cudaDevAttrMaxSharedMemoryPerBlockOptin, device));
  limits.unit_bytes =
      static_cast<std::size_t>(attribute(cudaDevAttrMaxSharedMemoryPerMultiprocessor, device));
  return limits;
}

FusedExtractor::FusedExtractor(const Context& context, FusedSpec spec, std::optional<FusedLayout> layout)
    : context_(context),
      spec_(std::move(spec)),
      tables_(spec_),
      layout_(layout ? *layout : default_fused_layout(spec_, tables_, fused_limits(context))),
      block_(Tensor::from_host(context.device(), tables_.block)) {
  SERVAL_CHECK(layout_.shared_frames >= 0, "a layout that does not fit");
  const FusedPartSpec* const parts[2] = {&spec_.log_mel, &spec_.mfcc};
  for (int part = 0; part < 2; ++part) {
    for (int order = 0; order < parts[part]->deltas; ++order)
      taps_[part][order] = Tensor::from_host(context.device(), parts[part]->taps[order]);
  }
  units_ = attribute(cudaDevAttrMultiProcessorCount, context.device().index);
  serval::cuda::cuda_state(context).activate();
  layout_.blocks_per_unit =
      std::min(layout_.blocks_per_unit, std::min(resident_blocks<std::int16_t>(layout_, spec_.n_fft),
                                                 resident_blocks<float>(layout_, spec_.n_fft)));
}

void FusedExtractor::prepare(const std::vector<FusedClip>& clips, Work& work) const {
  serval::cuda::CudaState& state = serval::cuda::cuda_state(context_);
  const FusedQueue queue = make_fused_queue(clips, tables_.mel_stride, layout_.shared_frames);
  work.item_count = static_cast<int>(queue.items.size());
  work.counter_count = queue.counters;
  work.blocks = std::min(work.item_count, units_ * layout_.blocks_per_unit);
  work.block_tiles_at = queue.long_tile_floats;
  work.block_tile_floats = queue.block_tile_floats;
  const auto reserve = [&](auto& array, std::int64_t size) {
    using Kept = std::remove_reference_t<decltype(array)>;
    if (array.size() >= size) return;
    state.synchronize();  // a launch may still use the old one
    array = Kept();
    array = Kept(context_.device(), Shape{size});
  };
  // From pageable memory: the values are taken before the call returns.
  const auto put = [&](auto& array, const auto& values) {
    reserve(array, static_cast<std::int64_t>(values.size()));
    SERVAL_CUDA_CHECK(cudaMemcpyAsync(array.data(), values.data(), values.size() * sizeof(values[0]),
                                      cudaMemcpyHostToDevice, state.stream()));
  };
  put(work.clips, clips);
  put(work.items, queue.items);
  reserve(work.counters, queue.counters);
  reserve(work.tiles, queue.long_tile_floats + work.blocks * queue.block_tile_floats);
  reserve(work.segment_peaks, queue.segments);
}

FusedArgs FusedExtractor::args(const void* samples, Work& work, float* out) const {
  FusedArgs a = fused_args(spec_, tables_, layout_);
  a.samples = samples;
  a.clips = work.clips.data();
  a.items = work.items.data();
  a.item_count = work.item_count;
  a.counters = work.counters.data();
  a.counter_count = work.counter_count;
  a.tiles = work.tiles.data();
  a.block_tiles_at = work.block_tiles_at;
  a.block_tile_floats = work.block_tile_floats;
  a.segment_peaks = work.segment_peaks.data();
  a.out = out;
  a.tables = block_.data();
  for (int order = 0; order < 2; ++order) {
    a.log_mel.taps[order] = taps_[0][order].data();
    a.mfcc.taps[order] = taps_[1][order].data();
  }
  return a;
}

void FusedExtractor::run(const std::int16_t* samples, Work& work, float* out) const {
  serval::cuda::CudaState& state = serval::cuda::cuda_state(context_);
  launch_fused<std::int16_t>(layout_, spec_.n_fft, work.blocks, args(samples, work, out), state.stream());
}

void FusedExtractor::run(const float* samples, Work& work, float* out) const {
  serval::cuda::CudaState& state = serval::cuda::cuda_state(context_);
  launch_fused<float>(layout_, spec_.n_fft, work.blocks, args(samples, work, out), state.stream());
}

}  // namespace serval::features::cuda
