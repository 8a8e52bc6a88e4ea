// Element-wise steps around a matrix product, and column sums.
#pragma once

#include "serval/core/context.h"
#include "serval/core/philox.h"

namespace serval::nn {

// leaky_relu: 0.01 x below 0; elu: e^x - 1 below 0; gelu: x times the normal distribution of x, exact. All but gelu have
// slopes that follow from their results, and so can be part of another layer.
enum class Activation { kNone, kRelu, kTanh, kSigmoid, kLeakyRelu, kElu, kGelu };
inline bool fusable(Activation activation) { return activation != Activation::kGelu; }

// y[r, c] = activation(y[r, c] + bias[c]), in place. bias may be empty.
struct BiasActivationArgs {
  std::int64_t rows = 0, columns = 0;
  TensorView y;          // [rows, columns]
  ConstTensorView bias;  // [columns]
  Activation activation = Activation::kNone;
};
struct BiasActivation {
  static constexpr const char* kName = "bias_activation";
  using Signature = void(const Context&, const BiasActivationArgs&);
};

// dy[r, c] *= activation'(.), written in terms of the activation's result y; in place.
struct ActivationBackwardArgs {
  ConstTensorView y;
  TensorView dy;
  Activation activation = Activation::kNone;
};
struct ActivationBackward {
  static constexpr const char* kName = "activation_backward";
  using Signature = void(const Context&, const ActivationBackwardArgs&);
};

// sums[c] += sum over r of x[r, c], added in ascending order within fixed blocks: the same bits each time.
struct ColumnSumArgs {
  std::int64_t rows = 0, columns = 0;
  ConstTensorView x;  // [rows, columns]
  TensorView sums;    // [columns], accumulated into
};
struct ColumnSum {
  static constexpr const char* kName = "column_sum";
  using Signature = void(const Context&, const ColumnSumArgs&);
};

// y = x * keep / (1 - rate), keep drawn from `random` at the element's index: the same mask on every device.
// Backward is the same call on the gradient. x and y may be the same memory.
//
// An element of a sequence is indexed by its place in its own recording, so that the mask does not depend on
// how long the other recordings of the batch are: index = (b * time_stride + t) * columns + c.
struct DropoutArgs {
  std::int64_t time = 1, batch = 0, columns = 0;  // x is [time, batch, columns]
  std::int64_t time_stride = 1;
  ConstTensorView x;
  TensorView y;
  float rate = 0;
  RandomStream random;
};
struct Dropout {
  static constexpr const char* kName = "dropout";
  using Signature = void(const Context&, const DropoutArgs&);
};

// values = 0
struct FillZero {
  static constexpr const char* kName = "fill_zero";
  using Signature = void(const Context&, const TensorView&);
};

}  // namespace serval::nn
