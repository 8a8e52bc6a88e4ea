#include "cuda/core/state.cuh"
#include "cuda/nn/bodies.cuh"
#include "cuda/nn/optimiser.cuh"

namespace serval::nn {

void bodies::adam_step(const Context& context, const AdamArgs& args) {
  nn::adam_step(cuda::cuda_state(context).stream(), args);
}

}  // namespace serval::nn
