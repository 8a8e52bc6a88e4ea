// Activations as ops of their own.
#pragma once

#include <cmath>

#include "serval/core/portable_op.h"
#include "serval/nn/detail/activation.h"

namespace serval::nn {

// y = f(x). leaky_relu: slope * x below 0; elu: slope * (e^x - 1) below 0.
struct ActivateArgs {
  ConstTensorView x;
  TensorView y;
  Activation activation = Activation::kRelu;
  float slope = 0.01f;

  void check() const {
    SERVAL_CHECK(x.size() == y.size(), "activate ", to_string(x.shape), " to ", to_string(y.shape));
  }
  SERVAL_HD std::int64_t count() const { return y.size(); }
  SERVAL_HD void at(std::int64_t i) const {
    const float v = x.data[i];
    if (activation == Activation::kLeakyRelu) {
      y.data[i] = v < 0 ? slope * v : v;
    } else if (activation == Activation::kElu) {
      y.data[i] = v < 0 ? slope * expm1f(v) : v;
    } else {
      y.data[i] = detail::activate(activation, v);
    }
  }
};
struct Activate : PortableOp<ActivateArgs> {
  static constexpr const char* kName = "activate";
};

// dx = dy f'(x)
struct ActivateBackwardArgs {
  ConstTensorView x, y, dy;
  TensorView dx;
  Activation activation = Activation::kRelu;
  float slope = 0.01f;

  void check() const {
    SERVAL_CHECK(x.size() == dx.size() && y.size() == dx.size() && dy.size() == dx.size(),
                 "activate_backward ", to_string(dx.shape));
  }
  SERVAL_HD std::int64_t count() const { return dx.size(); }
  SERVAL_HD void at(std::int64_t i) const {
    const float v = x.data[i];
    float factor = 1;
    switch (activation) {
      case Activation::kLeakyRelu:
        factor = v < 0 ? slope : 1.0f;
        break;
      case Activation::kElu:
        factor = v < 0 ? y.data[i] + slope : 1.0f;
        break;
      case Activation::kGelu:
        factor = 0.5f * (1.0f + erff(v * 0.70710678f)) + v * 0.39894228f * expf(-0.5f * v * v);
        break;
      default:
        factor = detail::activation_slope(activation, y.data[i]);
    }
    dx.data[i] = dy.data[i] * factor;
  }
};
struct ActivateBackward : PortableOp<ActivateBackwardArgs> {
  static constexpr const char* kName = "activate_backward";
};

// Rows of `columns` numbers: y = softmax(x), or its logarithm.
struct SoftmaxArgs {
  std::int64_t rows = 0, columns = 0;
  ConstTensorView x;
  TensorView y;
  bool logarithm = false;

  void check() const {
    SERVAL_CHECK(x.size() == rows * columns && y.size() == x.size(), "softmax ", to_string(x.shape), " to ",
                 to_string(y.shape));
  }
  SERVAL_HD std::int64_t teams() const { return rows; }
  template <class Team>
  SERVAL_HD void work(const Team& team, std::int64_t row) const {
    const float* from = x.data + row * columns;
    float* to = y.data + row * columns;
    float largest = from[0];
    for (std::int64_t c = team.rank(); c < columns; c += team.size()) largest = fmaxf(largest, from[c]);
    largest = team.max(largest);
    float sum = 0;
    for (std::int64_t c = team.rank(); c < columns; c += team.size()) sum += expf(from[c] - largest);
    sum = team.sum(sum);
    const float log_sum = logf(sum);
    for (std::int64_t c = team.rank(); c < columns; c += team.size())
      to[c] = logarithm ? from[c] - largest - log_sum : expf(from[c] - largest) / sum;
  }
};
struct Softmax : PortableOp<SoftmaxArgs> {
  static constexpr const char* kName = "softmax";
};

// dx = y (dy - sum dy y); of the logarithm: dy - e^y sum dy
struct SoftmaxBackwardArgs {
  std::int64_t rows = 0, columns = 0;
  ConstTensorView y, dy;
  TensorView dx;
  bool logarithm = false;

  void check() const {
    SERVAL_CHECK(y.size() == rows * columns && dy.size() == y.size() && dx.size() == y.size(),
                 "softmax_backward ", to_string(dx.shape));
  }
  SERVAL_HD std::int64_t teams() const { return rows; }
  template <class Team>
  SERVAL_HD void work(const Team& team, std::int64_t row) const {
    const std::int64_t first = row * columns;
    float sum = 0;
    for (std::int64_t c = team.rank(); c < columns; c += team.size())
      sum += logarithm ? dy.data[first + c] : dy.data[first + c] * y.data[first + c];
    sum = team.sum(sum);
    for (std::int64_t c = team.rank(); c < columns; c += team.size()) {
      const float value = y.data[first + c];
      dx.data[first + c] =
          logarithm ? dy.data[first + c] - expf(value) * sum : value * (dy.data[first + c] - sum);
    }
  }
};
struct SoftmaxBackward : PortableOp<SoftmaxBackwardArgs> {
  static constexpr const char* kName = "softmax_backward";
};

template <class List>
void list_activation_ops(List& list) {
  list.template op<Activate>();
  list.template op<ActivateBackward>();
  list.template op<Softmax>();
  list.template op<SoftmaxBackward>();
}

}  // namespace serval::nn
