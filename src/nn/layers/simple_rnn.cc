// Simple recurrent layers, as PyTorch's RNN and Keras' SimpleRNN: h_t = activation(w_x x_t + w_h h_{t-1} + b).
// Blocks, for each direction (and layer of a stack, <layer>.stack0 and so on):
//   forward.w_x [hidden, in], forward.w_h [hidden, hidden], forward.b [hidden], with two biases forward.b_h [hidden];
//   then the same with reversed.
#include "recurrent.h"

namespace serval::nn {

namespace {

class SimpleRnnLayer : public RecurrentLayer {
 public:
  SimpleRnnLayer(const LayerBuild& build, std::int64_t hidden, bool bidirectional, Activation activation,
                 RecurrentBias bias)
      : RecurrentLayer(build, hidden, bidirectional, bias == RecurrentBias::kDouble ? 4 : 3),
        activation_(activation),
        bias_(bias),
        product_(build, hidden, hidden) {
    if (build.sizes.training) da_ = build.floats(build.max_rows(input()) * hidden);
  }

 protected:
  void read(const Scan& scan, const Direction& d) override {
    const Context& context = scan.call.context;
    const std::int64_t h = hidden();
    const std::int64_t rows = scan.rows();
    project(context, scan.all_rows(), h, in(), {d.x, in()}, {weights(scan, d, 0), in()}, {d.h, h}, 0);
    scan.bias(d.h, scan.all_rows(), h, weights(scan, d, 2));
    product_.set_project(context, {weights(scan, d, 1), h});
    for (std::int64_t s = 0; s < scan.time(); ++s) {
      float* now = d.h + s * rows * h;
      const std::int64_t running = scan.running(s);
      if (s > 0) product_.run(context, running, {now - rows * h, h}, {now, h}, 1);
      scan.bias(now, running, h, bias_ == RecurrentBias::kDouble ? weights(scan, d, 3) : nullptr,
                activation_);
      run<EndSteps>(context, EndStepsArgs{.rows = scan.at(s), .columns = h, .values = now});
    }
  }

  void read_backward(const Scan& scan, const Direction& d, const float* dh, float* dx) override {
    const Context& context = scan.call.context;
    const std::int64_t h = hidden();
    const std::int64_t rows = scan.rows();
    product_.set_input_gradient(context, {weights(scan, d, 1), h});
    for (std::int64_t s = scan.time() - 1; s >= 0; --s) {
      const std::int64_t first = s * rows * h;
      run<SimpleStepBackward>(context, SimpleStepBackwardArgs{.rows = scan.at(s),
                                                              .hidden = h,
                                                              .h = d.h + first,
                                                              .dy = dh + first,
                                                              .carry = carry(),
                                                              .da = da_.data() + first,
                                                              .activation = activation_});
      if (s > 0) product_.run(context, scan.running(s), {da_.data() + first, h}, {carry(), h}, 0);
    }
    const std::int64_t all = scan.all_rows();
    const ConstMatrix da{da_.data(), h};
    if (trains()) {
      project_weight_gradient(context, all, h, in(), {d.x, in()}, da, {weight_gradients(scan, d, 0), in()});
      project_weight_gradient(context, all - rows, h, h, {d.h, h}, {da_.data() + rows * h, h},
                              {weight_gradients(scan, d, 1), h});
      scan.add_column_sums(da_.data(), all, h, weight_gradients(scan, d, 2));
      if (bias_ == RecurrentBias::kDouble)
        scan.add_column_sums(da_.data(), all, h, weight_gradients(scan, d, 3));
    }
    if (dx != nullptr)
      project_input_gradient(context, all, h, in(), da, {weights(scan, d, 0), in()}, {dx, in()}, 0);
  }

 private:
  Activation activation_;
  RecurrentBias bias_;
  StepProduct product_;
  Tensor da_;
};

struct SimpleRnn : LayerBodyOf<SimpleRnn> {
  static constexpr const char* kType = "simple_rnn";
  RecurrentSettings s;
  Activation activation = Activation::kTanh;
  RecurrentBias bias = RecurrentBias::kSingle;

  void describe(SettingsVisitor& v) override {
    static const Options<Activation> kActivations{{"tanh", Activation::kTanh}, {"relu", Activation::kRelu}};
    s.describe(v);
    v.choice("activation", activation, kActivations, {"of the state"});
    describe_recurrent_bias(v, bias);
  }
  void plan(NodePlan& node) const override {
    node.need_inputs(1);
    const ValueType x = node.need_sequence();
    if (s.layers > 1) return plan_stack(node, *this);
    for (std::int64_t d = 0; d < s.directions(); ++d) {
      const std::string prefix = kDirections[static_cast<std::size_t>(d)];
      node.block(prefix + "w_x", {s.hidden, x.item[0]}, s.input_init(x.item[0], 1));
      node.block(prefix + "w_h", {s.hidden, s.hidden}, s.recurrent_init(1));
      node.block(prefix + "b", {s.hidden}, s.bias_init());
      if (bias == RecurrentBias::kDouble) node.block(prefix + "b_h", {s.hidden}, s.bias_init());
    }
    node.set_reversed_from(s.hidden);
    node.layer<SimpleRnnLayer>(ValueType{Shape{s.directions() * s.hidden}, x.clock}, s.hidden,
                               s.bidirectional, activation, bias);
  }
};

}  // namespace

std::unique_ptr<LayerBody> make_simple_rnn() { return std::make_unique<SimpleRnn>(); }

}  // namespace serval::nn
