// Convolution of images. Blocks, as PyTorch lays them out: w [channels, in / groups, kernel height, kernel width],
// b [channels] (where there is a bias).
#include "serval/nn/conv.h"

#include "../layer.h"
#include "activation.h"
#include "layers.h"
#include "shared_settings.h"
#include "window.h"

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
    conv2d_forward(call.context, {.shape = shape(call),
                                  .x = x[0],
                                  .weights = parameter(call, 0),
                                  .bias = bias_ ? parameter(call, 1) : ConstTensorView{},
                                  .y = y,
                                  .activation = activation_,
                                  .workspace = workspace_.view()});
  }

  void backward(const LayerCall& call, const Backward& b) override {
    if (activation_ != Activation::kNone) {
      run<ActivationBackward>(call.context,
                              ActivationBackwardArgs{.y = b.y, .dy = b.dy, .activation = activation_});
    }
    conv2d_backward_weights(call.context, {.shape = shape(call),
                                           .x = b.x[0],
                                           .dy = b.dy,
                                           .dweights = gradient(call, 0),
                                           .dbias = bias_ ? gradient(call, 1) : TensorView{},
                                           .workspace = workspace_.view()});
    if (b.dx[0].empty()) return;
    conv2d_backward_input(call.context, {.shape = shape(call),
                                         .dy = b.dy,
                                         .weights = parameter(call, 0),
                                         .dx = b.dx[0],
                                         .workspace = workspace_.view()});
  }

 private:
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
  std::int64_t channels = 0;
  WindowSettings window;
  std::int64_t groups = 1;
  Activation activation = Activation::kNone;
  bool bias = true;
  InitKind init = InitKind::kGlorotUniform;

  void describe(SettingsVisitor& v) override {
    v.integer("channels", channels, {.min = 1, .max = 65536},
              {"how many it gives", "channels", Need::kRequired});
    describe_kernel(v, window, 2);
    describe_stride(v, window.stride, 2, "from one result to the next: one number, or [height, width]");
    describe_dilation(v, window, 2);
    describe_padding(v, window.padding, 2);
    v.integer("groups", groups, {.min = 1, .max = 65536},
              {"parts of the channels, each convolved by itself; as many as channels: depthwise"});
    describe_activation(v, activation);
    v.flag("bias", bias, {"adds a bias to each channel"});
    describe_initialiser(v, init);
  }

  void plan(NodePlan& node) const override {
    node.need_inputs(1);
    const ValueType x = node.need_images();
    if (channels < 1) node.fail("has no channels; say how many it gives, such as 32");
    if (channels % groups != 0) {
      node.fail(cat("has ", channels, " channels, which ", groups, " groups do not divide"));
    }
    if (x.item[0] % groups != 0) {
      node.fail_size(cat("has ", groups, " groups, which do not divide the ", x.item[0],
                         " channels of its input; take a divisor of both"));
    }
    if (!fusable(activation)) {
      Conv2d linear = *this;
      linear.activation = Activation::kNone;
      return node.result(add_activation(node, node.add("linear", linear, {node.input_value()}), activation));
    }
    const Window down = window_on(node, window, 0, x.item[1]);
    const Window along = window_on(node, window, 1, x.item[2]);
    const ConvShape shape{.batch = 1,
                          .in_channels = x.item[0],
                          .height = x.item[1],
                          .width = x.item[2],
                          .out_channels = channels,
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
                          .groups = groups};
    const std::int64_t fan_in = shape.group_in() * shape.taps();
    node.block("w", {channels, shape.group_in(), down.kernel, along.kernel},
               initialiser(init, fan_in, channels * shape.taps()));
    if (bias) node.block("b", {channels}, bias_initialiser(init, fan_in));
    node.layer<Conv2dLayer>(ValueType{Shape{channels, shape.out_height(), shape.out_width()}, x.clock}, shape,
                            activation, bias);
  }
};

}  // namespace

std::unique_ptr<LayerBody> make_conv2d() { return std::make_unique<Conv2d>(); }

}  // namespace serval::nn
