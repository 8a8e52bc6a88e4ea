#include "cuda/features/extractor.cuh"

namespace serval::features {

void register_cuda_ops(OpRegistry& registry) {
  registry.add<detail::MakeExtractor>(DeviceKind::kCuda, cuda::make_cuda_extractor);
}

}  // namespace serval::features
