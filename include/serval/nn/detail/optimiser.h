// The arithmetic of nn/optimiser.h, shared by both devices: a rule for each type, which moves one parameter.
#pragma once

#include <cmath>
#include <cstdint>

#include "serval/core/hd.h"
#include "serval/nn/optimiser.h"

namespace serval::nn::detail {

// The norm is the sum over blocks of this many gradients, each block's sum stored in scratch[1 + block].
constexpr std::int64_t kNormBlock = 4096;

// What gradients of that norm are multiplied with. A NaN norm leaves them, so that it stays visible.
SERVAL_HD inline float clip_scale(float norm, float clip_norm) {
  return clip_norm > 0 && norm > clip_norm ? clip_norm / norm : 1.0f;
}

// `state` points at what the parameter keeps in the first slot; the next slot's lies `stride` further on. All constants
// are rounded once from double.
struct SgdRule {
  float rate, decay, momentum;
  bool nesterov;
  SERVAL_HD void operator()(float g, float& parameter, float* state, std::int64_t) const {
    g += decay * parameter;
    if (momentum > 0) {
      const float b = momentum * *state + g;
      *state = b;
      g = nesterov ? g + momentum * b : b;
    }
    parameter -= rate * g;
  }
};

struct AdamRule {
  float rate, decay, decoupled_decay;
  float beta1, one_minus_beta1, beta2, one_minus_beta2;
  float correction1, correction2;  // 1 / (1 - beta^step)
  float epsilon;
  SERVAL_HD void operator()(float g, float& parameter, float* state, std::int64_t stride) const {
    g += decay * parameter;
    const float m = beta1 * state[0] + one_minus_beta1 * g;
    const float v = beta2 * state[stride] + one_minus_beta2 * g * g;
    state[0] = m;
    state[stride] = v;
    const float direction = m * correction1 / (sqrtf(v * correction2) + epsilon);
    parameter -= rate * (direction + decoupled_decay * parameter);
  }
};

struct RmsPropRule {
  float rate, decay, alpha, one_minus_alpha, epsilon, momentum;
  bool centered;
  SERVAL_HD void operator()(float g, float& parameter, float* state, std::int64_t stride) const {
    g += decay * parameter;
    float s = alpha * *state + one_minus_alpha * g * g;
    *state = s;
    if (centered) {
      state += stride;
      const float a = alpha * *state + one_minus_alpha * g;
      *state = a;
      s -= a * a;
      if (s < 0) s = 0;  // rounding
    }
    float d = g / (sqrtf(s) + epsilon);
    if (momentum > 0) {
      state += stride;
      d = momentum * *state + d;
      *state = d;
    }
    parameter -= rate * d;
  }
};

// Calls `use` with the rule of the settings at that step.
template <class Use>
void with_rule(const OptimiserSettings& s, std::int64_t step, Use use) {
  const auto rate = static_cast<float>(s.learning_rate);
  const auto decay = static_cast<float>(s.weight_decay);
  const auto momentum = static_cast<float>(s.momentum);
  switch (s.type) {
    case OptimiserType::kSgd:
      return use(SgdRule{rate, decay, momentum, s.nesterov});
    case OptimiserType::kAdam:
    case OptimiserType::kAdamW: {
      const bool decoupled = s.type == OptimiserType::kAdamW;
      const double power1 = std::pow(s.beta1, static_cast<double>(step));
      const double power2 = std::pow(s.beta2, static_cast<double>(step));
      return use(AdamRule{.rate = rate,
                          .decay = decoupled ? 0.0f : decay,
                          .decoupled_decay = decoupled ? decay : 0.0f,
                          .beta1 = static_cast<float>(s.beta1),
                          .one_minus_beta1 = static_cast<float>(1 - s.beta1),
                          .beta2 = static_cast<float>(s.beta2),
                          .one_minus_beta2 = static_cast<float>(1 - s.beta2),
                          .correction1 = static_cast<float>(1 / (1 - power1)),
                          .correction2 = static_cast<float>(1 / (1 - power2)),
                          .epsilon = static_cast<float>(s.epsilon)});
    }
    case OptimiserType::kRmsProp:
      return use(RmsPropRule{rate, decay, static_cast<float>(s.alpha), static_cast<float>(1 - s.alpha),
                             static_cast<float>(s.epsilon), momentum, s.centered});
  }
}

// Refuses buffers that do not fit.
inline void check_optimiser(const OptimiserArgs& args) {
  const std::int64_t count = args.parameters.size();
  const auto slots = static_cast<std::int64_t>(optimiser_slots(args.settings).size());
  SERVAL_CHECK(args.gradients.size() == count && (slots == 0 || args.state.size() == slots * count) &&
                   args.scratch.size() >= optimiser_scratch_size(count),
               "optimiser of ", count, " parameters");
  SERVAL_CHECK(args.step >= 1, "optimiser step ", args.step);
}

}  // namespace serval::nn::detail
