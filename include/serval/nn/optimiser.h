// One step of an optimiser on one flat buffer, with the gradient clipped by its global norm. As PyTorch writes them:
//   g = gradient * min(1, clip_norm / |gradient|)
//   sgd, adam, rmsprop: g += weight_decay * parameter
//   sgd      b = momentum b + g;  parameter -= rate * b, or with nesterov rate * (g + momentum b)
//   adam     m = beta1 m + (1 - beta1) g,  v = beta2 v + (1 - beta2) g^2
//            parameter -= rate * m / (1 - beta1^step) / (sqrt(v / (1 - beta2^step)) + epsilon)
//   adamw    as adam, and parameter -= rate * weight_decay * parameter in the place of the decay above
//   rmsprop  s = alpha s + (1 - alpha) g^2;  d = g / (sqrt(s) + epsilon)
//            centered: a = alpha a + (1 - alpha) g, and s - a^2 under the root
//            parameter -= rate * d, or with momentum b = momentum b + d and rate * b
// The norm is summed in fixed blocks: the same bits each time.
#pragma once

#include <string>
#include <vector>

#include "serval/core/context.h"
#include "serval/core/settings.h"

namespace serval::nn {

enum class OptimiserType { kSgd, kAdam, kAdamW, kRmsProp };

struct OptimiserSettings {
  OptimiserType type = OptimiserType::kAdam;
  double learning_rate = 1e-3;
  double beta1 = 0.9;  // adam, adamw
  double beta2 = 0.999;
  double epsilon = 1e-8;  // adam, adamw, rmsprop
  double momentum = 0;    // sgd, rmsprop
  bool nesterov = false;  // sgd
  double alpha = 0.99;    // rmsprop
  bool centered = false;  // rmsprop
  double weight_decay = 0;
  double clip_norm = 0;  // 0: not clipped
};
void describe(SettingsVisitor& v, OptimiserSettings& settings);  // without clip_norm

// What it keeps for each parameter, in the order in which it lies in OptimiserArgs::state.
std::vector<std::string> optimiser_slots(const OptimiserSettings& settings);

struct OptimiserArgs {
  OptimiserSettings settings;
  std::int64_t step = 1;  // counts from 1
  TensorView parameters;  // [n]
  TensorView gradients;   // [n]; set to 0 afterwards
  TensorView state;       // [slots, n]; 0 before the first step; empty where there are none
  TensorView scratch;     // [optimiser_scratch_size(n)]; scratch[0] is the gradient's norm afterwards
};
struct OptimiserStep {
  static constexpr const char* kName = "optimiser_step";
  using Signature = void(const Context&, const OptimiserArgs&);
};
inline std::int64_t optimiser_scratch_size(std::int64_t n) { return 1 + (n + 4095) / 4096; }

}  // namespace serval::nn
