#include <string>

#include "serval/core/error.h"

#include "cuda/core/check.cuh"

namespace serval::cuda {

namespace {

std::string current_device() {
  int index = 0;
  return cudaGetDevice(&index) == cudaSuccess ? cat("cuda:", index) : "cuda (no device is current)";
}

[[noreturn]] void fail(const char* library, const std::string& status, const char* call, const char* file,
                       int line) {
  throw DeviceError(
      cat(current_device(), ": ", library, ": ", status, " from ", call, " at ", file, ":", line));
}

std::string describe(cudaError_t status) {
  return cat(cudaGetErrorName(status), " (", cudaGetErrorString(status), ")");
}

const char* name_of(cufftResult status) {
  switch (status) {
    case CUFFT_INVALID_PLAN:
      return "CUFFT_INVALID_PLAN";
    case CUFFT_ALLOC_FAILED:
      return "CUFFT_ALLOC_FAILED";
    case CUFFT_INVALID_VALUE:
      return "CUFFT_INVALID_VALUE";
    case CUFFT_INTERNAL_ERROR:
      return "CUFFT_INTERNAL_ERROR";
    case CUFFT_EXEC_FAILED:
      return "CUFFT_EXEC_FAILED";
    case CUFFT_SETUP_FAILED:
      return "CUFFT_SETUP_FAILED";
    case CUFFT_INVALID_SIZE:
      return "CUFFT_INVALID_SIZE";
    case CUFFT_INVALID_DEVICE:
      return "CUFFT_INVALID_DEVICE";
    case CUFFT_NO_WORKSPACE:
      return "CUFFT_NO_WORKSPACE";
    case CUFFT_NOT_IMPLEMENTED:
      return "CUFFT_NOT_IMPLEMENTED";
    case CUFFT_NOT_SUPPORTED:
      return "CUFFT_NOT_SUPPORTED";
    default:
      return "an unknown status";
  }
}

}  // namespace

void check(cudaError_t status, const char* call, const char* file, int line) {
  if (status == cudaSuccess) return;
  cudaGetLastError();  // so that a later check does not report this failure as its own
  fail("CUDA", describe(status), call, file, line);
}

void check(cublasStatus_t status, const char* call, const char* file, int line) {
  if (status != CUBLAS_STATUS_SUCCESS) {
    fail("cuBLAS", cat(cublasGetStatusName(status), " (", cublasGetStatusString(status), ")"), call, file,
         line);
  }
}

void check(cufftResult status, const char* call, const char* file, int line) {
  if (status != CUFFT_SUCCESS) fail("cuFFT", cat(name_of(status), " (", status, ")"), call, file, line);
}

void check(cudnnStatus_t status, const char* call, const char* file, int line) {
  if (status != CUDNN_STATUS_SUCCESS) fail("cuDNN", cudnnGetErrorString(status), call, file, line);
}

void check_launch(cudaError_t status, const void* kernel, dim3 grid, dim3 block, std::size_t shared_bytes) {
  if (status == cudaSuccess) return;
  cudaGetLastError();
  const char* name = nullptr;
  if (cudaFuncGetName(&name, kernel) != cudaSuccess || name == nullptr) name = "a kernel";
  throw DeviceError(cat(current_device(), ": CUDA: ", describe(status), " launching ", name, " with grid ",
                        grid.x, "x", grid.y, "x", grid.z, ", block ", block.x, "x", block.y, "x", block.z,
                        ", ", shared_bytes, " bytes of shared memory"));
}

void throw_out_of_memory(std::size_t bytes, int device) {
  std::size_t free_bytes = 0;
  std::size_t total_bytes = 0;
  cudaMemGetInfo(&free_bytes, &total_bytes);
  throw OutOfMemoryError(cat("out of memory: ", bytes, " bytes on cuda:", device, ", where ", free_bytes,
                             " of ", total_bytes, " bytes are free"));
}

}  // namespace serval::cuda
