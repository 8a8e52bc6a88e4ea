#include "cuda/core/state.cuh"
#include "cuda/features/gather_segments.cuh"

namespace serval::features {

namespace {

void gather_on_gpu(const Context& context, const GatherSegmentsArgs& args) {
  cuda::gather_segments(serval::cuda::cuda_state(context).stream(), args);
}

}  // namespace

void register_segment_cuda_ops(OpRegistry& registry) {
  registry.add<GatherSegments>(DeviceKind::kCuda, gather_on_gpu);
}

}  // namespace serval::features
