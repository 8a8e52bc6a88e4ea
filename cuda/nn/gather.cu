#include "cuda/core/state.cuh"
#include "cuda/nn/bodies.cuh"
#include "cuda/nn/gather.cuh"

namespace serval::nn {

void bodies::gather_sequences(const Context& context, const GatherArgs& args) {
  nn::gather_sequences(cuda::cuda_state(context).stream(), args);
}

}  // namespace serval::nn
