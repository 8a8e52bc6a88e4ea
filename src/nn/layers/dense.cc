// y = activation(x w^T + b), for each vector, be it a recording or a time step.
// Blocks: w [units, in], b [units] (where there is a bias).
#include "../layer.h"
#include "activation.h"
#include "layers.h"
#include "shared_settings.h"

namespace serval::nn {

namespace {

class DenseLayer : public Layer {
 public:
  DenseLayer(const LayerBuild& build, Activation activation, bool bias)
      : Layer(build), activation_(activation), bias_(bias) {}

  void forward(const LayerCall& call, std::span<const ConstTensorView> x, TensorView y) override {
    multiply(call.context, x[0], parameter(call, 0), y);
    run<BiasActivation>(call.context,
                        BiasActivationArgs{.rows = call.rows(output()),
                                           .columns = output().item[0],
                                           .y = y,
                                           .bias = bias_ ? parameter(call, 1) : ConstTensorView{},
                                           .activation = activation_});
  }

  void backward(const LayerCall& call, const Backward& b) override {
    run<ActivationBackward>(call.context,
                            ActivationBackwardArgs{.y = b.y, .dy = b.dy, .activation = activation_});
    if (trains()) multiply_weight_gradient(call.context, b.x[0], b.dy, gradient(call, 0));
    if (trains() && bias_) {
      run<ColumnSum>(call.context, ColumnSumArgs{.rows = call.rows(output()),
                                                 .columns = output().item[0],
                                                 .x = b.dy,
                                                 .sums = gradient(call, 1)});
    }
    if (!b.dx[0].empty()) multiply_input_gradient(call.context, b.dy, parameter(call, 0), b.dx[0], 0);
  }

 private:
  Activation activation_;
  bool bias_;
};

struct Dense : LayerBodyOf<Dense> {
  static constexpr const char* kType = "dense";
  std::int64_t units = 0;
  Activation activation = Activation::kNone;
  bool bias = true;
  InitKind init = InitKind::kGlorotUniform;

  void describe(SettingsVisitor& v) override {
    v.integer("units", units, {.min = 0, .max = 65536}, {"width; 0: one for each class", "units"});
    describe_activation(v, activation);
    v.flag("bias", bias, {"adds a bias to each output"});
    describe_initialiser(v, init);
  }

  void plan(NodePlan& node) const override {
    node.need_inputs(1);
    const ValueType x = node.need_vectors();
    const std::int64_t width = units == 0 ? node.classes() : units;
    if (width == 0) {
      node.fail(
          "has 0 units, which means one for each class, and nothing says how many there are; give "
          "units, or \"classes\" of the network");
    }
    if (!fusable(activation)) {
      Dense linear = *this;
      linear.activation = Activation::kNone;
      return node.result(add_activation(node, node.add("linear", linear, {node.input_value()}), activation));
    }
    const std::int64_t in = x.item[0];
    node.block("w", {width, in}, initialiser(init, in, width));
    if (bias) node.block("b", {width}, bias_initialiser(init, in));
    node.layer<DenseLayer>(ValueType{Shape{width}, x.clock}, activation, bias);
  }
};

}  // namespace

std::unique_ptr<LayerBody> make_dense() { return std::make_unique<Dense>(); }
std::unique_ptr<LayerBody> make_dense(std::int64_t units, InitKind init) {
  auto body = std::make_unique<Dense>();
  body->units = units;
  body->init = init;
  return body;
}

}  // namespace serval::nn
