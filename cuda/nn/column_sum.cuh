// Column sums in two stages: blocks of rows, then the blocks. Which rows meet in which order depends on the
// shape alone, so the bits are the same each time.
#pragma once

#include "serval/nn/pointwise.h"

#include "cuda/core/kernel.cuh"

namespace serval::nn {

constexpr std::int64_t kColumnSumRows = 128;  // of one block
constexpr int kColumnSumThreads = 256;

// A block owns 32 columns of kColumnSumRows rows; its warps take the rows in turn.
// sums[row block, column], or added to sums[column] where there is one block of rows only.
SERVAL_KERNEL column_sum_kernel(const float* x, float* sums, std::int64_t rows, std::int64_t columns,
                                bool accumulate) {
  SERVAL_SHARED(float, partial, cuda::kMaxThreads);
  const std::int64_t lane = threadIdx.x % cuda::kWarpSize;
  const std::int64_t warp = threadIdx.x / cuda::kWarpSize;
  const std::int64_t warps = blockDim.x / cuda::kWarpSize;
  const std::int64_t column = static_cast<std::int64_t>(blockIdx.y) * cuda::kWarpSize + lane;
  const std::int64_t first = static_cast<std::int64_t>(blockIdx.x) * kColumnSumRows;
  const std::int64_t end = first + kColumnSumRows < rows ? first + kColumnSumRows : rows;
  float sum = 0;
  if (column < columns) {
    for (std::int64_t row = first + warp; row < end; row += warps) sum += x[row * columns + column];
  }
  partial[threadIdx.x] = sum;
  __syncthreads();
  if (warp == 0 && column < columns) {
    sum = 0;
    for (std::int64_t w = 0; w < warps; ++w) sum += partial[w * cuda::kWarpSize + lane];
    float& out = sums[static_cast<std::int64_t>(blockIdx.x) * columns + column];
    out = accumulate ? out + sum : sum;
  }
}

SERVAL_KERNEL column_sum_finish_kernel(const float* partial, float* sums, std::int64_t row_blocks,
                                       std::int64_t columns) {
  const std::int64_t column = cuda::global_index();
  if (column >= columns) return;
  float sum = 0;
  for (std::int64_t block = 0; block < row_blocks; ++block) sum += partial[block * columns + column];
  sums[column] += sum;
}

inline std::int64_t column_sum_blocks(std::int64_t rows) {
  return (rows + kColumnSumRows - 1) / kColumnSumRows;
}
// Floats of scratch.
inline std::int64_t column_sum_scratch(const ColumnSumArgs& args) {
  const std::int64_t blocks = column_sum_blocks(args.rows);
  return blocks > 1 ? blocks * args.columns : 0;
}

inline void column_sum(cuda::Stream stream, const ColumnSumArgs& args, float* scratch,
                       int threads = kColumnSumThreads) {
  SERVAL_CHECK(args.x.size() >= args.rows * args.columns, "column_sum x ", to_string(args.x.shape));
  SERVAL_CHECK(args.sums.size() == args.columns, "column_sum sums ", to_string(args.sums.shape));
  const std::int64_t blocks = column_sum_blocks(args.rows);
  const dim3 grid(static_cast<unsigned>(blocks), cuda::blocks_for(args.columns, cuda::kWarpSize));
  const bool single = blocks <= 1;
  cuda::launch(column_sum_kernel, grid, dim3(threads), 0, stream, args.x.data,
               single ? args.sums.data : scratch, args.rows, args.columns, single);
  if (single) return;
  cuda::launch(column_sum_finish_kernel, dim3(cuda::blocks_for(args.columns, threads)), dim3(threads), 0,
               stream, static_cast<const float*>(scratch), args.sums.data, blocks, args.columns);
}

}  // namespace serval::nn
