#include "layer.h"

#include "serval/nn/gemm.h"

namespace serval::nn {

Layer::Layer(const LayerBuild& build) : name_(build.node.name), output_(build.output()) {
  for (std::size_t i = 0; i < build.node.inputs.size(); ++i) inputs_.push_back(build.input(i));
  for (const std::size_t block : build.node.blocks) blocks_.push_back(build.plan.blocks[block]);
}

ConstTensorView Layer::parameter(const LayerCall& call, std::size_t index) const {
  const ParameterBlock& block = blocks_[index];
  return {call.parameters + block.offset, block.shape, call.context.device().kind};
}
TensorView Layer::statistic(const LayerCall& call, std::size_t index) const {
  const ParameterBlock& block = blocks_[index];
  SERVAL_CHECK(block.role == ParameterBlock::Role::kStatistic, block.name, " is not a statistic");
  return {call.parameters + block.offset, block.shape, call.context.device().kind};
}
TensorView Layer::gradient(const LayerCall& call, std::size_t index) const {
  const ParameterBlock& block = blocks_[index];
  return {call.gradients + block.offset, block.shape, call.context.device().kind};
}

void multiply(const Context& context, ConstTensorView x, ConstTensorView w, TensorView y) {
  const std::int64_t n = w.shape[0];
  const std::int64_t k = w.shape[1];
  run<Gemm>(context, GemmArgs{.transpose_b = Transpose::kYes,
                              .m = x.size() / k,
                              .n = n,
                              .k = k,
                              .a = x.data,
                              .lda = k,
                              .b = w.data,
                              .ldb = k,
                              .c = y.data,
                              .ldc = n});
}

void multiply_weight_gradient(const Context& context, ConstTensorView x, ConstTensorView dy, TensorView dw) {
  const std::int64_t n = dw.shape[0];
  const std::int64_t k = dw.shape[1];
  run<Gemm>(context, GemmArgs{.transpose_a = Transpose::kYes,
                              .m = n,
                              .n = k,
                              .k = x.size() / k,
                              .a = dy.data,
                              .lda = n,
                              .b = x.data,
                              .ldb = k,
                              .beta = 1,
                              .c = dw.data,
                              .ldc = k});
}

void multiply_input_gradient(const Context& context, ConstTensorView dy, ConstTensorView w, TensorView dx,
                             float beta) {
  const std::int64_t n = w.shape[0];
  const std::int64_t k = w.shape[1];
  run<Gemm>(context, GemmArgs{.m = dy.size() / n,
                              .n = k,
                              .k = n,
                              .a = dy.data,
                              .lda = n,
                              .b = w.data,
                              .ldb = k,
                              .beta = beta,
                              .c = dx.data,
                              .ldc = k});
}

}  // namespace serval::nn
