// The kernels around cuDNN's LSTM calls. cuDNN sees sequences that all have T steps, read from their first
// step to their last; these bring a padded batch into that form and back:
//   step t < length of a sequence is step t, or length - 1 - t for a reversed layer; either way the map is
//   its own inverse, and padded steps stay where they are, filled with zeros.
#pragma once

#include "cuda/nn/rows.cuh"

namespace serval::nn {

struct StepMap {
  const std::int32_t* lengths;  // [batch]
  std::int64_t time, batch;
  bool reversed;
};

// The row [t, b] that row `row` of the other form corresponds to, or -1 for padding.
SERVAL_DEVICE std::int64_t mapped_row(const StepMap& map, std::int64_t row) {
  const std::int64_t t = row / map.batch;
  const std::int64_t b = row % map.batch;
  const std::int64_t length = map.lengths[b];
  if (t >= length) return -1;
  return map.reversed ? (length - 1 - t) * map.batch + b : row;
}

// Rows of `columns` values, `stride` apart.
struct ConstRows {
  const float* data;
  std::int64_t stride;
};
struct Rows {
  float* data;
  std::int64_t stride;
};

// to[row] = from[map(row)], or 0 in the padding: its old contents, even a NaN, never reach cuDNN.
SERVAL_KERNEL copy_steps_kernel(StepMap map, ConstRows from, Rows to, std::int64_t columns) {
  const std::int64_t row = warp_row();
  if (row >= map.time * map.batch) return;
  const std::int64_t source = mapped_row(map, row);
  for (std::int64_t c = warp_column(); c < columns; c += cuda::kWarpSize) {
    to.data[row * to.stride + c] = source < 0 ? 0.0f : from.data[source * from.stride + c];
  }
}

// to[row] += from[map(row)]; the padding is left alone.
SERVAL_KERNEL add_steps_kernel(StepMap map, ConstRows from, Rows to, std::int64_t columns) {
  const std::int64_t row = warp_row();
  if (row >= map.time * map.batch) return;
  const std::int64_t source = mapped_row(map, row);
  if (source < 0) return;
  for (std::int64_t c = warp_column(); c < columns; c += cuda::kWarpSize) {
    to.data[row * to.stride + c] += from.data[source * from.stride + c];
  }
}

SERVAL_KERNEL add_values_kernel(const float* from, float* to, std::int64_t count) {
  const std::int64_t i = cuda::global_index();
  if (i < count) to[i] += from[i];
}

inline void copy_steps(cuda::Stream stream, const StepMap& map, ConstRows from, Rows to, std::int64_t columns,
                       int threads = kRowThreads) {
  cuda::launch(copy_steps_kernel, row_blocks(map.time * map.batch, threads), dim3(threads), 0, stream, map,
               from, to, columns);
}
inline void add_steps(cuda::Stream stream, const StepMap& map, ConstRows from, Rows to, std::int64_t columns,
                      int threads = kRowThreads) {
  cuda::launch(add_steps_kernel, row_blocks(map.time * map.batch, threads), dim3(threads), 0, stream, map,
               from, to, columns);
}
inline void add_values(cuda::Stream stream, const float* from, float* to, std::int64_t count,
                       int threads = kRowThreads) {
  cuda::launch(add_values_kernel, dim3(cuda::blocks_for(count, threads)), dim3(threads), 0, stream, from, to,
               count);
}

}  // namespace serval::nn
