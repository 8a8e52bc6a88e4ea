// Kernels of nn/pooling.h.
#pragma once

#include "serval/nn/pooling.h"

#include "cuda/nn/rows.cuh"

namespace serval::nn {

constexpr int kPoolThreads = 256;

// sum over t < length of weight(t) * x[t, b, f], where the block owns sequence b = blockIdx.x and the 32
// features from 32 * blockIdx.y, and its warps take the steps in turn. Valid in warp 0, where f < feature.
// `partial` is shared memory for kMaxThreads values.
template <class Weight>
SERVAL_DEVICE float sum_over_time(const float* x, const SequenceShape& shape, std::int64_t length,
                                  Weight weight, float* partial) {
  const std::int64_t warps = blockDim.x / cuda::kWarpSize;
  const std::int64_t lane = threadIdx.x % cuda::kWarpSize;
  const std::int64_t b = blockIdx.x;
  const std::int64_t f = static_cast<std::int64_t>(blockIdx.y) * cuda::kWarpSize + lane;
  float sum = 0;
  if (f < shape.feature) {
    for (std::int64_t t = threadIdx.x / cuda::kWarpSize; t < length; t += warps) {
      sum += weight(t) * x[(t * shape.batch + b) * shape.feature + f];
    }
  }
  partial[threadIdx.x] = sum;
  __syncthreads();
  sum = 0;
  for (std::int64_t w = 0; w < warps; ++w) sum += partial[w * cuda::kWarpSize + lane];
  return sum;
}

// Stores this thread's sum in y[b, f] if it is one of the block's 32 results.
SERVAL_DEVICE void store_pooled(float* y, const SequenceShape& shape, float value) {
  const std::int64_t f = static_cast<std::int64_t>(blockIdx.y) * cuda::kWarpSize + threadIdx.x;
  if (threadIdx.x < cuda::kWarpSize && f < shape.feature) y[blockIdx.x * shape.feature + f] = value;
}

struct UnitWeight {
  SERVAL_HD float operator()(std::int64_t) const { return 1.0f; }
};
SERVAL_KERNEL mean_pool_forward_kernel(const float* x, const std::int32_t* lengths, float* y,
                                       SequenceShape shape) {
  SERVAL_SHARED(float, partial, cuda::kMaxThreads);
  const std::int32_t length = lengths[blockIdx.x];
  const float sum = sum_over_time(x, shape, length, UnitWeight{}, partial);
  store_pooled(y, shape, sum / static_cast<float>(length));
}

SERVAL_KERNEL mean_pool_backward_kernel(const float* dy, const std::int32_t* lengths, float* dx,
                                        SequenceShape shape) {
  const std::int64_t row = warp_row();
  if (row >= shape.time * shape.batch) return;
  const std::int64_t b = row % shape.batch;
  const std::int32_t length = lengths[b];
  if (row / shape.batch >= length) return;
  const float scale = 1.0f / static_cast<float>(length);
  for (std::int64_t f = warp_column(); f < shape.feature; f += cuda::kWarpSize) {
    dx[row * shape.feature + f] += scale * dy[b * shape.feature + f];
  }
}

// Where y[b, f] comes from.
SERVAL_DEVICE std::int64_t last_index(const SequenceShape& shape, std::int64_t length, std::int64_t b,
                                      std::int64_t f, std::int64_t reversed_from) {
  const std::int64_t t = f < reversed_from ? length - 1 : 0;
  return (t * shape.batch + b) * shape.feature + f;
}
SERVAL_KERNEL last_pool_forward_kernel(const float* x, const std::int32_t* lengths, float* y,
                                       SequenceShape shape, std::int64_t reversed_from) {
  const std::int64_t b = warp_row();
  if (b >= shape.batch) return;
  for (std::int64_t f = warp_column(); f < shape.feature; f += cuda::kWarpSize) {
    y[b * shape.feature + f] = x[last_index(shape, lengths[b], b, f, reversed_from)];
  }
}
SERVAL_KERNEL last_pool_backward_kernel(const float* dy, const std::int32_t* lengths, float* dx,
                                        SequenceShape shape, std::int64_t reversed_from) {
  const std::int64_t b = warp_row();
  if (b >= shape.batch) return;
  for (std::int64_t f = warp_column(); f < shape.feature; f += cuda::kWarpSize) {
    dx[last_index(shape, lengths[b], b, f, reversed_from)] += dy[b * shape.feature + f];
  }
}

inline void check_pool(const SequenceShape& shape, const View<const std::int32_t>& lengths,
                       const ConstTensorView& sequence, const ConstTensorView& pooled) {
  SERVAL_CHECK(sequence.size() == shape.time * shape.batch * shape.feature, "pool of ",
               to_string(sequence.shape), ", expected [", shape.time, ", ", shape.batch, ", ", shape.feature,
               "]");
  SERVAL_CHECK(pooled.size() == shape.batch * shape.feature, "pooled ", to_string(pooled.shape));
  SERVAL_CHECK(lengths.size() == shape.batch, "pool lengths ", to_string(lengths.shape));
}

// A block for each sequence and 32 features.
inline dim3 pool_grid(const SequenceShape& shape) {
  return dim3(static_cast<unsigned>(shape.batch), cuda::blocks_for(shape.feature, cuda::kWarpSize));
}

inline void mean_pool_forward(cuda::Stream stream, const PoolArgs& args, int threads = kPoolThreads) {
  check_pool(args.shape, args.lengths, args.x, args.y);
  cuda::launch(mean_pool_forward_kernel, pool_grid(args.shape), dim3(threads), 0, stream, args.x.data,
               args.lengths.data, args.y.data, args.shape);
}
inline void mean_pool_backward(cuda::Stream stream, const PoolArgs& args, int threads = kPoolThreads) {
  check_pool(args.shape, args.lengths, args.dx, args.dy);
  cuda::launch(mean_pool_backward_kernel, row_blocks(args.shape.time * args.shape.batch, threads),
               dim3(threads), 0, stream, args.dy.data, args.lengths.data, args.dx.data, args.shape);
}
inline void last_pool_forward(cuda::Stream stream, const PoolArgs& args, int threads = kPoolThreads) {
  check_pool(args.shape, args.lengths, args.x, args.y);
  cuda::launch(last_pool_forward_kernel, row_blocks(args.shape.batch, threads), dim3(threads), 0, stream,
               args.x.data, args.lengths.data, args.y.data, args.shape, args.reversed_from);
}
inline void last_pool_backward(cuda::Stream stream, const PoolArgs& args, int threads = kPoolThreads) {
  check_pool(args.shape, args.lengths, args.dx, args.dy);
  cuda::launch(last_pool_backward_kernel, row_blocks(args.shape.batch, threads), dim3(threads), 0, stream,
               args.dy.data, args.lengths.data, args.dx.data, args.shape, args.reversed_from);
}

}  // namespace serval::nn
