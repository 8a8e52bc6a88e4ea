// Convolution bodies.
#include "cuda/nn/bodies.cuh"

namespace serval::nn {

void bodies::conv2d_workspace_size(const Context&, const ConvShape& shape, bool, std::int64_t* floats) {
  *floats = unfolded_conv2d_workspace_size(shape);
}
void bodies::conv2d_forward(const Context& context, const Conv2dForwardArgs& args) {
  unfolded_conv2d_forward(context, args);
}
void bodies::conv2d_backward_input(const Context& context, const Conv2dBackwardInputArgs& args) {
  unfolded_conv2d_backward_input(context, args);
}
void bodies::conv2d_backward_weights(const Context& context, const Conv2dBackwardWeightsArgs& args) {
  unfolded_conv2d_backward_weights(context, args);
}

}  // namespace serval::nn
