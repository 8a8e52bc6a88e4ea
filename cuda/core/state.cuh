// What a context on a GPU owns: one stream, the library handles that work on it, and a workspace.
// Op bodies reach it through cuda_state(context). One thread uses it at a time.
#pragma once

#include <cstddef>

#include <cublas_v2.h>
#include <cuda_runtime_api.h>
#include <cudnn.h>

#include "serval/core/context.h"

namespace serval::cuda {

// Owners of one handle each. Destructors ignore errors: at a process's end the driver may be gone already.
class StreamHandle {
 public:
  StreamHandle();  // does not wait for, nor hold up, the default stream
  ~StreamHandle() { cudaStreamDestroy(stream_); }
  StreamHandle(const StreamHandle&) = delete;
  StreamHandle& operator=(const StreamHandle&) = delete;
  cudaStream_t get() const { return stream_; }

 private:
  cudaStream_t stream_ = nullptr;
};

// Float arithmetic is float: no TF32 but where a call asks for it, no atomics where bits have to be the same each time, and a
// fixed workspace, so that equal calls give equal bits and a call may be captured into a graph.
class CublasHandle {
 public:
  CublasHandle(const Device& device, cudaStream_t stream, bool run_to_run);
  ~CublasHandle() { cublasDestroy(handle_); }
  CublasHandle(const CublasHandle&) = delete;
  CublasHandle& operator=(const CublasHandle&) = delete;
  cublasHandle_t get() const { return handle_; }

 private:
  explicit CublasHandle(const Device& device);

  Buffer workspace_;
  cublasHandle_t handle_ = nullptr;
};

class CudnnHandle {
 public:
  explicit CudnnHandle(cudaStream_t stream);
  ~CudnnHandle() { cudnnDestroy(handle_); }
  CudnnHandle(const CudnnHandle&) = delete;
  CudnnHandle& operator=(const CudnnHandle&) = delete;
  cudnnHandle_t get() const { return handle_; }

 private:
  CudnnHandle();

  cudnnHandle_t handle_ = nullptr;
};

class CudaState final : public DeviceState {
 public:
  CudaState(int index, const ContextOptions& options);
  ~CudaState() override;
  CudaState(const CudaState&) = delete;
  CudaState& operator=(const CudaState&) = delete;

  void synchronize() override;
  void take_copies(bool on) override;
  void activate() const;  // makes this GPU the current one of the calling thread

  cudaStream_t stream() const { return stream_.get(); }
  int beside() const { return options_.beside; }  // contexts that share this GPU at a time, this one included
  const Arithmetic& arithmetic() const { return options_.arithmetic; }
  int processors() const { return processors_; }                        // multiprocessors
  std::size_t most_shared_bytes() const { return most_shared_bytes_; }  // of one block
  cublasHandle_t cublas() const { return cublas_.get(); }
  cudnnHandle_t cudnn();  // made on first use: loading cuDNN takes seconds
  // At least `bytes` of device memory with unknown content, valid until the next call with more. Growing
  // waits for the stream and is not possible during capture: ask once for the most before capturing.
  void* workspace(std::size_t bytes);

 private:
  // Activates the device before the members below are made on it.
  struct Activation {
    explicit Activation(int index);
  };
  Device device_;
  Activation activation_;
  ContextOptions options_;
  int processors_;
  std::size_t most_shared_bytes_;
  StreamHandle stream_;
  CublasHandle cublas_;
  std::unique_ptr<CudnnHandle> cudnn_;
  Buffer workspace_;
};

// The stream whose work alone blocking copies of this thread wait for; null: the whole device's (OwnCopies).
cudaStream_t& copies_stream();

// The state of a context on a GPU, which becomes the current one of the calling thread.
CudaState& cuda_state(const Context& context);

}  // namespace serval::cuda
