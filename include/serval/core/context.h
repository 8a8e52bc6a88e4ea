// Where work happens: one device, one stream of work on it, and the ops that it has.
// Passed first to everything that computes. One thread uses a context at a time.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "serval/core/op.h"
#include "serval/core/tensor.h"

namespace serval {

// What a backend keeps for a context: stream, library handles, workspace. See cuda/core/state.cuh.
class DeviceState {
 public:
  virtual ~DeviceState() = default;
  virtual void synchronize() = 0;
  // Whether blocking copies of the calling thread wait for this context's work alone.
  virtual void take_copies(bool on) = 0;
};

// What a GPU may do for speed; a CPU computes in float32, the same bits each time, whatever stands here.
struct Arithmetic {
  bool tf32 = false;  // products of matrices and convolutions with inputs rounded to 10 bits behind the point
  bool run_to_run =
      true;  // the same bits each time; otherwise sums whose order varies are allowed, where they are faster
  friend bool operator==(const Arithmetic&, const Arithmetic&) = default;
};

struct ContextOptions {
  int threads = 1;  // for host loops on the CPU
  int beside = 1;   // contexts that share a GPU at a time: changes how work is cut, never its bits
  Arithmetic arithmetic = {};
};

class Context {
 public:
  // Throws DeviceError when the device cannot be used.
  explicit Context(Device device = {}, int threads = 1)
      : Context(device, ContextOptions{.threads = threads}) {}
  Context(Device device, const ContextOptions& options);
  Context(Context&&) noexcept = default;
  Context& operator=(Context&&) noexcept = default;

  Device device() const { return device_; }
  bool on_cuda() const { return device_.kind == DeviceKind::kCuda; }
  int threads() const { return threads_; }
  DeviceState* state() const { return state_.get(); }  // null on the CPU
  void synchronize() const {
    if (state_) state_->synchronize();
  }

 private:
  Device device_;
  int threads_ = 1;
  std::unique_ptr<DeviceState> state_;
};

// While it lives, blocking copies of the calling thread wait for the work of this context alone, not for that of a whole
// GPU. For a thread that copies only what no other context works on at the time.
class OwnCopies {
 public:
  explicit OwnCopies(const Context& context) : state_(context.state()) {
    if (state_ != nullptr) state_->take_copies(true);
  }
  ~OwnCopies() {
    if (state_ != nullptr) state_->take_copies(false);
  }
  OwnCopies(const OwnCopies&) = delete;
  OwnCopies& operator=(const OwnCopies&) = delete;

 private:
  DeviceState* state_;
};

// Bytes that can still be allocated: of a GPU, or of this machine and its control group.
std::int64_t free_memory_bytes(const Device& device);

// The ops of this build, registered by explicit calls on first use and constant afterwards.
const OpRegistry& op_registry();

template <class Op, class... Args>
void run(const Context& context, const Args&... args) {
  op_registry().find<Op>(context.device().kind)(context, args...);
}

struct CudaDeviceInfo {
  int index = 0;
  std::string name;
  std::string compute_capability;  // "9.0"
  std::size_t memory_bytes = 0;
};

// True in a build that has the CUDA backend, whether or not a GPU is present.
bool built_with_cuda();
// The GPUs that can be used now; empty where there is none, with the reason in `why` when given.
std::vector<CudaDeviceInfo> cuda_devices(std::string* why = nullptr);
// "NVIDIA H200" or the processor's model name, as results record it.
std::string device_name(const Device& device);
// "CUDA 13.0, cuDNN 9.19.0" or "" on the CPU.
std::string backend_versions(const Device& device);

// `auto`, `cpu`, `cuda` or `cuda:N`. `auto` takes a GPU when one is visible; a GPU that was allocated to the
// job (CUDA_VISIBLE_DEVICES or Slurm) and cannot be used is an error, never a silent step down to the CPU.
Device choose_device(const std::string& request);

namespace detail {
// Provided by exactly one of src/core/cuda_absent.cc and cuda/core/cuda_present.cu.
bool cuda_compiled();
std::unique_ptr<DeviceState> make_cuda_state(int index, const ContextOptions& options);
std::int64_t cuda_free_bytes(int index);
std::vector<CudaDeviceInfo> list_cuda_devices(std::string* why);
std::string cuda_versions();
void register_cuda_ops(OpRegistry& registry);
void prepare_cuda();  // once, before any CUDA library is used
// For tests that put other bodies behind the ops; null: those of the build again. `registry` must live on.
void replace_op_registry(const OpRegistry* registry);
}  // namespace detail

}  // namespace serval
