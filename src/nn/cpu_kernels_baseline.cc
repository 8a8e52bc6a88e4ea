// The kernels for any processor: four floats at a time, no fused multiply-add.
#include "cpu_kernels.h"

namespace serval::nn {
namespace {

typedef float Vec __attribute__((vector_size(16)));
typedef std::int32_t VecInt __attribute__((vector_size(16)));
constexpr int kLanes = 4;
constexpr int kRows = 6;

inline Vec broadcast(float value) { return Vec{value, value, value, value}; }
inline VecInt broadcast_int(std::int32_t value) { return VecInt{value, value, value, value}; }
inline Vec fused(Vec a, Vec b, Vec c) { return a * b + c; }

// Of the lower 32 bits of each lane of 64.
typedef std::uint64_t Words __attribute__((vector_size(16)));
inline Words multiply_words(Words a, Words b) {
  const Words low = Words{0xFFFFFFFFu, 0xFFFFFFFFu};
  return (a & low) * (b & low);
}

#include "cpu_kernels.inc.h"

}  // namespace

CpuKernels baseline_kernels() { return kernels(CpuLevel::kBaseline); }

}  // namespace serval::nn
