// Convolution of sequences along time: y[s] = f(b + sum over k of w[:, :, k] x[s stride - before + k dilation]), where a step
// past the end is 0. Blocks, as PyTorch lays them out: w [channels, in / groups, kernel], b [channels] (where there is a
// bias).
//
// Steps are unfolded some at a time, [step, batch, kernel, in], and multiplied with the weights in that order, [channels,
// kernel, in], copied so for each call: as many numbers as one unfolded step of a batch of `channels`.
#include <algorithm>

#include "serval/nn/arithmetic.h"
#include "serval/nn/rearrange.h"
#include "serval/nn/unfold_steps.h"

#include "../layer.h"
#include "activation.h"
#include "convolution.h"
#include "layers.h"
#include "shared_settings.h"

namespace serval::nn {

namespace {

struct Conv1dShape {
  StepWindow window;
  std::int64_t in = 0, out = 0, groups = 1;

  std::int64_t group_in() const { return in / groups; }
  std::int64_t group_out() const { return out / groups; }
  std::int64_t depth() const { return window.kernel * group_in(); }
  std::int64_t weights() const { return out * depth(); }
};

class Conv1dLayer : public Layer {
 public:
  Conv1dLayer(const LayerBuild& build, Conv1dShape shape, Activation activation, bool bias)
      : Layer(build), shape_(shape), activation_(activation), bias_(bias) {
    // On the CPU a block that stays in the second cache; on a GPU few calls.
    most_columns_ = std::int64_t{1} << (build.context.on_cuda() ? 24 : 18);
    const std::int64_t row = build.sizes.max_batch * shape.depth();
    columns_ = build.floats(std::min(std::max(most_columns_, row), build.max_time(output()) * row));
    weights_ = build.floats(shape.weights());
    if (!build.sizes.training || !trains()) return;
    weight_gradient_ = build.floats(shape.weights());
    turned_ = build.floats(shape.weights());
  }

  void forward(const LayerCall& call, std::span<const ConstTensorView> x, TensorView y) override {
    order_weights(call);
    for_each_part(call, [&](const Part& part) {
      unfold(call, part, x[0]);
      run<Gemm>(call.context, GemmArgs{.transpose_b = Transpose::kYes,
                                       .m = part.rows,
                                       .n = shape_.group_out(),
                                       .k = shape_.depth(),
                                       .a = part.columns.data,
                                       .lda = shape_.depth(),
                                       .b = weights_.data() + part.weight,
                                       .ldb = shape_.depth(),
                                       .c = y.data + part.result,
                                       .ldc = shape_.out});
    });
    run<BiasActivation>(call.context,
                        BiasActivationArgs{.rows = call.rows(output()),
                                           .columns = shape_.out,
                                           .y = y,
                                           .bias = bias_ ? parameter(call, 1) : ConstTensorView{},
                                           .activation = activation_});
  }

  void backward(const LayerCall& call, const Backward& b) override {
    run<ActivationBackward>(call.context,
                            ActivationBackwardArgs{.y = b.y, .dy = b.dy, .activation = activation_});
    order_weights(call);
    if (trains()) run<FillZero>(call.context, weight_gradient_.view());
    const bool wanted = !b.dx[0].empty();
    if (wanted) run<FillZero>(call.context, b.dx[0]);
    for_each_part(call, [&](const Part& part) {
      if (trains()) weight_gradient(call, part, b);
      if (wanted) input_gradient(call, part, b);
    });
    if (!trains()) return;
    // [channels, kernel, in] to [channels, in, kernel]
    constexpr int kOrder[] = {0, 2, 1};
    const Shape turned{shape_.out, shape_.group_in(), shape_.window.kernel};
    const TensorView to = turned_.view(0, turned);
    StridedCopyArgs turn = permuted({shape_.out, shape_.window.kernel, shape_.group_in()}, kOrder);
    turn.x = weight_gradient_.view();
    turn.y = to;
    run<StridedCopy>(call.context, turn);
    run<AddInto>(call.context, AddIntoArgs{to, gradient(call, 0), 1.0f});
    if (!bias_) return;
    run<ColumnSum>(
        call.context,
        ColumnSumArgs{
            .rows = call.rows(output()), .columns = shape_.out, .x = b.dy, .sums = gradient(call, 1)});
  }

 private:
  // Some results of all sequences, and one group.
  struct Part {
    std::int64_t first = 0, steps = 0, rows = 0;
    std::int64_t feature = 0;  // of the input
    std::int64_t weight = 0;   // where its weights start
    std::int64_t result = 0;   // where its results start
    TensorView columns = {};
  };

