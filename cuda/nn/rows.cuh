// Kernels that give each row of a matrix to one warp: neighbouring lanes read neighbouring columns.
#pragma once

#include "cuda/core/kernel.cuh"

namespace serval::nn {

constexpr int kRowThreads = 256;

// The row of this thread's warp, and this thread's first column; the next one is kWarpSize further.
SERVAL_DEVICE std::int64_t warp_row() { return cuda::global_index() / cuda::kWarpSize; }
SERVAL_DEVICE std::int64_t warp_column() { return static_cast<std::int64_t>(threadIdx.x) % cuda::kWarpSize; }

inline dim3 row_blocks(std::int64_t rows, int threads) {
  return dim3(cuda::blocks_for(rows * cuda::kWarpSize, threads));
}

}  // namespace serval::nn
