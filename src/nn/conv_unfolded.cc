// Convolution from portable ops: an image and group at a time, unfolded, so that memory stays small.
#include "serval/nn/conv.h"
#include "serval/nn/gemm.h"
#include "serval/nn/unfold.h"

namespace serval::nn {

namespace {

std::int64_t depth(const ConvShape& s) { return s.group_in() * s.taps(); }

TensorView columns_in(const TensorView& workspace, const ConvShape& s) {
  SERVAL_CHECK(workspace.size() >= unfolded_conv2d_workspace_size(s), to_string(s), " unfolded in ",
               workspace.size());
  return {workspace.data, Shape{depth(s), s.out_pixels()}, workspace.device};
}

template <class Body>
void for_each_group(const ConvShape& s, Body body) {
  for (std::int64_t image = 0; image < s.batch; ++image)
    for (std::int64_t group = 0; group < s.groups; ++group) body(image, group);
}

// Where results and weights of a group are.
std::int64_t result(const ConvShape& s, std::int64_t image, std::int64_t group) {
  return (image * s.out_channels + group * s.group_out()) * s.out_pixels();
}
std::int64_t weight(const ConvShape& s, std::int64_t group) { return group * s.group_out() * depth(s); }

}  // namespace

std::int64_t unfolded_conv2d_workspace_size(const ConvShape& s) { return depth(s) * s.out_pixels(); }

void unfolded_conv2d_forward(const Context& context, const Conv2dForwardArgs& args) {
  const ConvShape& s = args.shape;
  const TensorView columns = columns_in(args.workspace, s);
  for_each_group(s, [&](std::int64_t image, std::int64_t group) {
    run<UnfoldImage>(
        context,
        UnfoldImageArgs{.shape = s, .x = args.x, .columns = columns, .image = image, .group = group});
    run<Gemm>(context, GemmArgs{.m = s.group_out(),
                                .n = s.out_pixels(),
                                .k = depth(s),
                                .a = args.weights.data + weight(s, group),
                                .lda = depth(s),
                                .b = columns.data,
                                .ldb = s.out_pixels(),
                                .c = args.y.data + result(s, image, group),
                                .ldc = s.out_pixels()});
  });
  run<ChannelBiasActivation>(context, ChannelBiasActivationArgs{.images = s.batch,
                                                                .channels = s.out_channels,
                                                                .pixels = s.out_pixels(),
                                                                .y = args.y,
                                                                .bias = args.bias,
                                                                .activation = args.activation});
}

void unfolded_conv2d_backward_input(const Context& context, const Conv2dBackwardInputArgs& args) {
  const ConvShape& s = args.shape;
  const TensorView columns = columns_in(args.workspace, s);
  for_each_group(s, [&](std::int64_t image, std::int64_t group) {
    run<Gemm>(context, GemmArgs{.transpose_a = Transpose::kYes,
                                .m = depth(s),
                                .n = s.out_pixels(),
                                .k = s.group_out(),
                                .a = args.weights.data + weight(s, group),
                                .lda = depth(s),
                                .b = args.dy.data + result(s, image, group),
                                .ldb = s.out_pixels(),
                                .c = columns.data,
                                .ldc = s.out_pixels()});
    run<FoldImage>(
        context,
        FoldImageArgs{.shape = s, .columns = columns, .dx = args.dx, .image = image, .group = group});
  });
}

void unfolded_conv2d_backward_weights(const Context& context, const Conv2dBackwardWeightsArgs& args) {
  const ConvShape& s = args.shape;
  const TensorView columns = columns_in(args.workspace, s);
  for_each_group(s, [&](std::int64_t image, std::int64_t group) {
    run<UnfoldImage>(
        context,
        UnfoldImageArgs{.shape = s, .x = args.x, .columns = columns, .image = image, .group = group});
    run<Gemm>(context, GemmArgs{.transpose_b = Transpose::kYes,
                                .m = s.group_out(),
                                .n = depth(s),
                                .k = s.out_pixels(),
                                .a = args.dy.data + result(s, image, group),
                                .lda = s.out_pixels(),
                                .b = columns.data,
                                .ldb = s.out_pixels(),
                                .beta = 1,
                                .c = args.dweights.data + weight(s, group),
                                .ldc = depth(s)});
  });
  if (args.dbias.empty()) return;
  run<ChannelSum>(context, ChannelSumArgs{.images = s.batch,
                                          .channels = s.out_channels,
                                          .pixels = s.out_pixels(),
                                          .x = args.dy,
                                          .sums = args.dbias});
}

}  // namespace serval::nn
