// The arithmetic of nn/pointwise.h, shared by both devices.
#pragma once

#include <cmath>

#include "serval/core/hd.h"
#include "serval/nn/pointwise.h"

namespace serval::nn::detail {

SERVAL_HD inline float sigmoid(float x) { return 1.0f / (1.0f + expf(-x)); }

SERVAL_HD inline float activate(Activation activation, float x) {
  switch (activation) {
    case Activation::kNone:
      return x;
    case Activation::kRelu:
      return x < 0 ? 0.0f : x;  // a NaN stays one
    case Activation::kTanh:
      return tanhf(x);
    case Activation::kSigmoid:
      return sigmoid(x);
    case Activation::kLeakyRelu:
      return x < 0 ? 0.01f * x : x;
    case Activation::kElu:
      return x < 0 ? expm1f(x) : x;
    case Activation::kGelu:
      return 0.5f * x * (1.0f + erff(x * 0.70710678f));
  }
  return x;
}

// The derivative, in terms of the result y.
SERVAL_HD inline float activation_slope(Activation activation, float y) {
  switch (activation) {
    case Activation::kNone:
      return 1.0f;
    case Activation::kRelu:
      return y > 0 ? 1.0f : 0.0f;
    case Activation::kTanh:
      return 1.0f - y * y;
    case Activation::kSigmoid:
      return y * (1.0f - y);
    case Activation::kLeakyRelu:
      return y < 0 ? 0.01f : 1.0f;
    case Activation::kElu:
      return y < 0 ? y + 1.0f : 1.0f;
    case Activation::kGelu:
      break;  // needs x
  }
  return 1.0f;
}

// Element `index` after dropout; `scale` is 1 / (1 - rate).
SERVAL_HD inline float drop(const RandomStream& random, std::uint64_t index, float rate, float scale,
                            float x) {
  return random.uniform(index) < rate ? 0.0f : x * scale;
}

}  // namespace serval::nn::detail
