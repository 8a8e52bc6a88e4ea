// Teams of GPU threads; see serval/core/team.h. What works for teams of both devices is SERVAL_HD, so these are too:
// else the compiler would have to be kept from looking at what such a function calls, and a function that exists on the
// host alone would go unnoticed, with all that depends on it missing from the kernel.
#pragma once

#include "serval/core/team.h"

#include "cuda/core/kernel.cuh"

#if defined(__CUDACC__) && !defined(__CUDA_ARCH__)
#define SERVAL_ON_DEVICE(device, host) host  // nvcc's host side, where nobody calls it
#else
#define SERVAL_ON_DEVICE(device, host) device
#endif

namespace serval::cuda {

// The 32 threads of a warp.
struct WarpTeam {
  SERVAL_HD static int rank() { return SERVAL_ON_DEVICE(static_cast<int>(threadIdx.x) % kWarpSize, 0); }
  SERVAL_HD static int size() { return kWarpSize; }
  SERVAL_HD static void sync() { SERVAL_ON_DEVICE(__syncwarp(), void()); }
  template <class T>
  SERVAL_HD static T sum(T value) {
    return SERVAL_ON_DEVICE(warp_sum(value), value);
  }
  template <class T>
  SERVAL_HD static T max(T value) {
    return SERVAL_ON_DEVICE(warp_max(value), value);
  }
  template <class T>
  SERVAL_HD static T min(T value) {
    return SERVAL_ON_DEVICE(-warp_max(-value), value);
  }
};

// The threads of a block, whole warps.
struct BlockTeam {
  double* scratch = nullptr;  // shared memory for 32 values
  SERVAL_HD static int rank() { return SERVAL_ON_DEVICE(static_cast<int>(threadIdx.x), 0); }
  SERVAL_HD static int size() { return SERVAL_ON_DEVICE(static_cast<int>(blockDim.x), 1); }
  SERVAL_HD static void sync() { SERVAL_ON_DEVICE(__syncthreads(), void()); }
  template <class T>
  SERVAL_HD T sum(T value) const {
    return SERVAL_ON_DEVICE(block_sum(value, reinterpret_cast<T*>(scratch)), value);
  }
  template <class T>
  SERVAL_HD T max(T value) const {
    return SERVAL_ON_DEVICE(block_max(value, reinterpret_cast<T*>(scratch)), value);
  }
  template <class T>
  SERVAL_HD T min(T value) const {
    return SERVAL_ON_DEVICE(-block_max(-value, reinterpret_cast<T*>(scratch)), value);
  }
};

}  // namespace serval::cuda

#undef SERVAL_ON_DEVICE
