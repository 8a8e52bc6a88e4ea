// Sequences under a window that moves along time: unfolded for a matrix product, folded back, and pooled. A step past a
// sequence's end counts as one that is not there, whatever stands in memory.
#pragma once

#include "serval/core/portable_op.h"
#include "serval/nn/value_type.h"

namespace serval::nn {

// Result s of a sequence reads its steps s * stride - before + k * dilation for k in [0, kernel). "same" splits the padding
// by the sequence's own length, an odd zero behind.
struct StepWindow {
  LengthRule rule;
  std::int64_t kernel = 1, dilation = 1;
  std::int64_t before = 0;  // of another rule than "same"

  SERVAL_HD std::int64_t zeros_before(std::int64_t length) const {
    if (!rule.same) return before;
    const std::int64_t missing = (rule(length) - 1) * rule.stride + rule.extent - length;
    return missing > 0 ? missing / 2 : 0;
  }
  SERVAL_HD std::int64_t most_before() const { return rule.same ? rule.extent / 2 : before; }
};

// columns [steps, batch, kernel, width]: features [feature, feature + width) of what results first to first + steps - 1 read.
struct UnfoldStepsArgs {
  StepWindow window;
  std::int64_t time = 0, batch = 0, features = 0;
  std::int64_t first = 0, steps = 0, feature = 0, width = 0;
  ConstTensorView x;                 // [time, batch, features]
  View<const std::int32_t> lengths;  // [batch]
  TensorView columns;

  void check() const {
    SERVAL_CHECK(x.size() == time * batch * features && feature + width <= features &&
                     columns.size() == teams() * window.kernel * width,
                 "unfold_steps ", to_string(x.shape), " to ", to_string(columns.shape));
  }
  SERVAL_HD std::int64_t teams() const { return steps * batch; }
  template <class Team>
  SERVAL_HD void work(const Team& team, std::int64_t row) const {
    const std::int64_t b = row % batch;
    const std::int64_t length = lengths.data[b];
    const std::int64_t start = (first + row / batch) * window.rule.stride - window.zeros_before(length);
    for (std::int64_t k = 0; k < window.kernel; ++k) {
      const std::int64_t t = start + k * window.dilation;
      const bool inside = t >= 0 && t < length;
      const float* from = x.data + (inside ? (t * batch + b) * features + feature : 0);
      float* to = columns.data + (row * window.kernel + k) * width;
      for (std::int64_t f = team.rank(); f < width; f += team.size()) to[f] = inside ? from[f] : 0.0f;
    }
  }
};
struct UnfoldSteps : PortableOp<UnfoldStepsArgs> {
  static constexpr const char* kName = "unfold_steps";
};

// dx += what those columns say, result after result: in the same order however the results are cut into calls.
struct FoldStepsArgs {
  StepWindow window;
  std::int64_t time = 0, batch = 0, features = 0;
  std::int64_t first = 0, steps = 0, feature = 0, width = 0;
  ConstTensorView columns;
  View<const std::int32_t> lengths;
  TensorView dx;

  void check() const {
    SERVAL_CHECK(dx.size() == time * batch * features && feature + width <= features &&
                     columns.size() == steps * batch * window.kernel * width,
                 "fold_steps ", to_string(columns.shape), " to ", to_string(dx.shape));
  }
  // Only the steps that those results can have read.
  SERVAL_HD std::int64_t from_step() const {
    const std::int64_t from = first * window.rule.stride - window.most_before();
    return from > 0 ? from : 0;
  }
  SERVAL_HD std::int64_t teams() const {
    const std::int64_t end = (first + steps - 1) * window.rule.stride + window.rule.extent;
    const std::int64_t count = (end < time ? end : time) - from_step();
    return count > 0 ? count * batch : 0;
  }
  template <class Team>
  SERVAL_HD void work(const Team& team, std::int64_t row) const {
    const std::int64_t b = row % batch;
    const std::int64_t t = from_step() + row / batch;
    const std::int64_t length = lengths.data[b];
    if (t >= length) return;
    const std::int64_t place = t + window.zeros_before(length);
    const std::int64_t results = window.rule(length);
    float* to = dx.data + (t * batch + b) * features + feature;
    for (std::int64_t k = window.kernel - 1; k >= 0; --k) {
      const std::int64_t ahead = place - k * window.dilation;
      if (ahead < 0 || ahead % window.rule.stride != 0) continue;
      const std::int64_t s = ahead / window.rule.stride - first;
      if (s < 0 || s >= steps || s + first >= results) continue;
      const float* from = columns.data + ((s * batch + b) * window.kernel + k) * width;
      for (std::int64_t f = team.rank(); f < width; f += team.size()) to[f] += from[f];
    }
  }
};
struct FoldSteps : PortableOp<FoldStepsArgs> {
  static constexpr const char* kName = "fold_steps";
};

// y [steps, batch, features]: the largest of what each result reads, the first of equals, a NaN before any number; and
// which tap it was. Results past a sequence's end are 0.
struct MaxPoolStepsArgs {
  StepWindow window;
  std::int64_t batch = 0, features = 0, steps = 0;
  ConstTensorView x;
  View<const std::int32_t> lengths;
  TensorView y;
  View<std::int32_t> taps;  // as y

