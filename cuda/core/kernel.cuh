// How kernels are written, so that nvcc compiles them for the GPU and the host compiler compiles the same
// text for the tests, where tests/support/host_gpu.h runs a block's threads as fibers.
//
// A kernel lives in a .cuh file, includes this header and no CUDA header, and keeps to this subset:
//   SERVAL_KERNEL name(args...) { }       a kernel; templates and structs by value are fine, references not.
//                                         A header with kernels is included by exactly one .cu file.
//   SERVAL_DEVICE T name(args...) { }     what only kernels call (shuffles, barriers, shared memory)
//   SERVAL_HD T name(args...) { }         arithmetic that the CPU's code calls too (serval/core/hd.h)
//   SERVAL_SHARED(float, tile, 32 * 33);  static shared memory: a flat array, 48 KiB a kernel; not in a loop
//   SERVAL_DYNAMIC_SHARED(float, tile);   the `shared_bytes` given to launch(), aligned to 16 bytes
//   SERVAL_UNROLL, SERVAL_NO_UNROLL       in front of a loop
//   threadIdx, blockIdx, blockDim, gridDim, dim3, float2, float4, make_float2, make_float4
//   __syncthreads(), __syncwarp([mask]), __ballot_sync, __any_sync, __all_sync, __threadfence()
//   __shfl_sync, __shfl_up_sync, __shfl_down_sync, __shfl_xor_sync
//   atomicAdd, atomicExch                 on int, unsigned, unsigned long long, float, double
//   atomicMax, atomicMin, atomicCAS       on int, unsigned, unsigned long long
//   expf, logf, fmaxf, fmaf and the like from <cmath>; rsqrtf, __ldg, __float_as_int, __int_as_float
// Every thread of a block reaches every __syncthreads: none returns before. Every lane named in a mask
// reaches the warp operation. A block may wait only for what blocks before it have begun: on the host they run
// one after another. No dynamic parallelism, cooperative groups, textures or constant memory.
//
// Launch, the same text on both sides:
//   launch(kernel, dim3(blocks), dim3(threads), shared_bytes, stream, args...);
// It checks every launch (errors while the kernel runs surface at the next synchronizing call) and does
// nothing for an empty grid. More than 48 KiB of dynamic shared memory is asked for by itself. A function in
// a .cuh that launches takes a Stream. That type differs between the two sides, and so does the name that the
// linker sees: the tests of a CUDA build hold both.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>

#include "serval/core/hd.h"

#if defined(__CUDACC__)

#include "cuda/core/launch.cuh"

namespace serval::cuda {
using Stream = cudaStream_t;
}

#define SERVAL_KERNEL __global__ void
#define SERVAL_DEVICE __device__ inline
#define SERVAL_SHARED(type, name, count) __shared__ type name[count]
#define SERVAL_DYNAMIC_SHARED(type, name)                                \
  extern __shared__ __align__(16) unsigned char serval_dynamic_shared[]; \
  type* const name = reinterpret_cast<type*>(serval_dynamic_shared)
#define SERVAL_UNROLL _Pragma("unroll")
#define SERVAL_NO_UNROLL _Pragma("unroll 1")

#else

#include "tests/support/host_gpu.h"

#define SERVAL_KERNEL [[maybe_unused]] static void
#define SERVAL_DEVICE inline
#define SERVAL_SHARED(type, name, count)                         \
  static thread_local serval::host_gpu::SharedSlot name##_slot_; \
  type* const name = serval::host_gpu::shared_array<type>(name##_slot_, count)
#define SERVAL_DYNAMIC_SHARED(type, name) type* const name = serval::host_gpu::dynamic_shared<type>()
#define SERVAL_UNROLL
#define SERVAL_NO_UNROLL

namespace serval::cuda {
using host_gpu::launch;
using Stream = host_gpu::NoStream*;
}  // namespace serval::cuda

#endif

namespace serval::cuda {

constexpr int kWarpSize = 32;
constexpr unsigned kFullMask = 0xFFFFFFFFu;
constexpr int kMaxThreads = 1024;  // of a block

// Blocks of `threads` that cover `count` items.
constexpr unsigned blocks_for(std::int64_t count, std::int64_t threads) {
  return static_cast<unsigned>((count + threads - 1) / threads);
}

// The index of this thread in a one-dimensional grid.
SERVAL_DEVICE std::int64_t global_index() {
  return static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
}

// Over the 32 lanes of a full warp, in a fixed order; every lane gets the result.
template <class T>
SERVAL_DEVICE T warp_sum(T value) {
  for (int offset = kWarpSize / 2; offset > 0; offset /= 2)
    value += __shfl_xor_sync(kFullMask, value, offset);
  return value;
}
template <class T>
SERVAL_DEVICE T warp_max(T value) {
  for (int offset = kWarpSize / 2; offset > 0; offset /= 2) {
    const T other = __shfl_xor_sync(kFullMask, value, offset);
    value = other > value ? other : value;
  }
  return value;
}

// Over a one-dimensional block of whole warps, in a fixed order; every thread gets the result. `scratch` is
// shared memory for 32 values; it may be used again at once.
template <class T>
SERVAL_DEVICE T block_sum(T value, T* scratch) {
  const int lane = static_cast<int>(threadIdx.x) % kWarpSize;
  const int warp = static_cast<int>(threadIdx.x) / kWarpSize;
  const int warps = static_cast<int>(blockDim.x) / kWarpSize;
  value = warp_sum(value);
  if (lane == 0) scratch[warp] = value;
  __syncthreads();
  value = warp_sum(lane < warps ? scratch[lane] : T(0));
  __syncthreads();
  return value;
}
template <class T>
SERVAL_DEVICE T block_max(T value, T* scratch) {
  const int lane = static_cast<int>(threadIdx.x) % kWarpSize;
  const int warp = static_cast<int>(threadIdx.x) / kWarpSize;
  const int warps = static_cast<int>(blockDim.x) / kWarpSize;
  value = warp_max(value);
  if (lane == 0) scratch[warp] = value;
  __syncthreads();
  value = warp_max(scratch[lane < warps ? lane : 0]);
  __syncthreads();
  return value;
}

}  // namespace serval::cuda
