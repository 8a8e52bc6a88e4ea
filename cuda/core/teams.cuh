// Teams of GPU threads; see serval/core/team.h.
#pragma once

#include "serval/core/team.h"

#include "cuda/core/kernel.cuh"

namespace serval::cuda {

// The 32 threads of a warp.
struct WarpTeam {
  SERVAL_DEVICE static int rank() { return static_cast<int>(threadIdx.x) % kWarpSize; }
  SERVAL_DEVICE static int size() { return kWarpSize; }
  SERVAL_DEVICE static void sync() { __syncwarp(); }
  template <class T>
  SERVAL_DEVICE static T sum(T value) {
    return warp_sum(value);
  }
  template <class T>
  SERVAL_DEVICE static T max(T value) {
    return warp_max(value);
  }
  template <class T>
  SERVAL_DEVICE static T min(T value) {
    return -warp_max(-value);
  }
};

// The threads of a block, whole warps.
struct BlockTeam {
  double* scratch = nullptr;  // shared memory for 32 values
  SERVAL_DEVICE static int rank() { return static_cast<int>(threadIdx.x); }
  SERVAL_DEVICE static int size() { return static_cast<int>(blockDim.x); }
  SERVAL_DEVICE static void sync() { __syncthreads(); }
  template <class T>
  SERVAL_DEVICE T sum(T value) const {
    return block_sum(value, reinterpret_cast<T*>(scratch));
  }
  template <class T>
  SERVAL_DEVICE T max(T value) const {
    return block_max(value, reinterpret_cast<T*>(scratch));
  }
  template <class T>
  SERVAL_DEVICE T min(T value) const {
    return -block_max(-value, reinterpret_cast<T*>(scratch));
  }
};

}  // namespace serval::cuda
