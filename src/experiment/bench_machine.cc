#include "bench_machine.h"

#include <algorithm>
#include <cstring>
#include <fstream>
#include <limits>
#include <vector>

#include <malloc.h>

#include "serval/core/error.h"
#include "serval/core/log.h"
#include "serval/core/parallel.h"

namespace serval::experiment {

namespace {

constexpr std::size_t kMebibyte = std::size_t{1} << 20;
constexpr int kCopies = 5;

Bandwidth cpu_copy(int threads) {
  const std::size_t share = 128 * kMebibyte / static_cast<std::size_t>(threads);
  std::vector<std::vector<char>> from(static_cast<std::size_t>(threads), std::vector<char>(share, 1));
  std::vector<std::vector<char>> to = from;  // memory that was written to once is really there
  double best_s = std::numeric_limits<double>::infinity();
  for (int i = 0; i < kCopies; ++i) {
    const double started_s = monotonic_s();
    parallel_for(from.size(), threads,
                 [&](std::size_t thread) { std::memcpy(to[thread].data(), from[thread].data(), share); });
    best_s = std::min(best_s, monotonic_s() - started_s);
  }
  const double bytes = 2.0 * static_cast<double>(share) * threads;
  return {bytes / best_s, cat("memcpy of 128 MiB, ", threads, threads == 1 ? " thread" : " threads")};
}

Bandwidth device_copy(const Device& device) {
  constexpr std::size_t kBytes = 512 * kMebibyte;
  Buffer from(device, kBytes), to(device, kBytes);
  double best_s = std::numeric_limits<double>::infinity();
  for (int i = 0; i < kCopies; ++i) {
    const double started_s = monotonic_s();
    copy_bytes(to.data(), device, from.data(), device, kBytes);
    best_s = std::min(best_s, monotonic_s() - started_s);
  }
  return {2.0 * kBytes / best_s, "copy of 512 MiB within the device"};
}

// A line of /proc/self/status, which counts in kB.
std::int64_t status_bytes(const std::string& name) {
  std::ifstream in("/proc/self/status");
  for (std::string line; std::getline(in, line);) {
    if (line.rfind(name + ":", 0) == 0) return std::stoll(line.substr(name.size() + 1)) * 1024;
  }
  throw InternalError(cat("/proc/self/status: no ", name));
}

}  // namespace

Bandwidth copy_bandwidth(const Device& device, int threads) {
  return device.kind == DeviceKind::kCuda ? device_copy(device) : cpu_copy(threads);
}

PeakMemory::PeakMemory() {
  ::malloc_trim(0);                               // free memory that is kept would hide growth
  std::ofstream("/proc/self/clear_refs") << "5";  // the peak starts anew; see proc(5)
  before_bytes_ = status_bytes("VmRSS");
}

std::int64_t PeakMemory::growth_bytes() const { return status_bytes("VmHWM") - before_bytes_; }

}  // namespace serval::experiment