  template <class Body>
  void for_each_part(const LayerCall& call, Body body) {
    const std::int64_t time = call.steps(output()).time;
    const std::int64_t row = call.batch * shape_.depth();
    const std::int64_t most = std::max<std::int64_t>(most_columns_ / row, 1);
    for (std::int64_t group = 0; group < shape_.groups; ++group) {
      for (std::int64_t first = 0; first < time; first += most) {
        Part part{.first = first, .steps = std::min(most, time - first)};
        part.rows = part.steps * call.batch;
        part.feature = group * shape_.group_in();
        part.weight = group * shape_.group_out() * shape_.depth();
        part.result = first * call.batch * shape_.out + group * shape_.group_out();
        part.columns = columns_.view(0, {part.rows, shape_.depth()});
        body(part);
      }
    }
  }

  void order_weights(const LayerCall& call) {
    constexpr int kOrder[] = {0, 2, 1};
    StridedCopyArgs turn = permuted({shape_.out, shape_.group_in(), shape_.window.kernel}, kOrder);
    turn.x = parameter(call, 0);
    turn.y = weights_.view();
    run<StridedCopy>(call.context, turn);
  }

  void unfold(const LayerCall& call, const Part& part, ConstTensorView x) const {
    const Steps& steps = call.steps(input());
    run<UnfoldSteps>(call.context, UnfoldStepsArgs{.window = shape_.window,
                                                   .time = steps.time,
                                                   .batch = call.batch,
                                                   .features = shape_.in,
                                                   .first = part.first,
                                                   .steps = part.steps,
                                                   .feature = part.feature,
                                                   .width = shape_.group_in(),
                                                   .x = x,
                                                   .lengths = steps.lengths,
                                                   .columns = part.columns});
  }

  void weight_gradient(const LayerCall& call, const Part& part, const Backward& b) {
    unfold(call, part, b.x[0]);
    run<Gemm>(call.context, GemmArgs{.transpose_a = Transpose::kYes,
                                     .m = shape_.group_out(),
                                     .n = shape_.depth(),
                                     .k = part.rows,
                                     .a = b.dy.data + part.result,
                                     .lda = shape_.out,
                                     .b = part.columns.data,
                                     .ldb = shape_.depth(),
                                     .beta = 1,
                                     .c = weight_gradient_.data() + part.weight,
                                     .ldc = shape_.depth()});
  }

  void input_gradient(const LayerCall& call, const Part& part, const Backward& b) const {
    const Steps& steps = call.steps(input());
    run<Gemm>(call.context, GemmArgs{.m = part.rows,
                                     .n = shape_.depth(),
                                     .k = shape_.group_out(),
                                     .a = b.dy.data + part.result,
                                     .lda = shape_.out,
                                     .b = weights_.data() + part.weight,
                                     .ldb = shape_.depth(),
                                     .c = part.columns.data,
                                     .ldc = shape_.depth()});
    run<FoldSteps>(call.context, FoldStepsArgs{.window = shape_.window,
                                               .time = steps.time,
                                               .batch = call.batch,
                                               .features = shape_.in,
                                               .first = part.first,
                                               .steps = part.steps,
                                               .feature = part.feature,
                                               .width = shape_.group_in(),
                                               .columns = part.columns,
                                               .lengths = steps.lengths,
                                               .dx = b.dx[0]});
  }

  Conv1dShape shape_;
  Activation activation_;
  bool bias_;
  std::int64_t most_columns_ = 0;
  Tensor columns_;
  Tensor weights_;          // [channels, kernel, in / groups]
  Tensor weight_gradient_;  // the same
  Tensor turned_;           // [channels, in / groups, kernel]
};

struct Conv1d : LayerBodyOf<Conv1d> {
  static constexpr const char* kType = "conv1d";
  ConvolutionSettings settings;

  Conv1d() = default;
  explicit Conv1d(ConvolutionSettings s) : settings(std::move(s)) {}

  void describe(SettingsVisitor& v) override { describe_convolution(v, settings, 1); }

  void plan(NodePlan& node) const override {
    node.need_inputs(1);
    const ValueType x = node.need_sequence();
    check_channels(node, settings, x.item[0]);
    if (!fusable(settings.activation)) {
      Conv1d linear = *this;
      linear.settings.activation = Activation::kNone;
      const int value = node.add("linear", linear, {node.input_value()});
      return node.result(add_activation(node, value, settings.activation));
    }
    const StepWindow window = step_window(settings.window);
    const Conv1dShape shape{window, x.item[0], settings.channels, settings.groups};
    node.block("w", {shape.out, shape.group_in(), window.kernel},
               initialiser(settings.init, shape.depth(), shape.out * window.kernel));
    if (settings.bias) node.block("b", {shape.out}, bias_initialiser(settings.init, shape.depth()));
    node.layer<Conv1dLayer>(ValueType{Shape{shape.out}, node.clock(x.clock, window.rule)}, shape,
                            settings.activation, settings.bias);
  }
};

}  // namespace

std::unique_ptr<LayerBody> make_conv1d() { return std::make_unique<Conv1d>(); }
std::unique_ptr<LayerBody> make_conv1d(ConvolutionSettings settings) {
  return std::make_unique<Conv1d>(std::move(settings));
}

}  // namespace serval::nn
