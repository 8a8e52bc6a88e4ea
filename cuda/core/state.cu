#include "cuda/core/check.cuh"
#include "cuda/core/state.cuh"

namespace serval::cuda {

namespace {

// NVIDIA's recommended sizes.
constexpr std::size_t kCublasBytesHopper = 32u << 20;
constexpr std::size_t kCublasBytes = 4u << 20;

int attribute(cudaDeviceAttr which, int index) {
  int value = 0;
  SERVAL_CUDA_CHECK(cudaDeviceGetAttribute(&value, which, index));
  return value;
}

std::size_t cublas_bytes(int index) {
  return attribute(cudaDevAttrComputeCapabilityMajor, index) >= 9 ? kCublasBytesHopper : kCublasBytes;
}

}  // namespace

StreamHandle::StreamHandle() {
  SERVAL_CUDA_CHECK(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking));
}

// Two constructors each: once the first one is done the destructor runs even if the settings fail.
CublasHandle::CublasHandle(const Device& device) : workspace_(device, cublas_bytes(device.index)) {
  SERVAL_CUBLAS_CHECK(cublasCreate(&handle_));
}

CublasHandle::CublasHandle(const Device& device, cudaStream_t stream, bool run_to_run)
    : CublasHandle(device) {
  SERVAL_CUBLAS_CHECK(cublasSetStream(handle_, stream));
  SERVAL_CUBLAS_CHECK(cublasSetWorkspace(handle_, workspace_.data(), workspace_.bytes()));
  SERVAL_CUBLAS_CHECK(cublasSetMathMode(handle_, CUBLAS_DEFAULT_MATH));
  SERVAL_CUBLAS_CHECK(
      cublasSetAtomicsMode(handle_, run_to_run ? CUBLAS_ATOMICS_NOT_ALLOWED : CUBLAS_ATOMICS_ALLOWED));
}

CudnnHandle::CudnnHandle() { SERVAL_CUDNN_CHECK(cudnnCreate(&handle_)); }

CudnnHandle::CudnnHandle(cudaStream_t stream) : CudnnHandle() {
  SERVAL_CUDNN_CHECK(cudnnSetStream(handle_, stream));
}

CudaState::Activation::Activation(int index) { SERVAL_CUDA_CHECK(cudaSetDevice(index)); }

CudaState::CudaState(int index, const ContextOptions& options)
    : device_{DeviceKind::kCuda, index},
      activation_(index),
      options_(options),
      processors_(attribute(cudaDevAttrMultiProcessorCount, index)),
      most_shared_bytes_(static_cast<std::size_t>(attribute(cudaDevAttrMaxSharedMemoryPerBlockOptin, index))),
      cublas_(device_, stream_.get(), options.arithmetic.run_to_run) {}

CudaState::~CudaState() {
  cudaSetDevice(device_.index);
  cudaStreamSynchronize(stream_.get());  // nothing may still use what is about to be freed
}

void CudaState::synchronize() {
  activate();
  SERVAL_CUDA_CHECK(cudaStreamSynchronize(stream_.get()));
}

cudaStream_t& copies_stream() {
  static thread_local cudaStream_t stream = nullptr;
  return stream;
}

void CudaState::take_copies(bool on) { copies_stream() = on ? stream_.get() : nullptr; }

void CudaState::activate() const { SERVAL_CUDA_CHECK(cudaSetDevice(device_.index)); }

cudnnHandle_t CudaState::cudnn() {
  if (!cudnn_) cudnn_ = std::make_unique<CudnnHandle>(stream_.get());
  return cudnn_->get();
}

void* CudaState::workspace(std::size_t bytes) {
  if (bytes > workspace_.bytes()) {
    synchronize();
    workspace_ = Buffer();  // the old one goes first, so that both need not fit
    workspace_ = Buffer(device_, bytes);
  }
  return workspace_.data();
}

CudaState& cuda_state(const Context& context) {
  SERVAL_CHECK(context.on_cuda(), "a CUDA body on ", to_string(context.device()));
  CudaState& state = static_cast<CudaState&>(*context.state());
  state.activate();
  return state;
}

}  // namespace serval::cuda
