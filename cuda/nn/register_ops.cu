#include "serval/nn/detail/portable_ops.h"

#include "cuda/core/portable_op.cuh"
#include "cuda/core/state.cuh"
#include "cuda/nn/bodies.cuh"

namespace serval::nn {

namespace {

template <class Op>
void portable(const Context& context, const typename Op::Args& args) {
  cuda::launch_portable(cuda::cuda_state(context).stream(), args);
}

struct CudaList {
  OpRegistry& registry;
  template <class Op>
  void op() {
    registry.add<Op>(DeviceKind::kCuda, portable<Op>);
  }
};

}  // namespace

void register_cuda_ops(OpRegistry& registry) {
  constexpr DeviceKind kCuda = DeviceKind::kCuda;
  registry.add<Gemm>(kCuda, bodies::gemm);
  registry.add<GemmBatched>(kCuda, bodies::gemm_batched);
  registry.add<GemmPack>(kCuda, bodies::gemm_pack);
  registry.add<GemmPacked>(kCuda, bodies::gemm_packed);
  registry.add<GatherSequences>(kCuda, bodies::gather_sequences);
  registry.add<BiasActivation>(kCuda, bodies::bias_activation);
  registry.add<ActivationBackward>(kCuda, bodies::activation_backward);
  registry.add<ColumnSum>(kCuda, bodies::column_sum);
  registry.add<Dropout>(kCuda, bodies::dropout);
  registry.add<FillZero>(kCuda, bodies::fill_zero);
  registry.add<Conv2dWorkspaceSize>(kCuda, bodies::conv2d_workspace_size);
  registry.add<Conv2dForward>(kCuda, bodies::conv2d_forward);
  registry.add<Conv2dBackwardInput>(kCuda, bodies::conv2d_backward_input);
  registry.add<Conv2dBackwardWeights>(kCuda, bodies::conv2d_backward_weights);
  registry.add<LstmReserveSize>(kCuda, bodies::lstm_reserve_size);
  registry.add<LstmForward>(kCuda, bodies::lstm_forward);
  registry.add<LstmBackward>(kCuda, bodies::lstm_backward);
  registry.add<MeanPoolForward>(kCuda, bodies::mean_pool_forward);
  registry.add<MeanPoolBackward>(kCuda, bodies::mean_pool_backward);
  registry.add<LastPoolForward>(kCuda, bodies::last_pool_forward);
  registry.add<LastPoolBackward>(kCuda, bodies::last_pool_backward);
  registry.add<AttentionPoolForward>(kCuda, bodies::attention_pool_forward);
  registry.add<AttentionPoolBackward>(kCuda, bodies::attention_pool_backward);
  registry.add<OptimiserStep>(kCuda, bodies::optimiser_step);
  CudaList list{registry};
  detail::list_portable_ops(list);
}

}  // namespace serval::nn
