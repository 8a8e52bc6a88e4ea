// Kernel launches of the CUDA build; see cuda/core/kernel.cuh.
#pragma once

#include <cstddef>
#include <tuple>
#include <utility>

#include <cuda_runtime_api.h>

#include "cuda/core/check.cuh"

namespace serval::cuda {

constexpr std::size_t kSharedBytesWithoutOptIn = 48 * 1024;

// Lets a kernel have as much shared memory as the device has for a block, where the launch wants more than every kernel may
// have. Always as much: the limit is the kernel's on that device, and other threads launch it with other sizes.
inline void allow_shared_memory(const void* function, std::size_t dynamic_bytes) {
  if (dynamic_bytes == 0) return;
  cudaFuncAttributes attributes{};
  SERVAL_CUDA_CHECK(cudaFuncGetAttributes(&attributes, function));
  if (dynamic_bytes + attributes.sharedSizeBytes <= kSharedBytesWithoutOptIn) return;
  int device = 0, most = 0;
  SERVAL_CUDA_CHECK(cudaGetDevice(&device));
  SERVAL_CUDA_CHECK(cudaDeviceGetAttribute(&most, cudaDevAttrMaxSharedMemoryPerBlockOptin, device));
  SERVAL_CUDA_CHECK(cudaFuncSetAttribute(function, cudaFuncAttributeMaxDynamicSharedMemorySize,
                                         most - static_cast<int>(attributes.sharedSizeBytes)));
}

// Throws DeviceError naming the kernel when the launch itself fails.
template <class... Params, class... Args>
void launch(void (*kernel)(Params...), dim3 grid, dim3 block, std::size_t shared_bytes, cudaStream_t stream,
            Args&&... args) {
  if (grid.x == 0 || grid.y == 0 || grid.z == 0) return;
  const void* const function = reinterpret_cast<const void*>(kernel);
  allow_shared_memory(function, shared_bytes);
  std::tuple<Params...> values(std::forward<Args>(args)...);
  std::apply(
      [&](auto&... value) {
        void* pointers[] = {static_cast<void*>(&value)..., nullptr};
        check_launch(cudaLaunchKernel(function, grid, block, pointers, shared_bytes, stream), function, grid,
                     block, shared_bytes);
      },
      values);
}

}  // namespace serval::cuda
