// The arithmetic of nn/optimiser.h, shared by both devices.
#pragma once

#include <cmath>

#include "serval/core/hd.h"
#include "serval/nn/optimiser.h"

namespace serval::nn::detail {

// The norm is the sum over blocks of this many gradients, each block's sum stored in scratch[1 + block].
constexpr std::int64_t kAdamBlock = 4096;

// What one step needs, rounded once from double.
struct AdamConstants {
  float beta1, one_minus_beta1, beta2, one_minus_beta2;
  float correction1, correction2;  // 1 / (1 - beta^step)
  float learning_rate, epsilon, weight_decay;
};
inline AdamConstants adam_constants(const AdamSettings& s, std::int64_t step) {
  const double power1 = std::pow(s.beta1, static_cast<double>(step));
  const double power2 = std::pow(s.beta2, static_cast<double>(step));
  return {.beta1 = static_cast<float>(s.beta1),
          .one_minus_beta1 = static_cast<float>(1 - s.beta1),
          .beta2 = static_cast<float>(s.beta2),
          .one_minus_beta2 = static_cast<float>(1 - s.beta2),
          .correction1 = static_cast<float>(1 / (1 - power1)),
          .correction2 = static_cast<float>(1 / (1 - power2)),
          .learning_rate = static_cast<float>(s.learning_rate),
          .epsilon = static_cast<float>(s.epsilon),
          .weight_decay = static_cast<float>(s.weight_decay)};
}

// What gradients of that norm are multiplied with. A NaN norm leaves them, so that it stays visible.
SERVAL_HD inline float clip_scale(float norm, float clip_norm) {
  return clip_norm > 0 && norm > clip_norm ? clip_norm / norm : 1.0f;
}

SERVAL_HD inline void adam_update(const AdamConstants& k, float gradient, float& parameter,
                                  float& first_moment, float& second_moment) {
  first_moment = k.beta1 * first_moment + k.one_minus_beta1 * gradient;
  second_moment = k.beta2 * second_moment + k.one_minus_beta2 * gradient * gradient;
  const float direction = first_moment * k.correction1 / (sqrtf(second_moment * k.correction2) + k.epsilon);
  parameter -= k.learning_rate * (direction + k.weight_decay * parameter);
}

}  // namespace serval::nn::detail
