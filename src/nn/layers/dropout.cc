// Dropout in training; outside it the input goes through untouched.
#include "../layer.h"
#include "layers.h"
#include "shared_settings.h"

namespace serval::nn {

namespace {

class DropoutLayer : public Layer {
 public:
  DropoutLayer(const LayerBuild& build, double rate, std::uint32_t number)
      : Layer(build), rate_(static_cast<float>(rate)), number_(number) {}

  void forward(const LayerCall& call, std::span<const ConstTensorView> x, TensorView y) override {
    drop(call, x[0], y);
  }
  void backward(const LayerCall& call, const Backward& b) override {
    if (!b.dx[0].empty()) drop(call, b.dy, b.dx[0]);
  }
  bool passes_through(Mode mode) const override { return mode == Mode::kInfer; }

 private:
  void drop(const LayerCall& call, ConstTensorView from, TensorView to) const {
    const bool sequence = input().sequence();
    run<Dropout>(call.context, DropoutArgs{.time = sequence ? call.steps(input()).time : 1,
                                           .batch = call.batch,
                                           .columns = input().item.size(),
                                           .time_stride = sequence ? kTimeStride : 1,
                                           .x = from,
                                           .y = to,
                                           .rate = rate_,
                                           .random = training_stream(call.random, number_)});
  }

  float rate_;
  std::uint32_t number_;
};

struct DropoutBody : LayerBodyOf<DropoutBody> {
  static constexpr const char* kType = "dropout";
  double rate = 0.5;

  void describe(SettingsVisitor& v) override {
    v.real("rate", rate, {.min = 0, .max = 0.99}, {"share of values set to 0 in training"});
  }
  void plan(NodePlan& node) const override {
    node.need_inputs(1);
    node.set_reversed_from(node.reversed_from());
    node.layer<DropoutLayer>(node.input(), rate, node.next_random_layer());
  }
};

}  // namespace

std::unique_ptr<LayerBody> make_dropout() { return std::make_unique<DropoutBody>(); }
std::unique_ptr<LayerBody> make_dropout(double rate) {
  auto body = std::make_unique<DropoutBody>();
  body->rate = rate;
  return body;
}

}  // namespace serval::nn
