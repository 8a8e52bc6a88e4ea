// Convolution of images. Blocks, as PyTorch lays them out: w [channels, in / groups, kernel height, kernel width],
// b [channels] (where there is a bias).
#include "serval/nn/conv.h"

#include "../layer.h"
#include "activation.h"
#include "convolution.h"
#include "layers.h"
#include "shared_settings.h"

namespace serval::nn {

namespace {

class Conv2dLayer : public Layer {
 public:
  Conv2dLayer(const LayerBuild& build, ConvShape shape, Activation activation, bool bias)
      : Layer(build), shape_(shape), activation_(activation), bias_(bias) {
    shape.batch = build.max_rows(input());
    workspace_ = build.floats(conv2d_workspace_size(build.context, shape, build.sizes.training));
  }

  void forward(const LayerCall& call, std::span<const ConstTensorView> x, TensorView y) override {
    conv2d_forward(call.context, arguments(call, x, y));
  }
  bool takes_norm() const override { return activation_ == Activation::kNone; }
  void forward_normed(const LayerCall& call, std::span<const ConstTensorView> x, const ChannelNorm& norm,
                      TensorView y) override {
    Conv2dForwardArgs args = arguments(call, x, y);
    args.norm = &norm;
    conv2d_forward(call.context, args);
  }

  void backward(const LayerCall& call, const Backward& b) override {
    if (activation_ != Activation::kNone) {
      run<ActivationBackward>(call.context,
                              ActivationBackwardArgs{.y = b.y, .dy = b.dy, .activation = activation_});
    }
    if (trains()) {
      conv2d_backward_weights(call.context, {.shape = shape(call),
                                             .x = b.x[0],
                                             .dy = b.dy,
                                             .dweights = gradient(call, 0),
                                             .dbias = bias_ ? gradient(call, 1) : TensorView{},
                                             .workspace = workspace_.view()});
    }
    if (b.dx[0].empty()) return;
    conv2d_backward_input(call.context, {.shape = shape(call),
                                         .dy = b.dy,
                                         .weights = parameter(call, 0),
                                         .dx = b.dx[0],
                                         .workspace = workspace_.view()});
  }

 private:
  Conv2dForwardArgs arguments(const LayerCall& call, std::span<const ConstTensorView> x, TensorView y) {
    return {.shape = shape(call),
            .x = x[0],
            .weights = parameter(call, 0),
            .bias = bias_ ? parameter(call, 1) : ConstTensorView{},
            .y = y,
            .activation = activation_,
            .workspace = workspace_.view()};
  }
  ConvShape shape(const LayerCall& call) const {
    ConvShape now = shape_;
    now.batch = call.rows(input());
    return now;
  }

  ConvShape shape_;
  Activation activation_;
  bool bias_;
  Tensor workspace_;
};

struct Conv2d : LayerBodyOf<Conv2d> {
  static constexpr const char* kType = "conv2d";
  ConvolutionSettings settings;

  Conv2d() = default;
  explicit Conv2d(ConvolutionSettings s) : settings(std::move(s)) {}

  void describe(SettingsVisitor& v) override { describe_convolution(v, settings, 2); }

  void plan(NodePlan& node) const override {
    node.need_inputs(1);
    const ValueType x = node.need_images();
    check_channels(node, settings, x.item[0]);
    if (!fusable(settings.activation)) {
      Conv2d linear = *this;
      linear.settings.activation = Activation::kNone;
      const int value = node.add("linear", linear, {node.input_value()});
      return node.result(add_activation(node, value, settings.activation));
    }
    const Window down = window_on(node, settings.window, 0, x.item[1]);
    const Window along = window_on(node, settings.window, 1, x.item[2]);
    const ConvShape shape{.batch = 1,
                          .in_channels = x.item[0],
                          .height = x.item[1],
                          .width = x.item[2],
                          .out_channels = settings.channels,
                          .kernel_height = down.kernel,
                          .kernel_width = along.kernel,
                          .stride_height = down.stride,
                          .stride_width = along.stride,
                          .dilation_height = down.dilation,
                          .dilation_width = along.dilation,
                          .top = down.before,
                          .bottom = down.behind,
                          .left = along.before,
                          .right = along.behind,
                          .groups = settings.groups};
    const std::int64_t fan_in = shape.group_in() * shape.taps();
    node.block("w", {shape.out_channels, shape.group_in(), down.kernel, along.kernel},
               initialiser(settings.init, fan_in, shape.out_channels * shape.taps()));
    if (settings.bias) node.block("b", {shape.out_channels}, bias_initialiser(settings.init, fan_in));
    const Shape item{shape.out_channels, shape.out_height(), shape.out_width()};
    node.layer<Conv2dLayer>(ValueType{item, x.clock}, shape, settings.activation, settings.bias);
  }
};

}  // namespace

std::unique_ptr<LayerBody> make_conv2d() { return std::make_unique<Conv2d>(); }
std::unique_ptr<LayerBody> make_conv2d(ConvolutionSettings settings) {
  return std::make_unique<Conv2d>(std::move(settings));
}

}  // namespace serval::nn
