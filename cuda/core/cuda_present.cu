// The CUDA build's half of the seam in core/context.h; src/core/cuda_absent.cc is the other.
#include <cstdlib>

#include <cuda_runtime_api.h>
#include <cudnn.h>

#include "serval/core/context.h"

#include "cuda/core/check.cuh"
#include "cuda/core/kernel.cuh"
#include "cuda/core/state.cuh"

namespace serval {

// Each room with CUDA bodies names them here; see cuda/<room>/register_ops.cu.
namespace features {
void register_cuda_ops(OpRegistry& registry);
void register_segment_cuda_ops(OpRegistry& registry);
}  // namespace features
namespace nn {
void register_cuda_ops(OpRegistry& registry);
}

namespace {

constexpr std::size_t kOldestCudnn = 8901;  // before 8.9.1 LSTM results on padded batches could be wrong

SERVAL_KERNEL probe_kernel() {}

std::string cudnn_version_text() {
  // The number's layout changed with cuDNN 9.
  const std::size_t version = cudnnGetVersion();
  const std::size_t scale = version >= 90000 ? 10000 : 1000;
  return cat(version / scale, ".", version % scale / 100, ".", version % 100);
}

std::string cuda_version_text(int version) { return cat(version / 1000, ".", version % 1000 / 10); }

// Freshly allocated memory is zero before anything else runs on any stream.
void* allocate(Device device, std::size_t bytes) {
  SERVAL_CUDA_CHECK(cudaSetDevice(device.index));
  void* data = nullptr;
  const cudaError_t status = cudaMalloc(&data, bytes);
  if (status == cudaErrorMemoryAllocation) {
    cudaGetLastError();
    cuda::throw_out_of_memory(bytes, device.index);
  }
  SERVAL_CUDA_CHECK(status);
  try {
    SERVAL_CUDA_CHECK(cudaMemsetAsync(data, 0, bytes, cudaStreamLegacy));
    SERVAL_CUDA_CHECK(cudaStreamSynchronize(cudaStreamLegacy));
  } catch (...) {
    cudaFree(data);
    throw;
  }
  return data;
}

void release(Device device, void* data) noexcept {
  cudaSetDevice(device.index);
  cudaFree(data);
}

// Waits for all work issued to the devices involved, whatever its stream: a reader sees it finished. Or for that of one
// stream, where the thread says that nothing else touches what it copies.
void copy(void* to, Device to_device, const void* from, Device from_device, std::size_t bytes) {
  if (const cudaStream_t stream = cuda::copies_stream(); stream != nullptr) {
    SERVAL_CUDA_CHECK(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDefault, stream));
    SERVAL_CUDA_CHECK(cudaStreamSynchronize(stream));
    return;
  }
  for (const Device& device : {from_device, to_device}) {
    if (device.kind != DeviceKind::kCuda) continue;
    SERVAL_CUDA_CHECK(cudaSetDevice(device.index));
    SERVAL_CUDA_CHECK(cudaDeviceSynchronize());
  }
  SERVAL_CUDA_CHECK(cudaMemcpy(to, from, bytes, cudaMemcpyDefault));
  // A copy within the device returns before it is done.
  SERVAL_CUDA_CHECK(cudaStreamSynchronize(cudaStreamLegacy));
}

}  // namespace

namespace detail {

bool cuda_compiled() { return true; }

std::unique_ptr<DeviceState> make_cuda_state(int index, const ContextOptions& options) {
  SERVAL_CUDA_CHECK(cudaSetDevice(index));
  cudaFuncAttributes attributes{};
  if (cudaFuncGetAttributes(&attributes, probe_kernel) != cudaSuccess) {
    cudaGetLastError();
    cudaDeviceProp properties{};
    SERVAL_CUDA_CHECK(cudaGetDeviceProperties(&properties, index));
    throw DeviceError(cat("cuda:", index, ": this build has no code for ", properties.name,
                          ", compute capability ", properties.major, ".", properties.minor,
                          "; configure with -DCMAKE_CUDA_ARCHITECTURES=", properties.major,
                          properties.minor));
  }
  if (cudnnGetVersion() < kOldestCudnn) {
    throw DeviceError(cat("cuDNN ", cudnn_version_text(), " is too old: 8.9.1 or newer is needed"));
  }
  return std::make_unique<cuda::CudaState>(index, options);
}

std::int64_t cuda_free_bytes(int index) {
  SERVAL_CUDA_CHECK(cudaSetDevice(index));
  std::size_t free = 0, total = 0;
  SERVAL_CUDA_CHECK(cudaMemGetInfo(&free, &total));
  return static_cast<std::int64_t>(free);
}

std::vector<CudaDeviceInfo> list_cuda_devices(std::string* why) {
  const auto none = [why](const std::string& reason) {
    if (why != nullptr) *why = reason;
    return std::vector<CudaDeviceInfo>{};
  };
  int driver = 0;
  int runtime = 0;
  if (cudaDriverGetVersion(&driver) != cudaSuccess || driver == 0)
    return none("no NVIDIA driver is installed");
  int count = 0;
  const cudaError_t status = cudaGetDeviceCount(&count);
  if (status == cudaErrorInsufficientDriver && cudaRuntimeGetVersion(&runtime) == cudaSuccess) {
    cudaGetLastError();
    return none(cat("the NVIDIA driver supports CUDA ", cuda_version_text(driver),
                    " and this build needs CUDA ", cuda_version_text(runtime)));
  }
  if (status != cudaSuccess) {
    cudaGetLastError();
    return none(cudaGetErrorString(status));
  }
  if (count == 0) return none("no GPU is visible");
  std::vector<CudaDeviceInfo> devices;
  for (int i = 0; i < count; ++i) {
    cudaDeviceProp properties{};
    SERVAL_CUDA_CHECK(cudaGetDeviceProperties(&properties, i));
    devices.push_back(
        {i, properties.name, cat(properties.major, ".", properties.minor), properties.totalGlobalMem});
  }
  return devices;
}

std::string cuda_versions() {
  int runtime = 0;
  SERVAL_CUDA_CHECK(cudaRuntimeGetVersion(&runtime));
  return cat("CUDA ", cuda_version_text(runtime), ", cuDNN ", cudnn_version_text());
}

void register_cuda_ops(OpRegistry& registry) {
  features::register_cuda_ops(registry);
  features::register_segment_cuda_ops(registry);
  nn::register_cuda_ops(registry);
}

void prepare_cuda() {
  // cuDNN's recurrent layers multiply through a cuBLAS of their own, whose sums keep their order only with
  // workspaces of a fixed size. It reads this when its handle is made; a user's own choice stays.
  setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:2", 0);
  install_memory_backend(DeviceKind::kCuda, {allocate, release, copy});
}

}  // namespace detail
}  // namespace serval
