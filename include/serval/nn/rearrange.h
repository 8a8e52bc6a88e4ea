// The same numbers, or some of them, in another order.
#pragma once

#include <utility>

#include "serval/core/portable_op.h"
#include "serval/nn/value_type.h"

namespace serval::nn {

// y[a, b, c, d, e] = x at a * stride[0] + ... + e * stride[4]; y lies densely.
struct StridedCopyArgs {
  static constexpr int kAxes = 5;
  std::int64_t size[kAxes] = {1, 1, 1, 1, 1};
  std::int64_t stride[kAxes] = {0, 0, 0, 0, 0};
  ConstTensorView x;
  TensorView y;

  void check() const {
    SERVAL_CHECK(teams() * size[kAxes - 1] == y.size() && x.size() == y.size(), "strided_copy ",
                 to_string(x.shape), " to ", to_string(y.shape));
  }
  SERVAL_HD std::int64_t teams() const { return size[0] * size[1] * size[2] * size[3]; }
  SERVAL_HD std::int64_t items() const { return size[kAxes - 1]; }
  template <class Team>
  SERVAL_HD void work(const Team& team, std::int64_t index) const {
    const std::int64_t count = size[kAxes - 1];
    const std::int64_t step = stride[kAxes - 1];
    float* to = y.data + index * count;
    const float* from = x.data;
    for (int axis = kAxes - 2; axis >= 0; --axis) {
      from += index % size[axis] * stride[axis];
      index /= size[axis];
    }
    for (std::int64_t i = team.rank(); i < count; i += team.size()) to[i] = from[i * step];
  }
};
struct StridedCopy : PortableOp<StridedCopyArgs> {
  static constexpr const char* kName = "strided_copy";
};

// Copies x, of shape `from`, so that axis k of y is axis order[k] of x.
StridedCopyArgs permuted(const Shape& from, const int* order);

// One step of each sequence: y[b] = x[at, b], counted from its own end where at < 0. Backward: dx, 0 at other steps.
struct SelectStepArgs {
  std::int64_t time = 0, batch = 0, width = 0, at = 0;
  View<const std::int32_t> lengths;  // [batch]
  ConstTensorView from;              // [time, batch, width]; backward: [batch, width]
  TensorView to;                     // the other way round
  bool backward = false;

  SERVAL_HD std::int64_t teams() const { return backward ? time * batch : batch; }
  template <class Team>
  SERVAL_HD void work(const Team& team, std::int64_t index) const {
    const std::int64_t b = index % batch;
    const std::int64_t step = at < 0 ? lengths.data[b] + at : at;
    if (!backward) {
      for (std::int64_t i = team.rank(); i < width; i += team.size())
        to.data[b * width + i] = from.data[(step * batch + b) * width + i];
      return;
    }
    const bool chosen = index / batch == step;
    for (std::int64_t i = team.rank(); i < width; i += team.size())
      to.data[index * width + i] = chosen ? from.data[b * width + i] : 0.0f;
  }
};
struct SelectStep : PortableOp<SelectStepArgs> {
  static constexpr const char* kName = "select_step";
};

// Means of `window` steps, each `stride` steps after the one before: y[t] = mean of x[t stride] to x[t stride + window - 1].
// What y has beyond a sequence's end reads steps that there are, or none.
struct WindowMeanArgs {
  std::int64_t time_in = 0, time_out = 0, row = 0;  // row: batch times width
  std::int64_t window = 1, stride = 1;
  ConstTensorView x;  // [time_in, row]
  TensorView y;       // [time_out, row]

  void check() const {
    SERVAL_CHECK(x.size() == time_in * row && y.size() == time_out * row, "window_mean ", to_string(x.shape),
                 " to ", to_string(y.shape));
  }
  SERVAL_HD std::int64_t teams() const { return time_out; }
  template <class Team>
  SERVAL_HD void work(const Team& team, std::int64_t t) const {
    for (std::int64_t i = team.rank(); i < row; i += team.size()) {
      float sum = 0;
      for (std::int64_t s = t * stride; s < t * stride + window && s < time_in; ++s)
        sum += x.data[s * row + i];
      y.data[t * row + i] = sum / static_cast<float>(window);
    }
  }
};
struct WindowMean : PortableOp<WindowMeanArgs> {
  static constexpr const char* kName = "window_mean";
};

struct WindowMeanBackwardArgs {
  std::int64_t time_in = 0, time_out = 0, row = 0;
  std::int64_t window = 1, stride = 1;
  ConstTensorView dy;
  TensorView dx;

  void check() const {
    SERVAL_CHECK(dx.size() == time_in * row && dy.size() == time_out * row, "window_mean_backward ",
                 to_string(dx.shape));
  }
  SERVAL_HD std::int64_t teams() const { return time_in; }
  template <class Team>
  SERVAL_HD void work(const Team& team, std::int64_t s) const {
    std::int64_t last = s / stride;
    const std::int64_t first = s < window ? 0 : (s - window) / stride + 1;
    if (last >= time_out) last = time_out - 1;
    for (std::int64_t i = team.rank(); i < row; i += team.size()) {
      float sum = 0;
      for (std::int64_t t = first; t <= last; ++t) sum += dy.data[t * row + i];
      dx.data[s * row + i] = sum / static_cast<float>(window);
    }
  }
};
struct WindowMeanBackward : PortableOp<WindowMeanBackwardArgs> {
  static constexpr const char* kName = "window_mean_backward";
};

template <class List>
void list_rearrange_ops(List& list) {
  list.template op<StridedCopy>();
  list.template op<SelectStep>();
  list.template op<WindowMean>();
  list.template op<WindowMeanBackward>();
}

}  // namespace serval::nn
