#include "serval/core/context.h"

#include <algorithm>
#include <atomic>
#include <charconv>
#include <cstdlib>
#include <fstream>
#include <limits>

namespace serval {

// Each room that has ops registers them in a function of this name.
namespace features {
void register_cpu_ops(OpRegistry& registry);
void register_segment_cpu_ops(OpRegistry& registry);
}  // namespace features
namespace nn {
void register_cpu_ops(OpRegistry& registry);
}

namespace {

OpRegistry make_registry() {
  OpRegistry registry;
  features::register_cpu_ops(registry);
  features::register_segment_cpu_ops(registry);
  nn::register_cpu_ops(registry);
  detail::register_cuda_ops(registry);
  detail::prepare_cuda();
  return registry;
}

std::atomic<const OpRegistry*>& replaced_registry() {
  static std::atomic<const OpRegistry*> registry{nullptr};
  return registry;
}

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

// A GPU that somebody asked the scheduler for: ignoring it would waste it silently.
std::string gpu_allocation() {
  for (const char* name :
       {"CUDA_VISIBLE_DEVICES", "SLURM_JOB_GPUS", "SLURM_STEP_GPUS", "SLURM_GPUS_ON_NODE"}) {
    const std::string value = environment(name);
    const bool none = value.empty() || value == "-1" || value == "NoDevFiles" ||
                      value == "0" && std::string(name) == "SLURM_GPUS_ON_NODE";
    if (!none) return cat(name, "=", value);
  }
  return "";
}

}  // namespace

Context::Context(Device device, const ContextOptions& options) : device_(device), threads_(options.threads) {
  op_registry();  // installs the memory backend of the device
  if (on_cuda()) state_ = detail::make_cuda_state(device.index, options);
}

const OpRegistry& op_registry() {
  static const OpRegistry registry = make_registry();
  const OpRegistry* other = replaced_registry().load(std::memory_order_acquire);
  return other != nullptr ? *other : registry;
}
void detail::replace_op_registry(const OpRegistry* registry) { replaced_registry() = registry; }

bool built_with_cuda() { return detail::cuda_compiled(); }

std::vector<CudaDeviceInfo> cuda_devices(std::string* why) { return detail::list_cuda_devices(why); }

std::string device_name(const Device& device) {
  if (device.kind == DeviceKind::kCuda) {
    for (const CudaDeviceInfo& info : cuda_devices()) {
      if (info.index == device.index) return info.name;
    }
    return "unknown";
  }
  std::ifstream cpuinfo("/proc/cpuinfo");
  for (std::string line; std::getline(cpuinfo, line);) {
    if (line.rfind("model name", 0) != 0) continue;
    const std::size_t name = line.find_first_not_of(" \t", line.find(':') + 1);
    if (name != std::string::npos) return line.substr(name);
  }
  return "unknown";
}

std::int64_t free_memory_bytes(const Device& device) {
  if (device.kind == DeviceKind::kCuda) return detail::cuda_free_bytes(device.index);
  std::int64_t bytes = std::numeric_limits<std::int64_t>::max();
  std::ifstream meminfo("/proc/meminfo");
  for (std::string line; std::getline(meminfo, line);) {
    if (line.rfind("MemAvailable:", 0) == 0) bytes = std::atoll(line.c_str() + 13) * 1024;
  }
  // "max" reads as no number. Files that were read count as used, though they make way.
  std::int64_t most = 0, used = 0, files = 0;
  if (std::ifstream("/sys/fs/cgroup/memory.max") >> most &&
      std::ifstream("/sys/fs/cgroup/memory.current") >> used) {
    std::ifstream statistics("/sys/fs/cgroup/memory.stat");
    std::int64_t value = 0;
    for (std::string name; statistics >> name >> value;) {
      if (name == "inactive_file") files = value;
    }
    bytes = std::min(bytes, std::max<std::int64_t>(0, most - used + files));
  }
  return bytes;
}

std::string backend_versions(const Device& device) {
  return device.kind == DeviceKind::kCuda ? detail::cuda_versions() : "";
}

Device choose_device(const std::string& request) {
  op_registry();  // installs the memory backend of whatever device it will be
  if (request == "cpu") return Device{};
  std::string why;
  if (request == "auto") {
    const std::vector<CudaDeviceInfo> gpus = cuda_devices(&why);
    if (!gpus.empty()) return Device{DeviceKind::kCuda, gpus.front().index};
    const std::string allocation = gpu_allocation();
    if (!allocation.empty()) {
      throw DeviceError(cat("--device auto: a GPU was allocated to this job (", allocation,
                            ") and cannot be used: ", why, ". Use --device cpu to run without it"));
    }
    return Device{};
  }
  int index = 0;
  bool valid = request == "cuda";
  if (request.rfind("cuda:", 0) == 0) {
    const char* end = request.data() + request.size();
    const auto [stop, error] = std::from_chars(request.data() + 5, end, index);
    valid = error == std::errc{} && stop == end && index >= 0;
  }
  if (!valid) {
    throw ConfigError(cat("--device: \"", request, "\" is not one of auto, cpu, cuda, cuda:N"));
  }
  const std::vector<CudaDeviceInfo> gpus = cuda_devices(&why);
  if (gpus.empty()) throw DeviceError(cat("--device ", request, ": no GPU can be used: ", why));
  if (index >= static_cast<int>(gpus.size())) {
    throw DeviceError(cat("--device ", request, ": there are ", gpus.size(), " GPUs, numbered from 0"));
  }
  return Device{DeviceKind::kCuda, index};
}

}  // namespace serval
