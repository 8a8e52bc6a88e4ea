// Convolution of images, as PyTorch's conv2d: the kernel is not flipped.
//   y[n, o, i, j] = f(b[o] + sum over c, u, v of w[o, c, u, v] x[n, g(o) + c, i sh + u dh - top, j sw + v dw - left])
// where x is 0 outside the image, o belongs to one of `groups` equal groups of outputs, and g(o) is the first channel of
// the same group of inputs. Each output's sum has one order, whatever else is in the batch.
#pragma once

#include "serval/nn/pointwise.h"

namespace serval::nn {

struct ConvShape {
  std::int64_t batch = 0;
  std::int64_t in_channels = 0, height = 0, width = 0;
  std::int64_t out_channels = 0, kernel_height = 1, kernel_width = 1;
  std::int64_t stride_height = 1, stride_width = 1;
  std::int64_t dilation_height = 1, dilation_width = 1;
  std::int64_t top = 0, bottom = 0, left = 0, right = 0;  // zeros around the image
  std::int64_t groups = 1;

  SERVAL_HD std::int64_t out_height() const {
    return steps(height + top + bottom, kernel_height, stride_height, dilation_height);
  }
  SERVAL_HD std::int64_t out_width() const {
    return steps(width + left + right, kernel_width, stride_width, dilation_width);
  }
  SERVAL_HD std::int64_t out_pixels() const { return out_height() * out_width(); }
  SERVAL_HD std::int64_t pixels() const { return height * width; }
  SERVAL_HD std::int64_t group_in() const { return in_channels / groups; }
  SERVAL_HD std::int64_t group_out() const { return out_channels / groups; }
  SERVAL_HD std::int64_t taps() const { return kernel_height * kernel_width; }
  SERVAL_HD std::int64_t input_size() const { return batch * in_channels * pixels(); }
  SERVAL_HD std::int64_t output_size() const { return batch * out_channels * out_pixels(); }
  SERVAL_HD std::int64_t weight_size() const { return out_channels * group_in() * taps(); }

 private:
  SERVAL_HD static std::int64_t steps(std::int64_t padded, std::int64_t kernel, std::int64_t stride,
                                      std::int64_t dilation) {
    const std::int64_t room = padded - dilation * (kernel - 1) - 1;
    return room < 0 ? 0 : room / stride + 1;
  }
};
std::string to_string(const ConvShape& shape);

struct ChannelNorm;

struct Conv2dForwardArgs {
  ConvShape shape;
  ConstTensorView x;        // [batch, in, height, width]
  ConstTensorView weights;  // [out, in / groups, kernel_height, kernel_width]
  ConstTensorView bias;     // [out], or empty
  TensorView y;             // [batch, out, out_height, out_width], overwritten
  Activation activation = Activation::kNone;
  TensorView workspace;               // of conv2d_workspace_size() floats or more
  const ChannelNorm* norm = nullptr;  // CPU, no activation: y is what this norm makes of it, to the bit
};
struct Conv2dForward {
  static constexpr const char* kName = "conv2d_forward";
  using Signature = void(const Context&, const Conv2dForwardArgs&);
};

// dy is the gradient before the activation.
struct Conv2dBackwardInputArgs {
  ConvShape shape;
  ConstTensorView dy;
  ConstTensorView weights;
  TensorView dx;  // overwritten
  TensorView workspace;
};
struct Conv2dBackwardInput {
  static constexpr const char* kName = "conv2d_backward_input";
  using Signature = void(const Context&, const Conv2dBackwardInputArgs&);
};

struct Conv2dBackwardWeightsArgs {
  ConvShape shape;
  ConstTensorView x;
  ConstTensorView dy;
  TensorView dweights;  // added to
  TensorView dbias;     // added to; may be empty
  TensorView workspace;
};
struct Conv2dBackwardWeights {
  static constexpr const char* kName = "conv2d_backward_weights";
  using Signature = void(const Context&, const Conv2dBackwardWeightsArgs&);
};

// Floats for calls of this shape and of any smaller batch. On a GPU, what cuDNN needs is set aside at once.
struct Conv2dWorkspaceSize {
  static constexpr const char* kName = "conv2d_workspace_size";
  using Signature = void(const Context&, const ConvShape&, bool training, std::int64_t* floats);
};

std::int64_t conv2d_workspace_size(const Context& context, const ConvShape& shape, bool training);
void conv2d_forward(const Context& context, const Conv2dForwardArgs& args);
void conv2d_backward_input(const Context& context, const Conv2dBackwardInputArgs& args);
void conv2d_backward_weights(const Context& context, const Conv2dBackwardWeightsArgs& args);

// The same from unfolded images and matrix products: ops that every device has. For what cuDNN cannot do.
std::int64_t unfolded_conv2d_workspace_size(const ConvShape& shape);
void unfolded_conv2d_forward(const Context& context, const Conv2dForwardArgs& args);
void unfolded_conv2d_backward_input(const Context& context, const Conv2dBackwardInputArgs& args);
void unfolded_conv2d_backward_weights(const Context& context, const Conv2dBackwardWeightsArgs& args);

}  // namespace serval::nn
