#include "layer.h"

#include "serval/nn/gemm.h"

namespace serval::nn {

Layer::Layer(const LayerBuild& build)
    : name_(build.node.name), output_(build.output()), trains_(build.node.trains) {
  for (std::size_t i = 0; i < build.node.inputs.size(); ++i) inputs_.push_back(build.input(i));
  for (const std::size_t block : build.node.blocks) blocks_.push_back(build.plan.blocks[block]);
}

ChannelNorm Layer::norm(const LayerCall&) { throw InternalError(cat("layer ", name_, " gives no norm")); }
void Layer::forward_normed(const LayerCall&, std::span<const ConstTensorView>, const ChannelNorm&,
                           TensorView) {
  throw InternalError(cat("layer ", name_, " takes no norm"));
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
  SERVAL_CHECK(block.role == ParameterBlock::Role::kTrained, block.name, " is not trained");
  return {call.gradients + block.offset, block.shape, call.context.device().kind};
}

void project(const Context& context, std::int64_t rows, std::int64_t n, std::int64_t k, ConstMatrix x,
             ConstMatrix w, Matrix<float> y, float beta) {
  run<Gemm>(context, GemmArgs{.transpose_b = Transpose::kYes,
                              .m = rows,
                              .n = n,
                              .k = k,
                              .a = x.data,
                              .lda = x.stride,
                              .b = w.data,
                              .ldb = w.stride,
                              .beta = beta,
                              .c = y.data,
                              .ldc = y.stride});
}

void project_weight_gradient(const Context& context, std::int64_t rows, std::int64_t n, std::int64_t k,
                             ConstMatrix x, ConstMatrix dy, Matrix<float> dw) {
  run<Gemm>(context, GemmArgs{.transpose_a = Transpose::kYes,
                              .m = n,
                              .n = k,
                              .k = rows,
                              .a = dy.data,
                              .lda = dy.stride,
                              .b = x.data,
                              .ldb = x.stride,
                              .beta = 1,
                              .c = dw.data,
                              .ldc = dw.stride});
}

void project_input_gradient(const Context& context, std::int64_t rows, std::int64_t n, std::int64_t k,
                            ConstMatrix dy, ConstMatrix w, Matrix<float> dx, float beta) {
  run<Gemm>(context, GemmArgs{.m = rows,
                              .n = k,
                              .k = n,
                              .a = dy.data,
                              .lda = dy.stride,
                              .b = w.data,
                              .ldb = w.stride,
                              .beta = beta,
                              .c = dx.data,
                              .ldc = dx.stride});
}

void multiply(const Context& context, ConstTensorView x, ConstTensorView w, TensorView y) {
  const std::int64_t n = w.shape[0], k = w.shape[1];
  project(context, x.size() / k, n, k, {x.data, k}, {w.data, k}, {y.data, n}, 0);
}

void multiply_weight_gradient(const Context& context, ConstTensorView x, ConstTensorView dy, TensorView dw) {
  const std::int64_t n = dw.shape[0], k = dw.shape[1];
  project_weight_gradient(context, x.size() / k, n, k, {x.data, k}, {dy.data, n}, {dw.data, k});
}

void multiply_input_gradient(const Context& context, ConstTensorView dy, ConstTensorView w, TensorView dx,
                             float beta) {
  const std::int64_t n = w.shape[0], k = w.shape[1];
  project_input_gradient(context, dy.size() / n, n, k, {dy.data, n}, {w.data, k}, {dx.data, k}, beta);
}

}  // namespace serval::nn
