#include "serval/nn/cpu_level.h"

#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <memory>
#include <string>

#include "cpu_kernels.h"

namespace serval::nn {

namespace {

constexpr CpuLevel kLevels[] = {CpuLevel::kAvx512, CpuLevel::kAvx2, CpuLevel::kBaseline};

CpuLevel level_from_environment() {
  const char* wanted = std::getenv("SERVAL_CPU");
  for (const CpuLevel level : kLevels) {
    if (wanted == nullptr || *wanted == '\0') {
      if (cpu_level_supported(level)) return level;
    } else if (std::string(wanted) == to_string(level)) {
      if (cpu_level_supported(level)) return level;
      throw ConfigError(
          cat("SERVAL_CPU=", wanted, ": this processor or build lacks it; unset it to use the best"));
    }
  }
  throw ConfigError(cat("SERVAL_CPU=", wanted, ": unknown; it can be baseline, avx2 or avx512"));
}

std::atomic<CpuLevel>& chosen_level() {
  static std::atomic<CpuLevel> level{level_from_environment()};
  return level;
}

}  // namespace

const char* to_string(CpuLevel level) {
  switch (level) {
    case CpuLevel::kBaseline:
      return "baseline";
    case CpuLevel::kAvx2:
      return "avx2";
    case CpuLevel::kAvx512:
      return "avx512";
  }
  return "unknown";
}

bool cpu_level_supported(CpuLevel level) {
#if defined(__x86_64__)
  if (level == CpuLevel::kAvx512) return __builtin_cpu_supports("avx512f") != 0;
  if (level == CpuLevel::kAvx2)
    return __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("fma") != 0;
#endif
  return level == CpuLevel::kBaseline;
}

CpuLevel cpu_level() { return chosen_level().load(std::memory_order_relaxed); }
const char* cpu_level_name() { return to_string(cpu_level()); }

void set_cpu_level(CpuLevel level) {
  if (!cpu_level_supported(level)) {
    throw ConfigError(cat("instruction set ", to_string(level), ": this processor or build lacks it"));
  }
  chosen_level() = level;
}

const CpuKernels& cpu_kernels(CpuLevel level) {
  static const CpuKernels kernels[] = {baseline_kernels(), avx2_kernels(), avx512_kernels()};
  return kernels[static_cast<int>(level)];
}
const CpuKernels& cpu_kernels() { return cpu_kernels(cpu_level()); }

float* gemm_scratch() {
  // Made on a thread's first product and kept, so that training itself allocates nothing.
  constexpr std::size_t kAlignment = 64;  // a cache line: vector loads then never straddle two
  thread_local const std::unique_ptr<std::byte[]> memory =
      std::make_unique_for_overwrite<std::byte[]>(kGemmScratch * sizeof(float) + kAlignment);
  void* start = memory.get();
  std::size_t room = kGemmScratch * sizeof(float) + kAlignment;
  return static_cast<float*>(std::align(kAlignment, kGemmScratch * sizeof(float), start, room));
}

}  // namespace serval::nn
