// Adam on one flat buffer, with the gradient clipped by its global norm.
//   g = gradient * min(1, max_norm / |gradient|)
//   m = b1 m + (1 - b1) g,  v = b2 v + (1 - b2) g^2
//   parameter -= rate * (m / (1 - b1^step) / (sqrt(v / (1 - b2^step)) + epsilon) + weight_decay * parameter)
// (decoupled decay, AdamW; 0 gives Adam). The norm is summed in fixed blocks: the same bits each time.
#pragma once

#include "serval/core/context.h"

namespace serval::nn {

struct AdamSettings {
  double learning_rate = 1e-3;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  double weight_decay = 0;
  double clip_norm = 0;  // 0: not clipped
};

struct AdamArgs {
  AdamSettings settings;
  std::int64_t step = 1;     // counts from 1
  TensorView parameters;     // [n]
  TensorView gradients;      // [n]; set to 0 afterwards
  TensorView first_moment;   // [n]
  TensorView second_moment;  // [n]
  TensorView scratch;        // [adam_scratch_size(n)]; scratch[0] is the gradient's norm afterwards
};
struct AdamStep {
  static constexpr const char* kName = "adam_step";
  using Signature = void(const Context&, const AdamArgs&);
};
inline std::int64_t adam_scratch_size(std::int64_t n) { return 1 + (n + 4095) / 4096; }

}  // namespace serval::nn
