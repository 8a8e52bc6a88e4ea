// The checked entries of nn/conv.h, the same for every device.
#include "serval/nn/conv.h"

#include "serval/nn/batch_norm.h"

namespace serval::nn {

namespace {

void check_shape(const ConvShape& s) {
  SERVAL_CHECK(s.batch >= 1 && s.groups >= 1 && s.in_channels >= 1 && s.out_channels >= 1 &&
                   s.in_channels % s.groups == 0 && s.out_channels % s.groups == 0 && s.stride_height >= 1 &&
                   s.stride_width >= 1 && s.dilation_height >= 1 && s.dilation_width >= 1 && s.top >= 0 &&
                   s.bottom >= 0 && s.left >= 0 && s.right >= 0 && s.out_height() >= 1 && s.out_width() >= 1,
               to_string(s));
}

void check_sizes(const Context& context, const ConvShape& s, std::int64_t x, std::int64_t weights,
                 std::int64_t y, const TensorView& workspace, bool training) {
  check_shape(s);
  SERVAL_CHECK(x == s.input_size() && weights == s.weight_size() && y == s.output_size(), to_string(s),
               " with x of ", x, ", weights of ", weights, " and y of ", y);
  const std::int64_t floats = conv2d_workspace_size(context, s, training);
  SERVAL_CHECK(workspace.size() >= floats, to_string(s), " in a workspace of ", workspace.size(),
               ", expected ", floats);
}

}  // namespace

std::string to_string(const ConvShape& s) {
  return cat("convolution of [", s.batch, ", ", s.in_channels, ", ", s.height, ", ", s.width, "] to ",
             s.out_channels, " channels, kernel [", s.kernel_height, ", ", s.kernel_width, "], stride [",
             s.stride_height, ", ", s.stride_width, "], dilation [", s.dilation_height, ", ",
             s.dilation_width, "], padding [", s.top, ", ", s.bottom, ", ", s.left, ", ", s.right, "], ",
             s.groups, s.groups == 1 ? " group" : " groups");
}

std::int64_t conv2d_workspace_size(const Context& context, const ConvShape& shape, bool training) {
  check_shape(shape);
  std::int64_t floats = 0;
  run<Conv2dWorkspaceSize>(context, shape, training, &floats);
  return floats;
}

void conv2d_forward(const Context& context, const Conv2dForwardArgs& args) {
  check_sizes(context, args.shape, args.x.size(), args.weights.size(), args.y.size(), args.workspace, false);
  SERVAL_CHECK(args.bias.empty() || args.bias.size() == args.shape.out_channels, "conv2d bias ",
               to_string(args.bias.shape));
  SERVAL_CHECK(fusable(args.activation), "conv2d with an activation that needs its input");
  SERVAL_CHECK(args.norm == nullptr ||
                   (context.device().kind == DeviceKind::kCpu && args.activation == Activation::kNone &&
                    args.norm->shape.groups == 1 && args.norm->shape.channels == args.shape.out_channels &&
                    args.norm->shape.size() == args.y.size()),
               "conv2d with a norm");
  run<Conv2dForward>(context, args);
}

void conv2d_backward_input(const Context& context, const Conv2dBackwardInputArgs& args) {
  check_sizes(context, args.shape, args.dx.size(), args.weights.size(), args.dy.size(), args.workspace, true);
  run<Conv2dBackwardInput>(context, args);
}

void conv2d_backward_weights(const Context& context, const Conv2dBackwardWeightsArgs& args) {
  check_sizes(context, args.shape, args.x.size(), args.dweights.size(), args.dy.size(), args.workspace, true);
  SERVAL_CHECK(args.dbias.empty() || args.dbias.size() == args.shape.out_channels, "conv2d dbias ",
               to_string(args.dbias.shape));
  run<Conv2dBackwardWeights>(context, args);
}

}  // namespace serval::nn
