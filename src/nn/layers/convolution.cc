#include "convolution.h"

#include <algorithm>

#include "shared_settings.h"

namespace serval::nn {

void describe_convolution(SettingsVisitor& v, ConvolutionSettings& s, int axes) {
  v.integer("channels", s.channels, {.min = 1, .max = 65536},
            {"how many it gives", "channels", Need::kRequired});
  describe_kernel(v, s.window, axes);
  describe_stride(v, s.window.stride, axes,
                  axes == 1 ? "from one result to the next"
                            : "from one result to the next: one number, or [height, width]");
  v.check(!s.window.stride.empty(), "stride", "must not be empty");
  describe_dilation(v, s.window, axes);
  describe_padding(v, s.window.padding, axes);
  v.integer("groups", s.groups, {.min = 1, .max = 65536},
            {"parts of the channels, each convolved by itself; as many as channels: depthwise"});
  describe_activation(v, s.activation);
  v.flag("bias", s.bias, {"adds a bias to each channel"});
  describe_initialiser(v, s.init);
}

void check_channels(const NodePlan& node, const ConvolutionSettings& s, std::int64_t in) {
  if (s.channels < 1) node.fail("has no channels; say how many it gives, such as 32");
  if (s.channels % s.groups != 0)
    node.fail(cat("has ", s.channels, " channels, which ", s.groups, " groups do not divide"));
  if (in % s.groups != 0) {
    node.fail_size(cat("has ", s.groups, " groups, which do not divide the ", in,
                       " channels of its input; take a divisor of both"));
  }
}

void describe_pool(SettingsVisitor& v, PoolSettings& s, int axes) {
  describe_kernel(v, s.window, axes);
  describe_stride(v, s.window.stride, axes, "from one result to the next; as the kernel when left out");
  describe_padding(v, s.window.padding, axes);
}
void describe_count_padding(SettingsVisitor& v, PoolSettings& s) {
  v.flag("count_padding", s.count_padding,
         {"the mean counts the padding as zeros, instead of leaving it out"});
}

void check_pool_padding(const NodePlan& node, const PoolSettings& s, const Window& one) {
  if (s.window.padding.same() || std::max(one.before, one.behind) <= one.kernel / 2) return;
  node.fail(cat("has a padding of ", std::max(one.before, one.behind), ", more than half its window of ",
                one.kernel));
}

}  // namespace serval::nn
