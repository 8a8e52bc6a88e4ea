// Kernels of the attention pool in nn/pooling.h.
#pragma once

#include "cuda/nn/pooling.cuh"

namespace serval::nn {

constexpr int kAttentionBackwardThreads = 512;

// a_t out of the scores of one sequence. Computed anew wherever it is needed: an exponential costs less than
// a trip to memory, and no block has to wait for another.
struct AttentionWeight {
  const float* scores;  // of sequence b, from step to step `stride` apart
  std::int64_t stride;
  float largest;
  float scale;  // 1 / sum of exp(score - largest)
  SERVAL_HD float operator()(std::int64_t t) const { return expf(scores[t * stride] - largest) * scale; }
};

SERVAL_KERNEL attention_pool_forward_kernel(const float* x, const float* scores, const std::int32_t* lengths,
                                            float* weights, float* y, SequenceShape shape) {
  SERVAL_SHARED(float, partial, cuda::kMaxThreads);
  const std::int64_t b = blockIdx.x;
  const std::int64_t length = lengths[b];
  AttentionWeight weight{scores + b, shape.batch, scores[b], 1.0f};
  float largest = scores[b];
  for (std::int64_t t = threadIdx.x; t < length; t += blockDim.x)
    largest = fmaxf(largest, scores[t * shape.batch + b]);
  weight.largest = cuda::block_max(largest, partial);
  float sum = 0;
  for (std::int64_t t = threadIdx.x; t < length; t += blockDim.x) sum += weight(t);
  weight.scale = 1.0f / cuda::block_sum(sum, partial);

  // The blocks of a sequence's other features know the same weights; one of them writes them down.
  if (blockIdx.y == 0) {
    for (std::int64_t t = threadIdx.x; t < shape.time; t += blockDim.x) {
      weights[t * shape.batch + b] = t < length ? weight(t) : 0.0f;
    }
  }
  store_pooled(y, shape, sum_over_time(x, shape, length, weight, partial));
}

struct AttentionGradients {
  const float* x;
  const float* weights;
  const float* dy;
  float* dx;
  float* dscores;
};

// A block a sequence, a warp a step:
//   da_t = x_t . dy,   dscore_t = a_t (da_t - sum_s a_s da_s),   dx_t += a_t dy
SERVAL_KERNEL attention_pool_backward_kernel(AttentionGradients g, const std::int32_t* lengths,
                                             SequenceShape shape) {
  SERVAL_SHARED(float, scratch, cuda::kWarpSize);
  const std::int64_t b = blockIdx.x;
  const std::int64_t length = lengths[b];
  const std::int64_t warps = blockDim.x / cuda::kWarpSize;
  const float* const dy = g.dy + b * shape.feature;
  float sum = 0;  // of a_t da_t, in lane 0
  for (std::int64_t t = threadIdx.x / cuda::kWarpSize; t < length; t += warps) {
    const std::int64_t row = t * shape.batch + b;
    const float weight = g.weights[row];
    float dot = 0;
    for (std::int64_t f = warp_column(); f < shape.feature; f += cuda::kWarpSize) {
      dot += g.x[row * shape.feature + f] * dy[f];
      g.dx[row * shape.feature + f] += weight * dy[f];
    }
    dot = cuda::warp_sum(dot);
    if (warp_column() == 0) {
      g.dscores[row] = dot;
      sum += weight * dot;
    }
  }
  sum = cuda::block_sum(sum, scratch);  // its barrier also shows each da_t to the whole block
  for (std::int64_t t = threadIdx.x; t < shape.time; t += blockDim.x) {
    const std::int64_t row = t * shape.batch + b;
    g.dscores[row] = t < length ? g.weights[row] * (g.dscores[row] - sum) : 0.0f;
  }
}

inline void attention_pool_forward(cuda::Stream stream, const AttentionPoolArgs& args,
                                   int threads = kPoolThreads) {
  check_pool(args.shape, args.lengths, args.x, args.y);
  cuda::launch(attention_pool_forward_kernel, pool_grid(args.shape), dim3(threads), 0, stream, args.x.data,
               args.scores.data, args.lengths.data, args.weights.data, args.y.data, args.shape);
}
inline void attention_pool_backward(cuda::Stream stream, const AttentionPoolArgs& args,
                                    int threads = kAttentionBackwardThreads) {
  check_pool(args.shape, args.lengths, args.dx, args.dy);
  const AttentionGradients gradients{args.x.data, args.weights.data, args.dy.data, args.dx.data,
                                     args.dscores.data};
  cuda::launch(attention_pool_backward_kernel, dim3(static_cast<unsigned>(args.shape.batch)), dim3(threads),
               0, stream, gradients, args.lengths.data, args.shape);
}

}  // namespace serval::nn
