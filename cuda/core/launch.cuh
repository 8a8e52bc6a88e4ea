// Kernel launches of the CUDA build; see cuda/core/kernel.cuh.
#pragma once

#include <cstddef>
#include <tuple>
#include <utility>

#include <cuda_runtime_api.h>

#include "cuda/core/check.cuh"

namespace serval::cuda {

constexpr std::size_t kSharedBytesWithoutOptIn = 48 * 1024;

// Whether a block's shared memory, the kernel's own and the `dynamic_bytes` of the launch, goes beyond what
// every kernel may have.
inline bool needs_opt_in(const void* function, std::size_t dynamic_bytes) {
  if (dynamic_bytes == 0) return false;
  cudaFuncAttributes attributes{};
  SERVAL_CUDA_CHECK(cudaFuncGetAttributes(&attributes, function));
  return dynamic_bytes + attributes.sharedSizeBytes > kSharedBytesWithoutOptIn;
}

// Throws DeviceError naming the kernel when the launch itself fails.
template <class... Params, class... Args>
void launch(void (*kernel)(Params...), dim3 grid, dim3 block, std::size_t shared_bytes, cudaStream_t stream,
            Args&&... args) {
  if (grid.x == 0 || grid.y == 0 || grid.z == 0) return;
  const void* const function = reinterpret_cast<const void*>(kernel);
  if (needs_opt_in(function, shared_bytes)) {
    check_launch(cudaFuncSetAttribute(function, cudaFuncAttributeMaxDynamicSharedMemorySize,
                                      static_cast<int>(shared_bytes)),
                 function, grid, block, shared_bytes);
  }
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
