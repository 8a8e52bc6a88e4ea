#include "cuda/core/state.cuh"
#include "cuda/nn/bodies.cuh"
#include "cuda/nn/loss.cuh"

namespace serval::nn {

void bodies::softmax_cross_entropy(const Context& context, const SoftmaxCrossEntropyArgs& args) {
  nn::softmax_cross_entropy(cuda::cuda_state(context).stream(), args);
}

}  // namespace serval::nn
