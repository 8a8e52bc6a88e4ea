#include "cuda/core/state.cuh"
#include "cuda/nn/bodies.cuh"
#include "cuda/nn/optimiser.cuh"

namespace serval::nn {

void bodies::optimiser_step(const Context& context, const OptimiserArgs& args) {
  nn::optimiser_step(cuda::cuda_state(context).stream(), args);
}

}  // namespace serval::nn
