// Attention pool: scores from a small hidden layer, softmax over a recording's own steps, weighted sum.
//   blocks: w [units, feature], b [units], v [1, units]
#include "serval/nn/pooling.h"

#include "../layer.h"
#include "layers.h"
#include "shared_settings.h"

namespace serval::nn {

namespace {

class AttentionPoolLayer : public Layer {
 public:
  AttentionPoolLayer(const LayerBuild& build, std::int64_t units) : Layer(build), units_(units) {
    const std::int64_t steps = build.max_rows(input());
    hidden_ = build.floats(steps * units);
    hidden_gradient_ = build.floats(build.sizes.training ? steps * units : 0);
    scores_ = build.floats(steps);
    weights_ = build.floats(steps);
    score_gradient_ = build.floats(steps);
    // The op always writes the gradient of its input, even where nobody reads one.
    unread_dx_ = build.floats(build.sizes.training ? steps * input().item[0] : 0);
  }

  void forward(const LayerCall& call, std::span<const ConstTensorView> x, TensorView y) override {
    const std::int64_t steps = call.rows(input());
    const TensorView hidden = hidden_.view(0, {steps, units_});
    multiply(call.context, x[0], parameter(call, kW), hidden);
    run<BiasActivation>(call.context, BiasActivationArgs{.rows = steps,
                                                         .columns = units_,
                                                         .y = hidden,
                                                         .bias = parameter(call, kB),
                                                         .activation = Activation::kTanh});
    AttentionPoolArgs args = common(call);
    const TensorView scores = scores_.view(0, args.weights.shape);
    multiply(call.context, hidden, parameter(call, kV), scores);
    args.x = x[0];
    args.scores = scores;
    args.y = y;
    run<AttentionPoolForward>(call.context, args);
  }

  void backward(const LayerCall& call, const Backward& b) override {
    const std::int64_t steps = call.rows(input());
    const bool wanted = !b.dx[0].empty();
    const TensorView dx = wanted ? b.dx[0] : unread_dx_.view(0, b.x[0].shape);
    run<FillZero>(call.context, dx);
    AttentionPoolArgs args = common(call);
    args.x = b.x[0];
    args.dy = b.dy;
    args.dx = dx;
    args.dscores = score_gradient_.view(0, args.weights.shape);
    run<AttentionPoolBackward>(call.context, args);

    const TensorView hidden = hidden_.view(0, {steps, units_});
    const TensorView hidden_gradient = hidden_gradient_.view(0, hidden.shape);
    const ConstTensorView dscores = score_gradient_.view(0, {steps, 1});
    if (trains()) multiply_weight_gradient(call.context, hidden, dscores, gradient(call, kV));
    multiply_input_gradient(call.context, dscores, parameter(call, kV), hidden_gradient, 0);
    run<ActivationBackward>(
        call.context,
        ActivationBackwardArgs{.y = hidden, .dy = hidden_gradient, .activation = Activation::kTanh});
    if (trains()) {
      multiply_weight_gradient(call.context, b.x[0], hidden_gradient, gradient(call, kW));
      run<ColumnSum>(
          call.context,
          ColumnSumArgs{.rows = steps, .columns = units_, .x = hidden_gradient, .sums = gradient(call, kB)});
    }
    if (wanted) multiply_input_gradient(call.context, hidden_gradient, parameter(call, kW), dx, 1);
  }

 private:
  enum Block : std::size_t { kW, kB, kV };

  AttentionPoolArgs common(const LayerCall& call) {
    const Steps& steps = call.steps(input());
    AttentionPoolArgs args;
    args.shape = {steps.time, call.batch, input().item[0]};
    args.lengths = steps.lengths;
    args.weights = weights_.view(0, {steps.time, call.batch});
    return args;
  }

  std::int64_t units_;
  Tensor hidden_;
  Tensor hidden_gradient_;
  Tensor scores_;
  Tensor weights_;
  Tensor score_gradient_;
  Tensor unread_dx_;
};

struct AttentionPool : LayerBodyOf<AttentionPool> {
  static constexpr const char* kType = "attention_pool";
  std::int64_t units = 0;

  void describe(SettingsVisitor& v) override {
    v.integer("units", units, {.min = 1, .max = 8192},
              {"width of the layer that scores a step", "units", Need::kRequired});
  }
  void plan(NodePlan& node) const override {
    node.need_inputs(1);
    const ValueType x = node.need_sequence();
    if (units < 1) node.fail("has no units; give the width of its hidden layer, such as 64");
    const std::int64_t feature = x.item[0];
    node.block("w", {units, feature}, initialiser(InitKind::kGlorotUniform, feature, units));
    node.block("b", {units}, {});
    node.block("v", {1, units}, initialiser(InitKind::kGlorotUniform, units, 1));
    node.layer<AttentionPoolLayer>(ValueType{x.item, kNoClock}, units);
  }
};

}  // namespace

std::unique_ptr<LayerBody> make_attention_pool() { return std::make_unique<AttentionPool>(); }

}  // namespace serval::nn
