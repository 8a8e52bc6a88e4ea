#include "serval/nn/detail/portable_ops.h"

#include "cpu_ops.h"

namespace serval::nn {

namespace {

struct CpuList {
  OpRegistry& registry;
  template <class Op>
  void op() {
    registry.add<Op>(DeviceKind::kCpu, cpu::kPortableBody<Op>);
  }
};

}  // namespace

void register_cpu_ops(OpRegistry& registry);  // called by core/context.cc

void register_cpu_ops(OpRegistry& registry) {
  constexpr DeviceKind kCpu = DeviceKind::kCpu;
  registry.add<Gemm>(kCpu, cpu::gemm);
  registry.add<GemmBatched>(kCpu, cpu::gemm_batched);
  registry.add<GemmPack>(kCpu, cpu::gemm_pack);
  registry.add<GemmPacked>(kCpu, cpu::gemm_packed);
  registry.add<BiasActivation>(kCpu, cpu::bias_activation);
  registry.add<ActivationBackward>(kCpu, cpu::activation_backward);
  registry.add<ColumnSum>(kCpu, cpu::column_sum);
  registry.add<Dropout>(kCpu, cpu::dropout);
  registry.add<FillZero>(kCpu, cpu::fill_zero);
  registry.add<Conv2dWorkspaceSize>(kCpu, cpu::conv2d_workspace_size);
  registry.add<Conv2dForward>(kCpu, cpu::conv2d_forward);
  registry.add<Conv2dBackwardInput>(kCpu, cpu::conv2d_backward_input);
  registry.add<Conv2dBackwardWeights>(kCpu, cpu::conv2d_backward_weights);
  registry.add<LstmReserveSize>(kCpu, cpu::lstm_reserve_size);
  registry.add<LstmForward>(kCpu, cpu::lstm_forward);
  registry.add<LstmBackward>(kCpu, cpu::lstm_backward);
  registry.add<MeanPoolForward>(kCpu, cpu::mean_pool_forward);
  registry.add<MeanPoolBackward>(kCpu, cpu::mean_pool_backward);
  registry.add<LastPoolForward>(kCpu, cpu::last_pool_forward);
  registry.add<LastPoolBackward>(kCpu, cpu::last_pool_backward);
  registry.add<AttentionPoolForward>(kCpu, cpu::attention_pool_forward);
  registry.add<AttentionPoolBackward>(kCpu, cpu::attention_pool_backward);
  registry.add<OptimiserStep>(kCpu, cpu::optimiser_step);
  registry.add<GatherSequences>(kCpu, cpu::gather_sequences);
  CpuList list{registry};
  detail::list_portable_ops(list);
  registry.replace<MaxPool2d>(kCpu, cpu::max_pool2d);
  registry.replace<MaxPool2dBackward>(kCpu, cpu::max_pool2d_backward);
  registry.replace<MaxPool2dScatter>(kCpu, cpu::max_pool2d_scatter);
  registry.replace<AveragePool2d>(kCpu, cpu::average_pool2d);
  registry.replace<AveragePool2dBackward>(kCpu, cpu::average_pool2d_backward);
  registry.replace<StretchSpectrum>(kCpu, cpu::stretch_spectrum);
}

}  // namespace serval::nn
