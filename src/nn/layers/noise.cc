// Spatial dropout and Gaussian noise in training; outside it the input goes through untouched. No blocks.
#include "serval/nn/noise.h"

#include "serval/nn/arithmetic.h"
#include "serval/nn/joining.h"

#include "../layer.h"
#include "layers.h"
#include "shared_settings.h"

namespace serval::nn {

namespace {

// A whole channel of an image, or a whole feature of a sequence, for all of its steps.
class SpatialDropoutLayer : public Layer {
 public:
  SpatialDropoutLayer(const LayerBuild& build, double rate, std::uint32_t number)
      : Layer(build), rate_(static_cast<float>(rate)), number_(number) {
    gate_ = build.floats(build.sizes.training ? build.sizes.max_batch * input().item[0] : 0);
  }

  void forward(const LayerCall& call, std::span<const ConstTensorView> x, TensorView y) override {
    run<ChannelMask>(
        call.context,
        ChannelMaskArgs{.gate = gate(call), .rate = rate_, .random = training_stream(call.random, number_)});
    run<Gate>(call.context, GateArgs{.shape = shape(call), .x = x[0], .gate = gate(call), .y = y});
  }
  void backward(const LayerCall& call, const Backward& b) override {
    if (b.dx[0].empty()) return;
    run<Gate>(call.context, GateArgs{.shape = shape(call), .x = b.dy, .gate = gate(call), .y = b.dx[0]});
  }
  bool passes_through(Mode mode) const override { return mode == Mode::kInfer; }

 private:
  TensorView gate(const LayerCall& call) { return gate_.view(0, {call.batch, input().item[0]}); }
  GateShape shape(const LayerCall& call) const {
    const std::int64_t channels = input().item[0];
    GateShape out{.rows = call.batch * channels, .inner = input().item.size() / channels, .row_stride = 1};
    if (input().sequence()) out.outer = call.steps(input()).time;
    if (out.inner == 1) {  // long rows, not single numbers
      std::swap(out.rows, out.inner);
      std::swap(out.row_stride, out.inner_stride);
    }
    return out;
  }

  float rate_;
  std::uint32_t number_;
  Tensor gate_;
};

struct SpatialDropout : LayerBodyOf<SpatialDropout> {
  static constexpr const char* kType = "spatial_dropout";
  double rate = 0.5;

  void describe(SettingsVisitor& v) override {
    v.real("rate", rate, {.min = 0, .max = 0.99},
           {"share of channels of images, or features of sequences, set to 0 as a whole in training"});
  }
  void plan(NodePlan& node) const override {
    node.need_inputs(1);
    const ValueType& x = node.input();
    if (x.item.rank() != 1) node.need_images();
    if (x.item.rank() == 1 && !x.sequence()) {
      node.fail(cat("reads images or sequences, but gets ", to_string(x), "; use dropout for single values"));
    }
    node.set_reversed_from(node.reversed_from());
    node.layer<SpatialDropoutLayer>(x, rate, node.next_random_layer());
  }
};

class GaussianNoiseLayer : public Layer {
 public:
  GaussianNoiseLayer(const LayerBuild& build, double deviation, std::uint32_t number)
      : Layer(build), deviation_(static_cast<float>(deviation)), number_(number) {}

  void forward(const LayerCall& call, std::span<const ConstTensorView> x, TensorView y) override {
    run<GaussianNoise>(call.context, GaussianNoiseArgs{.batch = call.batch,
                                                       .columns = input().item.size(),
                                                       .time_stride = input().sequence() ? kTimeStride : 1,
                                                       .x = x[0],
                                                       .y = y,
                                                       .deviation = deviation_,
                                                       .random = training_stream(call.random, number_)});
  }
  void backward(const LayerCall& call, const Backward& b) override {
    if (!b.dx[0].empty()) run<AddInto>(call.context, AddIntoArgs{b.dy, b.dx[0], 0});
  }
  bool passes_through(Mode mode) const override { return mode == Mode::kInfer; }

 private:
  float deviation_;
  std::uint32_t number_;
};

struct GaussianNoiseBody : LayerBodyOf<GaussianNoiseBody> {
  static constexpr const char* kType = "gaussian_noise";
  double deviation = 0.1;

  void describe(SettingsVisitor& v) override {
    v.real("deviation", deviation, {.min = 0, .max = 1000},
           {"standard deviation of what is added in training"});
  }
  void plan(NodePlan& node) const override {
    node.need_inputs(1);
    node.set_reversed_from(node.reversed_from());
    node.layer<GaussianNoiseLayer>(node.input(), deviation, node.next_random_layer());
  }
};

}  // namespace

std::unique_ptr<LayerBody> make_spatial_dropout() { return std::make_unique<SpatialDropout>(); }
std::unique_ptr<LayerBody> make_gaussian_noise() { return std::make_unique<GaussianNoiseBody>(); }

}  // namespace serval::nn
