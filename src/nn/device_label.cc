#include "serval/nn/device_label.h"

#include "serval/core/context.h"
#include "serval/nn/cpu_level.h"

namespace serval::nn {

std::string device_label(const Device& device) {
  const std::string detail = device.kind == DeviceKind::kCpu ? cpu_level_name() : backend_versions(device);
  return cat(to_string(device.kind), " (", device_name(device), ", ", detail, ")");
}

}  // namespace serval::nn
