// Softmax and cross-entropy.
//   loss = sum_b w[y_b] * -log p_b[y_b] / sum_b w[y_b],   p = softmax(logits)
// which is PyTorch's weighted mean. Without weights every w is 1.
#pragma once

#include "serval/core/context.h"

namespace serval::nn {

struct SoftmaxCrossEntropyArgs {
  std::int64_t batch = 0, classes = 0;
  ConstTensorView logits;           // [batch, classes]
  View<const std::int32_t> labels;  // [batch]; empty: only probabilities are wanted
  ConstTensorView class_weights;    // [classes]; empty: all 1
  TensorView probabilities;         // [batch, classes]; written
  TensorView dlogits;               // [batch, classes]; written; empty: not wanted
  TensorView loss;                  // [2]: += sum w*nll, += sum w   (so that an epoch adds up on the device)
};
struct SoftmaxCrossEntropy {
  static constexpr const char* kName = "softmax_cross_entropy";
  using Signature = void(const Context&, const SoftmaxCrossEntropyArgs&);
};

}  // namespace serval::nn
