// Kernels of nn/pointwise.h.
#pragma once

#include "serval/nn/detail/activation.h"
#include "serval/nn/pointwise.h"

#include "cuda/nn/rows.cuh"

namespace serval::nn {

SERVAL_KERNEL bias_activation_kernel(float* y, const float* bias, std::int64_t rows, std::int64_t columns,
                                     Activation activation) {
  const std::int64_t row = warp_row();
  if (row >= rows) return;
  for (std::int64_t c = warp_column(); c < columns; c += cuda::kWarpSize) {
    float& value = y[row * columns + c];
    value = detail::activate(activation, bias == nullptr ? value : value + bias[c]);
  }
}

SERVAL_KERNEL activation_backward_kernel(const float* y, float* dy, std::int64_t count,
                                         Activation activation) {
  const std::int64_t i = cuda::global_index();
  if (i < count) dy[i] *= detail::activation_slope(activation, y[i]);
}

struct DropoutShape {
  std::int64_t time, batch, columns, time_stride;
};
SERVAL_KERNEL dropout_kernel(const float* x, float* y, DropoutShape shape, float rate, float scale,
                             RandomStream random) {
  const std::int64_t row = warp_row();
  if (row >= shape.time * shape.batch) return;
  const std::int64_t t = row / shape.batch;
  const std::int64_t b = row % shape.batch;
  const std::int64_t first = (b * shape.time_stride + t) * shape.columns;
  for (std::int64_t c = warp_column(); c < shape.columns; c += cuda::kWarpSize) {
    const std::int64_t at = row * shape.columns + c;
    y[at] = detail::drop(random, static_cast<std::uint64_t>(first + c), rate, scale, x[at]);
  }
}

inline void bias_activation(cuda::Stream stream, const BiasActivationArgs& args, int threads = kRowThreads) {
  SERVAL_CHECK(args.y.size() >= args.rows * args.columns, "bias_activation y ", to_string(args.y.shape));
  SERVAL_CHECK(args.bias.empty() || args.bias.size() == args.columns, "bias ", to_string(args.bias.shape));
  cuda::launch(bias_activation_kernel, row_blocks(args.rows, threads), dim3(threads), 0, stream, args.y.data,
               args.bias.data, args.rows, args.columns, args.activation);
}

inline void activation_backward(cuda::Stream stream, const ActivationBackwardArgs& args,
                                int threads = kRowThreads) {
  SERVAL_CHECK(args.y.size() == args.dy.size(), to_string(args.y.shape), " and ", to_string(args.dy.shape));
  if (args.activation == Activation::kNone) return;
  const std::int64_t count = args.dy.size();
  cuda::launch(activation_backward_kernel, dim3(cuda::blocks_for(count, threads)), dim3(threads), 0, stream,
               args.y.data, args.dy.data, count, args.activation);
}

inline void dropout(cuda::Stream stream, const DropoutArgs& args, int threads = kRowThreads) {
  SERVAL_CHECK(args.rate >= 0 && args.rate < 1, "dropout rate ", args.rate);
  SERVAL_CHECK(args.x.size() >= args.time * args.batch * args.columns && args.y.size() >= args.x.size(),
               "dropout ", to_string(args.x.shape), " to ", to_string(args.y.shape));
  SERVAL_CHECK(args.time_stride >= args.time, "dropout time stride ", args.time_stride, " for ", args.time,
               " steps");
  const DropoutShape shape{args.time, args.batch, args.columns, args.time_stride};
  cuda::launch(dropout_kernel, row_blocks(args.time * args.batch, threads), dim3(threads), 0, stream,
               args.x.data, args.y.data, shape, args.rate, 1.0f / (1.0f - args.rate), args.random);
}

}  // namespace serval::nn
