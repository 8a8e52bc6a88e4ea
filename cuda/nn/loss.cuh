// Kernel of nn/loss.h: one block, a thread a row, so that the sums have one fixed order.
#pragma once

#include "serval/nn/detail/softmax.h"
#include "serval/nn/loss.h"

#include "cuda/core/kernel.cuh"

namespace serval::nn {

constexpr int kLossThreads = 256;

struct LossTarget {
  const std::int32_t* labels;
  const float* class_weights;
};
SERVAL_DEVICE float class_weight(const LossTarget& target, std::int64_t b) {
  return target.class_weights == nullptr ? 1.0f : target.class_weights[target.labels[b]];
}

SERVAL_KERNEL softmax_kernel(const float* logits, float* probabilities, std::int64_t batch,
                             std::int64_t classes) {
  const std::int64_t b = cuda::global_index();
  if (b < batch) detail::softmax_row(logits + b * classes, classes, probabilities + b * classes);
}

// dlogits may be null.
SERVAL_KERNEL softmax_cross_entropy_kernel(const float* logits, LossTarget target, float* probabilities,
                                           float* dlogits, float* loss, std::int64_t batch,
                                           std::int64_t classes) {
  SERVAL_SHARED(float, scratch, cuda::kWarpSize);
  float weight_sum = 0;
  for (std::int64_t b = threadIdx.x; b < batch; b += blockDim.x) weight_sum += class_weight(target, b);
  weight_sum = cuda::block_sum(weight_sum, scratch);

  float loss_sum = 0;
  for (std::int64_t b = threadIdx.x; b < batch; b += blockDim.x) {
    const float* const row = logits + b * classes;
    float* const p = probabilities + b * classes;
    const float weight = class_weight(target, b);
    const std::int64_t label = target.labels[b];
    loss_sum += weight * (detail::softmax_row(row, classes, p) - row[label]);
    if (dlogits == nullptr) continue;
    const float scale = weight / weight_sum;
    for (std::int64_t c = 0; c < classes; ++c) {
      dlogits[b * classes + c] = scale * (c == label ? p[c] - 1.0f : p[c]);
    }
  }
  loss_sum = cuda::block_sum(loss_sum, scratch);
  if (threadIdx.x == 0) {
    loss[0] += loss_sum;
    loss[1] += weight_sum;
  }
}

inline void softmax_cross_entropy(cuda::Stream stream, const SoftmaxCrossEntropyArgs& args,
                                  int threads = kLossThreads) {
  SERVAL_CHECK(args.classes >= 1 && args.logits.size() == args.batch * args.classes &&
                   args.probabilities.size() == args.batch * args.classes,
               "softmax of ", to_string(args.logits.shape), " into ", to_string(args.probabilities.shape));
  if (args.labels.empty()) {
    cuda::launch(softmax_kernel, dim3(cuda::blocks_for(args.batch, threads)), dim3(threads), 0, stream,
                 args.logits.data, args.probabilities.data, args.batch, args.classes);
    return;
  }
  SERVAL_CHECK(args.labels.size() == args.batch && args.loss.size() == 2, "labels ",
               to_string(args.labels.shape));
  const LossTarget target{args.labels.data, args.class_weights.data};
  cuda::launch(softmax_cross_entropy_kernel, dim3(1), dim3(threads), 0, stream, args.logits.data, target,
               args.probabilities.data, args.dlogits.data, args.loss.data, args.batch, args.classes);
}

}  // namespace serval::nn
