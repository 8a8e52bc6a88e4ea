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

#include "cpu_kernels.inc.h"

}  // namespace

CpuKernels baseline_kernels() { return kernels(CpuLevel::kBaseline); }

}  // namespace serval::nn
