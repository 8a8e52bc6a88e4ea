// Windows that layers move over images or along time, from the settings of the layer.
#pragma once

#include <algorithm>

#include "network.h"

namespace serval::deploy::onnx {

struct Window {
  std::int64_t kernel = 1, stride = 1, dilation = 1;
  bool same = false;                    // as many results as the input has, over the stride
  std::int64_t before = 0, behind = 0;  // padding, where it is not that

  std::int64_t extent() const { return 1 + dilation * (kernel - 1); }
};

// Of one of `axes` axes. A list has one number for all of them or one for each; padding may have one for each side.
inline Window window(const LayerWriter& layer, std::size_t axes, std::size_t axis, bool dilates) {
  const auto of_axis = [&](const Ints& values) { return values.size() == 1 ? values.front() : values[axis]; };
  Window out;
  out.kernel = of_axis(layer.integers("kernel"));
  const Ints strides = layer.integers("stride");
  out.stride = strides.empty() ? out.kernel : of_axis(strides);
  if (dilates) out.dilation = of_axis(layer.integers("dilation"));
  out.same = layer.text("padding") == "same";
  const Ints padding = layer.integers("padding");
  if (padding.size() == 2 * axes) {
    out.before = padding[2 * axis];
    out.behind = padding[2 * axis + 1];
  } else if (!padding.empty()) {
    out.before = out.behind = of_axis(padding);
  }
  return out;
}

// On an axis of a known size, so that the padding of "same" is known: halved, an odd one behind.
inline Window window_on(const LayerWriter& layer, std::size_t axes, std::size_t axis, bool dilates,
                        std::int64_t size) {
  Window out = window(layer, axes, axis, dilates);
  if (!out.same) return out;
  const std::int64_t results = (size + out.stride - 1) / out.stride;
  const std::int64_t missing = std::max<std::int64_t>((results - 1) * out.stride + out.extent() - size, 0);
  out.before = missing / 2;
  out.behind = missing - out.before;
  return out;
}

}  // namespace serval::deploy::onnx
