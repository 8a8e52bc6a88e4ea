#include "bench_machine.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <vector>

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

}  // namespace

Bandwidth copy_bandwidth(const Device& device, int threads) {
  return device.kind == DeviceKind::kCuda ? device_copy(device) : cpu_copy(threads);
}

}  // namespace serval::experiment
