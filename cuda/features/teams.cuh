// Teams of GPU threads for the parts' arithmetic; see serval/features/detail/team.h.
#pragma once

#include "serval/features/detail/team.h"

#include "cuda/core/kernel.cuh"

namespace serval::features::cuda {

// The 32 threads of a warp share a frame.
struct WarpTeam {
  SERVAL_DEVICE static int rank() { return static_cast<int>(threadIdx.x) % serval::cuda::kWarpSize; }
  SERVAL_DEVICE static int size() { return serval::cuda::kWarpSize; }
  SERVAL_DEVICE static void sync() { __syncwarp(); }
  template <class T>
  SERVAL_DEVICE static T sum(T value) {
    return serval::cuda::warp_sum(value);
  }
  template <class T>
  SERVAL_DEVICE static T max(T value) {
    return serval::cuda::warp_max(value);
  }
  template <class T>
  SERVAL_DEVICE static T min(T value) {
    return -serval::cuda::warp_max(-value);
  }
};

// The threads of a block share a clip.
struct BlockTeam {
  double* scratch = nullptr;  // shared memory for 32 values
  SERVAL_DEVICE static int rank() { return static_cast<int>(threadIdx.x); }
  SERVAL_DEVICE static int size() { return static_cast<int>(blockDim.x); }
  SERVAL_DEVICE static void sync() { __syncthreads(); }
  template <class T>
  SERVAL_DEVICE T sum(T value) const {
    return serval::cuda::block_sum(value, reinterpret_cast<T*>(scratch));
  }
  template <class T>
  SERVAL_DEVICE T max(T value) const {
    return serval::cuda::block_max(value, reinterpret_cast<T*>(scratch));
  }
  template <class T>
  SERVAL_DEVICE T min(T value) const {
    return -serval::cuda::block_max(-value, reinterpret_cast<T*>(scratch));
  }
};

}  // namespace serval::features::cuda