  void check() const {
    SERVAL_CHECK(y.size() == steps * batch * features && taps.size() >= y.size(), "max_pool_steps ",
                 to_string(y.shape), " from ", to_string(x.shape));
  }
  SERVAL_HD std::int64_t teams() const { return steps * batch; }
  template <class Team>
  SERVAL_HD void work(const Team& team, std::int64_t row) const {
    const std::int64_t b = row % batch;
    const std::int64_t length = lengths.data[b];
    const bool there = row / batch < window.rule(length);
    const std::int64_t start = row / batch * window.rule.stride - window.zeros_before(length);
    for (std::int64_t f = team.rank(); f < features; f += team.size()) {
      float largest = 0;
      std::int32_t tap = -1;
      for (std::int64_t k = 0; there && k < window.kernel; ++k) {
        const std::int64_t t = start + k;
        if (t < 0 || t >= length) continue;
        const float value = x.data[(t * batch + b) * features + f];
        if (tap < 0 || value > largest || value != value) {
          largest = value;
          tap = static_cast<std::int32_t>(k);
        }
      }
      y.data[row * features + f] = largest;
      taps.data[row * features + f] = tap;
    }
  }
};
struct MaxPoolSteps : PortableOp<MaxPoolStepsArgs> {
  static constexpr const char* kName = "max_pool_steps";
};

// The mean of what each result reads: of the steps that are there, or with zeros for those of the padding.
struct AveragePoolStepsArgs {
  StepWindow window;
  std::int64_t batch = 0, features = 0, steps = 0;
  bool count_padding = false;
  ConstTensorView x;
  View<const std::int32_t> lengths;
  TensorView y;

  void check() const {
    SERVAL_CHECK(y.size() == steps * batch * features, "average_pool_steps ", to_string(y.shape), " from ",
                 to_string(x.shape));
  }
  SERVAL_HD std::int64_t teams() const { return steps * batch; }
  template <class Team>
  SERVAL_HD void work(const Team& team, std::int64_t row) const {
    const std::int64_t b = row % batch;
    const std::int64_t length = lengths.data[b];
    const bool there = row / batch < window.rule(length);
    const std::int64_t start = row / batch * window.rule.stride - window.zeros_before(length);
    const std::int64_t from = start > 0 ? start : 0;
    const std::int64_t end = start + window.kernel < length ? start + window.kernel : length;
    const auto count = static_cast<float>(count_padding ? window.kernel : end - from);
    for (std::int64_t f = team.rank(); f < features; f += team.size()) {
      float sum = 0;
      for (std::int64_t t = from; there && t < end; ++t) sum += x.data[(t * batch + b) * features + f];
      y.data[row * features + f] = there ? sum / count : 0.0f;
    }
  }
};
struct AveragePoolSteps : PortableOp<AveragePoolStepsArgs> {
  static constexpr const char* kName = "average_pool_steps";
};

// dx of either pool, 0 past the end; overwritten. With `taps` that of the largest, else that of the mean.
struct PoolStepsBackwardArgs {
  StepWindow window;
  std::int64_t time = 0, batch = 0, features = 0;
  bool count_padding = false;
  ConstTensorView dy;
  View<const std::int32_t> taps;
  View<const std::int32_t> lengths;
  TensorView dx;

  void check() const {
    SERVAL_CHECK(dx.size() == time * batch * features, "pool_steps_backward ", to_string(dx.shape));
  }
  SERVAL_HD std::int64_t teams() const { return time * batch; }
  template <class Team>
  SERVAL_HD void work(const Team& team, std::int64_t row) const {
    const std::int64_t b = row % batch;
    const std::int64_t t = row / batch;
    const std::int64_t length = lengths.data[b];
    const std::int64_t before = window.zeros_before(length);
    const std::int64_t results = window.rule(length);
    for (std::int64_t f = team.rank(); f < features; f += team.size()) {
      float sum = 0;
      for (std::int64_t k = window.kernel - 1; t < length && k >= 0; --k) {
        const std::int64_t ahead = t + before - k;
        if (ahead < 0 || ahead % window.rule.stride != 0) continue;
        const std::int64_t s = ahead / window.rule.stride;
        if (s >= results) continue;
        const std::int64_t place = (s * batch + b) * features + f;
        if (taps.data == nullptr) {
          sum += dy.data[place] / share(s * window.rule.stride - before, length);
        } else if (taps.data[place] == k) {
          sum += dy.data[place];
        }
      }
      dx.data[row * features + f] = sum;
    }
  }
  SERVAL_HD float share(std::int64_t start, std::int64_t length) const {
    const std::int64_t from = start > 0 ? start : 0;
    const std::int64_t end = start + window.kernel < length ? start + window.kernel : length;
    return static_cast<float>(count_padding ? window.kernel : end - from);
  }
};
struct PoolStepsBackward : PortableOp<PoolStepsBackwardArgs> {
  static constexpr const char* kName = "pool_steps_backward";
};

template <class List>
void list_step_window_ops(List& list) {
  list.template op<UnfoldSteps>();
  list.template op<FoldSteps>();
  list.template op<MaxPoolSteps>();
  list.template op<AveragePoolSteps>();
  list.template op<PoolStepsBackward>();
}

}  // namespace serval::nn
