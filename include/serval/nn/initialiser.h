// How the first values of a parameter block are drawn, by the names that Keras and PyTorch use.
//
// With fan_in inputs and fan_out outputs of one unit (of all gates together in a recurrent layer, as Keras):
//   glorot_uniform, glorot_normal   (Keras; PyTorch's xavier_*)   variance 2 / (fan_in + fan_out)
//   he_uniform, he_normal           (Keras; PyTorch's kaiming_* for ReLU)   2 / fan_in
//   lecun_uniform, lecun_normal     (Keras)   1 / fan_in
//   torch_uniform                   (PyTorch's default of dense, convolution and recurrent layers)
//                                   within 1 / sqrt(fan_in)
//   orthogonal                      rows or columns orthonormal; for each gate of a recurrent layer by itself
//   normal                          with deviation `scale`
//   truncated_normal                deviation `scale`, drawn again beyond two of it
//   zeros, ones, constant           constant: `scale`
// The *_normal ones of Keras cut at two deviations and widen by 1 / 0.8796; so do these.
#pragma once

#include <cstdint>

#include "serval/core/settings.h"

namespace serval::nn {

enum class InitKind {
  kZeros,
  kOnes,
  kConstant,
  kGlorotUniform,
  kGlorotNormal,
  kHeUniform,
  kHeNormal,
  kLecunUniform,
  kLecunNormal,
  kTorchUniform,
  kOrthogonal,
  kNormal,
  kTruncatedNormal,
  kForgetBias,  // as torch_uniform where there is a fan_in, else 0; the second of four gates gets `scale` besides
};
const Options<InitKind>& initialiser_names();  // those that a file may name

struct Initialiser {
  InitKind kind = InitKind::kZeros;
  double fan_in = 0;
  double fan_out = 0;
  double scale = 1;
  std::int64_t gates = 1;  // orthogonal: square blocks one below the other
};

}  // namespace serval::nn
