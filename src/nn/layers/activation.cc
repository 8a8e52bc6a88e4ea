// Activations, and softmax over the last axis of each item, as layers. No blocks.
#include "activation.h"

#include "serval/nn/activate.h"

#include "../layer.h"
#include "layers.h"
#include "shared_settings.h"

namespace serval::nn {

const Options<Activation>& activation_names() {
  static const Options<Activation> options{
      {"none", Activation::kNone},      {"relu", Activation::kRelu}, {"leaky_relu", Activation::kLeakyRelu},
      {"elu", Activation::kElu},        {"gelu", Activation::kGelu}, {"tanh", Activation::kTanh},
      {"sigmoid", Activation::kSigmoid}};
  return options;
}

namespace {

class ActivationLayer : public Layer {
 public:
  ActivationLayer(const LayerBuild& build, Activation activation, double slope)
      : Layer(build), activation_(activation), slope_(static_cast<float>(slope)) {}

  void forward(const LayerCall& call, std::span<const ConstTensorView> x, TensorView y) override {
    run<Activate>(call.context, ActivateArgs{.x = x[0], .y = y, .activation = activation_, .slope = slope_});
  }
  void backward(const LayerCall& call, const Backward& b) override {
    if (b.dx[0].empty()) return;
    run<ActivateBackward>(
        call.context,
        ActivateBackwardArgs{
            .x = b.x[0], .y = b.y, .dy = b.dy, .dx = b.dx[0], .activation = activation_, .slope = slope_});
  }

 private:
  Activation activation_;
  float slope_;
};

struct ActivationBody : LayerBodyOf<ActivationBody> {
  static constexpr const char* kType = "activation";
  Activation function = Activation::kRelu;
  double slope = 0.01;
  double alpha = 1;

  void describe(SettingsVisitor& v) override {
    v.choice("function", function, activation_names(), {"which"});
    v.real("slope", slope, {.min = 0, .max = 1},
           {"leaky_relu: of numbers below 0; 0.01 in PyTorch, 0.3 in Keras"});
    v.real("alpha", alpha, {.min = 0, .max = 100}, {"elu: what it tends to below 0"});
  }
  void plan(NodePlan& node) const override {
    node.need_inputs(1);
    node.set_reversed_from(node.reversed_from());
    node.layer<ActivationLayer>(node.input(), function, function == Activation::kElu ? alpha : slope);
  }
};

class SoftmaxLayer : public Layer {
 public:
  SoftmaxLayer(const LayerBuild& build, bool logarithm) : Layer(build), logarithm_(logarithm) {}

  void forward(const LayerCall& call, std::span<const ConstTensorView> x, TensorView y) override {
    run<Softmax>(
        call.context,
        SoftmaxArgs{
            .rows = y.size() / columns(), .columns = columns(), .x = x[0], .y = y, .logarithm = logarithm_});
  }
  void backward(const LayerCall& call, const Backward& b) override {
    if (b.dx[0].empty()) return;
    run<SoftmaxBackward>(call.context, SoftmaxBackwardArgs{.rows = b.y.size() / columns(),
                                                           .columns = columns(),
                                                           .y = b.y,
                                                           .dy = b.dy,
                                                           .dx = b.dx[0],
                                                           .logarithm = logarithm_});
  }

 private:
  std::int64_t columns() const { return output().item[output().item.rank() - 1]; }
  bool logarithm_;
};

struct SoftmaxBody : LayerBodyOf<SoftmaxBody> {
  static constexpr const char* kType = "softmax";
  bool logarithm = false;

  void describe(SettingsVisitor& v) override { v.flag("logarithm", logarithm, {"its logarithm instead"}); }
  void plan(NodePlan& node) const override {
    node.need_inputs(1);
    node.layer<SoftmaxLayer>(node.input(), logarithm);
  }
};

}  // namespace

int add_activation(NodePlan& node, int value, Activation activation) {
  if (activation == Activation::kNone) return value;
  ActivationBody body;
  body.function = activation;
  return node.add("activation", body, {value});
}

std::unique_ptr<LayerBody> make_activation() { return std::make_unique<ActivationBody>(); }
std::unique_ptr<LayerBody> make_softmax() { return std::make_unique<SoftmaxBody>(); }

}  // namespace serval::nn
