// What a benchmark wants to know of the machine: how fast it copies, how much memory the process takes.
#pragma once

#include <cstdint>
#include <string>

#include "serval/core/tensor.h"

namespace serval::experiment {

struct Bandwidth {
  double bytes_per_s = 0;  // read and written
  std::string what;
};
// The best of several copies between two places that no cache holds: memcpy on `threads` threads, or the
// device's own copy.
Bandwidth copy_bandwidth(const Device& device, int threads);

}  // namespace serval::experiment
