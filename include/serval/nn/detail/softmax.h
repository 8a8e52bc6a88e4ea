// The arithmetic of nn/loss.h, shared by both devices.
#pragma once

#include <cmath>
#include <cstdint>

#include "serval/core/hd.h"

namespace serval::nn::detail {

// Writes softmax(logits) and returns log(sum exp(logits)), so that -log p_c = result - logits[c].
SERVAL_HD inline float softmax_row(const float* logits, std::int64_t classes, float* probabilities) {
  float largest = logits[0];
  for (std::int64_t c = 1; c < classes; ++c) largest = fmaxf(largest, logits[c]);
  float sum = 0;
  for (std::int64_t c = 0; c < classes; ++c) {
    probabilities[c] = expf(logits[c] - largest);
    sum += probabilities[c];
  }
  const float scale = 1.0f / sum;
  for (std::int64_t c = 0; c < classes; ++c) probabilities[c] *= scale;
  return largest + logf(sum);
}

}  // namespace serval::nn::detail
