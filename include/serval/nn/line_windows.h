// Windows of one axis as rows, so that a product makes a convolution. An item has `width` places with `channels` values
// each, wherever they lie; window w reads places w - left to w - left + kernel - 1, and 0 beyond the edges.
#pragma once

#include "serval/core/portable_op.h"

namespace serval::nn {

struct LineWindowsShape {
  std::int64_t items = 0, channels = 0, width = 0, kernel = 1;
  std::int64_t channel_stride = 0, place_stride = 0;  // item i starts at i * channels * width

  SERVAL_HD std::int64_t left() const { return (kernel - 1) / 2; }
  SERVAL_HD std::int64_t columns() const { return channels * kernel; }
  SERVAL_HD std::int64_t place(std::int64_t item, std::int64_t channel, std::int64_t w) const {
    return item * channels * width + channel * channel_stride + w * place_stride;
  }
};

// windows[item, w, c * kernel + k] = values[item, c, w - left + k]
struct LineWindowsArgs {
  LineWindowsShape shape;
  const float* values = nullptr;
  float* windows = nullptr;

  SERVAL_HD std::int64_t teams() const { return shape.items * shape.width; }
  template <class Team>
  SERVAL_HD void work(const Team& team, std::int64_t row) const {
    const std::int64_t item = row / shape.width;
    const std::int64_t start = row % shape.width - shape.left();
    float* to = windows + row * shape.columns();
    for (std::int64_t i = team.rank(); i < shape.columns(); i += team.size()) {
      const std::int64_t w = start + i % shape.kernel;
      to[i] = w < 0 || w >= shape.width ? 0.0f : values[shape.place(item, i / shape.kernel, w)];
    }
  }
};
struct LineWindows : PortableOp<LineWindowsArgs> {
  static constexpr const char* kName = "line_windows";
};

// The gradient: values[item, c, w] = sum over the windows that read it.
struct LineWindowsBackwardArgs {
  LineWindowsShape shape;
  const float* windows = nullptr;
  float* values = nullptr;

  SERVAL_HD std::int64_t teams() const { return shape.items * shape.width; }
  template <class Team>
  SERVAL_HD void work(const Team& team, std::int64_t row) const {
    const std::int64_t item = row / shape.width;
    const std::int64_t place = row % shape.width;
    for (std::int64_t c = team.rank(); c < shape.channels; c += team.size()) {
      float sum = 0;
      for (std::int64_t k = 0; k < shape.kernel; ++k) {
        const std::int64_t w = place + shape.left() - k;
        if (w >= 0 && w < shape.width)
          sum += windows[(item * shape.width + w) * shape.columns() + c * shape.kernel + k];
      }
      values[shape.place(item, c, place)] = sum;
    }
  }
};
struct LineWindowsBackward : PortableOp<LineWindowsBackwardArgs> {
  static constexpr const char* kName = "line_windows_backward";
};

template <class List>
void list_line_window_ops(List& list) {
  list.template op<LineWindows>();
  list.template op<LineWindowsBackward>();
}

}  // namespace serval::nn
