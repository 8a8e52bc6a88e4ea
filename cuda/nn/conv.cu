// Convolution bodies: cuDNN, and unfolded images where it has no algorithm that gives the same bits each time. It pads
// opposite sides alike, so an image with other padding is copied with it first.
#include <algorithm>

#include "serval/nn/unfold.h"

#include "cuda/nn/bodies.cuh"
#include "cuda/nn/conv_plan.cuh"

namespace serval::nn {

namespace {

bool even_padding(const ConvShape& s) { return s.top == s.bottom && s.left == s.right; }

// The same convolution of an image that has its padding around it already.
ConvShape padded(ConvShape s) {
  if (even_padding(s)) return s;
  s.height += s.top + s.bottom;
  s.width += s.left + s.right;
  s.top = s.bottom = s.left = s.right = 0;
  return s;
}

PadImagesArgs padding(const ConvShape& s) {
  const ConvShape around = padded(s);
  return {.planes = s.batch * s.in_channels,
          .height = s.height,
          .width = s.width,
          .padded_height = around.height,
          .padded_width = around.width,
          .top = s.top,
          .left = s.left};
}

TensorView padded_in(const TensorView& workspace, const ConvShape& s) {
  return {workspace.data, Shape{padded(s).input_size()}, workspace.device};
}

// x, or a padded copy of it.
const float* padded_input(const Context& context, const ConvShape& s, const ConstTensorView& x,
                          const TensorView& workspace) {
  if (even_padding(s)) return x.data;
  PadImagesArgs args = padding(s);
  args.from = x;
  args.to = padded_in(workspace, s);
  run<PadImages>(context, args);
  return workspace.data;
}

const ConvPlan& plan_of(const Context& context, const ConvShape& s) {
  return conv_plan(cuda::cuda_state(context), context.device(), padded(s));
}

constexpr float kOne = 1;
constexpr float kZero = 0;

}  // namespace

void bodies::conv2d_workspace_size(const Context& context, const ConvShape& s, bool training,
                                   std::int64_t* floats) {
  const ConvPlan& plan = plan_of(context, s);
  std::size_t bytes = plan.forward() ? plan.forward()->bytes : 0;
  if (training) {
    if (plan.input()) bytes = std::max(bytes, plan.input()->bytes);
    if (plan.weights()) bytes = std::max(bytes, plan.weights()->bytes);
  }
  cuda::cuda_state(context).workspace(bytes);  // now, so that no later call has to allocate
  *floats = even_padding(s) ? 0 : padded(s).input_size();
  if (!plan.complete()) *floats = std::max(*floats, unfolded_conv2d_workspace_size(s));
}

void bodies::conv2d_forward(const Context& context, const Conv2dForwardArgs& args) {
  const ConvShape& s = args.shape;
  const ConvPlan& plan = plan_of(context, s);
  if (!plan.forward()) return unfolded_conv2d_forward(context, args);
  cuda::CudaState& state = cuda::cuda_state(context);
  const float* x = padded_input(context, s, args.x, args.workspace);
  SERVAL_CUDNN_CHECK(cudnnConvolutionForward(state.cudnn(), &kOne, plan.x(), x, plan.w(), args.weights.data,
                                             plan.convolution(), plan.forward()->algorithm,
                                             state.workspace(plan.forward()->bytes), plan.forward()->bytes,
                                             &kZero, plan.y(), args.y.data));
  if (args.bias.empty() && args.activation == Activation::kNone) return;
  run<ChannelBiasActivation>(context, ChannelBiasActivationArgs{.images = s.batch,
                                                                .channels = s.out_channels,
                                                                .pixels = s.out_pixels(),
                                                                .y = args.y,
                                                                .bias = args.bias,
                                                                .activation = args.activation});
}

void bodies::conv2d_backward_input(const Context& context, const Conv2dBackwardInputArgs& args) {
  const ConvShape& s = args.shape;
  const ConvPlan& plan = plan_of(context, s);
  if (!plan.input()) return unfolded_conv2d_backward_input(context, args);
  cuda::CudaState& state = cuda::cuda_state(context);
  float* dx = even_padding(s) ? args.dx.data : args.workspace.data;
  SERVAL_CUDNN_CHECK(cudnnConvolutionBackwardData(state.cudnn(), &kOne, plan.w(), args.weights.data, plan.y(),
                                                  args.dy.data, plan.convolution(), plan.input()->algorithm,
                                                  state.workspace(plan.input()->bytes), plan.input()->bytes,
                                                  &kZero, plan.x(), dx));
  if (even_padding(s)) return;
  PadImagesArgs crop = padding(s);
  crop.from = padded_in(args.workspace, s);
  crop.to = args.dx;
  crop.crop = true;
  run<PadImages>(context, crop);
}

void bodies::conv2d_backward_weights(const Context& context, const Conv2dBackwardWeightsArgs& args) {
  const ConvShape& s = args.shape;
  const ConvPlan& plan = plan_of(context, s);
  if (!plan.weights()) return unfolded_conv2d_backward_weights(context, args);
  cuda::CudaState& state = cuda::cuda_state(context);
  const float* x = padded_input(context, s, args.x, args.workspace);
  SERVAL_CUDNN_CHECK(cudnnConvolutionBackwardFilter(
      state.cudnn(), &kOne, plan.x(), x, plan.y(), args.dy.data, plan.convolution(),
      plan.weights()->algorithm, state.workspace(plan.weights()->bytes), plan.weights()->bytes, &kOne,
      plan.w(), args.dweights.data));
  if (args.dbias.empty()) return;
  run<ChannelSum>(context, ChannelSumArgs{.images = s.batch,
                                          .channels = s.out_channels,
                                          .pixels = s.out_pixels(),
                                          .x = args.dy,
                                          .sums = args.dbias});
}

}  // namespace serval::nn
