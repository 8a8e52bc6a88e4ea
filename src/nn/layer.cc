#include "layer.h"

#include "serval/nn/gemm.h"

namespace serval::nn {

Layer::Layer(const Context& context, const NetworkPlan& plan, PlannedLayer planned, const NetworkSizes& sizes)
    : planned_(std::move(planned)) {
  for (const std::size_t block : planned_.blocks) blocks_.push_back(plan.blocks[block]);
  const std::int64_t steps = planned_.sequence_out ? sizes.max_time : 1;
  const Shape largest{steps, sizes.max_batch, planned_.output};
  y_ = Tensor(context.device(), largest);
  dy_ = Tensor(context.device(), largest);
}

Shape Layer::shape(const LayerCall& call, bool sequence, std::int64_t feature) const {
  return sequence ? Shape{call.batch.time, call.batch.batch, feature} : Shape{call.batch.batch, feature};
}
std::int64_t Layer::rows(const LayerCall& call) const {
  return planned_.sequence_in ? call.batch.time * call.batch.batch : call.batch.batch;
}

TensorView Layer::view(Tensor& tensor, const LayerCall& call) {
  return tensor.view(0, shape(call, planned_.sequence_out, planned_.output));
}
TensorView Layer::output(const LayerCall& call) { return view(y_, call); }
TensorView Layer::output_gradient(const LayerCall& call) { return view(dy_, call); }

ConstTensorView Layer::parameter(const LayerCall& call, std::size_t index) const {
  const ParameterBlock& block = blocks_[index];
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
