// LSTM layers, one way or both, stacked. Blocks, for each direction (and layer of a stack, <layer>.stack0 and so on):
//   forward.w_x, forward.w_h, forward.b (nn/lstm.h), then the same with reversed.
#include "serval/nn/lstm.h"

#include <array>

#include "../layer.h"
#include "layers.h"
#include "shared_settings.h"

namespace serval::nn {

namespace {

class LstmLayer : public Layer {
 public:
  LstmLayer(const LayerBuild& build, std::int64_t hidden, bool bidirectional)
      : Layer(build), hidden_(hidden), directions_(bidirectional ? 2 : 1) {
    for (int direction = 0; direction < directions_; ++direction) {
      LstmShape largest{build.max_time(input()), build.sizes.max_batch, input().item[0], hidden,
                        direction == 1};
      reserve_[static_cast<std::size_t>(direction)] = build.floats(lstm_reserve_size(build.context, largest));
    }
  }

  void forward(const LayerCall& call, std::span<const ConstTensorView> x, TensorView y) override {
    for (int direction = 0; direction < directions_; ++direction) {
      LstmForwardArgs args = common<LstmForwardArgs>(call, x[0], direction);
      args.y = y.data + direction * hidden_;
      args.training = call.mode == Mode::kTrain;
      lstm_forward(call.context, args);
    }
  }

  void backward(const LayerCall& call, const Backward& b) override {
    if (!b.dx[0].empty()) run<FillZero>(call.context, b.dx[0]);
    for (int direction = 0; direction < directions_; ++direction) {
      LstmBackwardArgs args = common<LstmBackwardArgs>(call, b.x[0], direction);
      args.y = b.y.data + direction * hidden_;
      args.dy = b.dy.data + direction * hidden_;
      args.dx = b.dx[0];
      TensorView gradients = gradient(call, first_block(direction));
      gradients.shape = args.weights.shape;
      args.dweights = gradients;
      lstm_backward(call.context, args);
    }
  }

 private:
  static std::size_t first_block(int direction) { return static_cast<std::size_t>(3 * direction); }

  template <class Args>
  Args common(const LayerCall& call, ConstTensorView x, int direction) {
    const Steps& steps = call.steps(input());
    Args args;
    args.shape = {steps.time, call.batch, input().item[0], hidden_, direction == 1};
    args.x = x;
    args.lengths = steps.lengths;
    args.host_lengths = steps.host_lengths;
    args.weights = parameter(call, first_block(direction));  // and the two blocks behind it
    args.weights.shape = {lstm_parameter_count(input().item[0], hidden_)};
    args.y_stride = output().item[0];
    args.reserve = reserve_[static_cast<std::size_t>(direction)].view();
    return args;
  }

  std::int64_t hidden_;
  int directions_;
  std::array<Tensor, 2> reserve_;
};

struct Lstm : LayerBodyOf<Lstm> {
  static constexpr const char* kType = "lstm";
  std::int64_t hidden = 128;
  std::int64_t layers = 1;
  bool bidirectional = false;
  double dropout = 0;

  void describe(SettingsVisitor& v) override {
    // The first weights take time with the cube of the width: seconds at 2048, minutes beyond.
    v.integer("hidden", hidden, {.min = 1, .max = 2048}, {"width of the state", "units"});
    v.integer("layers", layers, {.min = 1, .max = 16}, {"how many are stacked"});
    v.flag("bidirectional", bidirectional,
           {"read each sequence in both directions, side by side in the output"});
    v.real("dropout", dropout, {.min = 0, .max = 0.99}, {"rate between stacked layers"});
    v.check(
        dropout == 0 || layers > 1, "dropout",
        "falls between stacked layers and there is one; put a layer of type \"dropout\" after it instead");
  }

  void plan(NodePlan& node) const override {
    node.need_inputs(1);
    const ValueType x = node.need_sequence();
    if (layers > 1) return plan_stack(node);
    const std::int64_t in = x.item[0];
    for (const char* direction : {"forward.", "reversed."}) {
      if (!bidirectional && direction[0] == 'r') continue;
      const std::string prefix = direction;
      node.block(prefix + "w_x", {4 * hidden, in}, initialiser(InitKind::kGlorotUniform, in, 4 * hidden));
      node.block(prefix + "w_h", {4 * hidden, hidden},
                 initialiser(InitKind::kOrthogonal, hidden, 4 * hidden, 4));
      node.block(prefix + "b", {4 * hidden}, initialiser(InitKind::kForgetBias, 0, 0));
    }
    node.set_reversed_from(hidden);
    node.layer<LstmLayer>(ValueType{Shape{bidirectional ? 2 * hidden : hidden}, x.clock}, hidden,
                          bidirectional);
  }

 private:
  void plan_stack(NodePlan& node) const {
    Lstm one = *this;
    one.layers = 1;
    int value = node.input_value();
    for (std::int64_t k = 0; k < layers; ++k) {
      value = node.add(cat("stack", k), one, {value});
      if (dropout > 0 && k + 1 < layers)
        value = node.add(cat("stack", k, ".dropout"), *make_dropout(dropout), {value});
    }
    node.result(value);
  }
};

}  // namespace

std::unique_ptr<LayerBody> make_lstm() { return std::make_unique<Lstm>(); }

}  // namespace serval::nn
