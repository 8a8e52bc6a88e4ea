#include "cuda/core/check.cuh"
#include "cuda/core/state.cuh"
#include "cuda/nn/bodies.cuh"
#include "cuda/nn/column_sum.cuh"
#include "cuda/nn/pointwise.cuh"

namespace serval::nn {

void bodies::bias_activation(const Context& context, const BiasActivationArgs& args) {
  nn::bias_activation(cuda::cuda_state(context).stream(), args);
}
void bodies::activation_backward(const Context& context, const ActivationBackwardArgs& args) {
  nn::activation_backward(cuda::cuda_state(context).stream(), args);
}
void bodies::dropout(const Context& context, const DropoutArgs& args) {
  nn::dropout(cuda::cuda_state(context).stream(), args);
}
void bodies::column_sum(const Context& context, const ColumnSumArgs& args) {
  cuda::CudaState& state = cuda::cuda_state(context);
  const std::size_t bytes = static_cast<std::size_t>(column_sum_scratch(args)) * sizeof(float);
  nn::column_sum(state.stream(), args, static_cast<float*>(state.workspace(bytes)));
}
void bodies::fill_zero(const Context& context, const TensorView& values) {
  const std::size_t bytes = static_cast<std::size_t>(values.size()) * sizeof(float);
  if (bytes == 0) return;
  SERVAL_CUDA_CHECK(cudaMemsetAsync(values.data, 0, bytes, cuda::cuda_state(context).stream()));
}

}  // namespace serval::nn
