// The CPU build's half of the seam in core/context.h; cuda/core/cuda_present.cu is the other.
#include "serval/core/context.h"

namespace serval::detail {

bool cuda_compiled() { return false; }

std::unique_ptr<DeviceState> make_cuda_state(int, const ContextOptions&) {
  throw DeviceError("this build of Serval has no CUDA backend; build with the preset \"cuda\"");
}

std::vector<CudaDeviceInfo> list_cuda_devices(std::string* why) {
  if (why != nullptr) *why = "this build of Serval has no CUDA backend; build with the preset \"cuda\"";
  return {};
}

std::int64_t cuda_free_bytes(int) { return 0; }
std::string cuda_versions() { return ""; }
void register_cuda_ops(OpRegistry&) {}
void prepare_cuda() {}

}  // namespace serval::detail
