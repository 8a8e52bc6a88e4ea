#include "cuda/core/state.cuh"
#include "cuda/nn/attention.cuh"
#include "cuda/nn/bodies.cuh"
#include "cuda/nn/pooling.cuh"

namespace serval::nn {

void bodies::mean_pool_forward(const Context& context, const PoolArgs& args) {
  nn::mean_pool_forward(cuda::cuda_state(context).stream(), args);
}
void bodies::mean_pool_backward(const Context& context, const PoolArgs& args) {
  nn::mean_pool_backward(cuda::cuda_state(context).stream(), args);
}
void bodies::last_pool_forward(const Context& context, const PoolArgs& args) {
  nn::last_pool_forward(cuda::cuda_state(context).stream(), args);
}
void bodies::last_pool_backward(const Context& context, const PoolArgs& args) {
  nn::last_pool_backward(cuda::cuda_state(context).stream(), args);
}
void bodies::attention_pool_forward(const Context& context, const AttentionPoolArgs& args) {
  nn::attention_pool_forward(cuda::cuda_state(context).stream(), args);
}
void bodies::attention_pool_backward(const Context& context, const AttentionPoolArgs& args) {
  nn::attention_pool_backward(cuda::cuda_state(context).stream(), args);
}

}  // namespace serval::nn
