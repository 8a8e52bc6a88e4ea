// Every call into CUDA is checked: a failure is a DeviceError with the call, status, place and device.
#pragma once

#include <cstddef>

#include <cublas_v2.h>
#include <cuda_runtime_api.h>
#include <cudnn.h>
#include <cufft.h>

namespace serval::cuda {

// Each returns when `status` is success and throws DeviceError otherwise.
void check(cudaError_t status, const char* call, const char* file, int line);
void check(cublasStatus_t status, const char* call, const char* file, int line);
void check(cufftResult status, const char* call, const char* file, int line);
void check(cudnnStatus_t status, const char* call, const char* file, int line);
void check_launch(cudaError_t status, const void* kernel, dim3 grid, dim3 block, std::size_t shared_bytes);

// The one message for a full device, whoever asked for the memory.
[[noreturn]] void throw_out_of_memory(std::size_t bytes, int device);

}  // namespace serval::cuda

#define SERVAL_CUDA_CHECK(call) ::serval::cuda::check((call), #call, __FILE__, __LINE__)
#define SERVAL_CUBLAS_CHECK(call) ::serval::cuda::check((call), #call, __FILE__, __LINE__)
#define SERVAL_CUFFT_CHECK(call) ::serval::cuda::check((call), #call, __FILE__, __LINE__)
#define SERVAL_CUDNN_CHECK(call) ::serval::cuda::check((call), #call, __FILE__, __LINE__)
