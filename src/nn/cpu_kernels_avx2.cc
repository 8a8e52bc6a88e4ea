// The kernels for AVX2 with FMA: eight floats at a time.
#include "cpu_kernels.h"

#if defined(__x86_64__)

#include <immintrin.h>

// Only what is below is compiled for AVX2: nothing that another file might share.
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2,fma")
#endif

namespace serval::nn {
namespace {

typedef float Vec __attribute__((vector_size(32)));
typedef std::int32_t VecInt __attribute__((vector_size(32)));
constexpr int kLanes = 8;
constexpr int kRows = 6;

inline Vec broadcast(float value) { return _mm256_set1_ps(value); }
inline VecInt broadcast_int(std::int32_t value) { return reinterpret_cast<VecInt>(_mm256_set1_epi32(value)); }
inline Vec fused(Vec a, Vec b, Vec c) { return _mm256_fmadd_ps(a, b, c); }

// Of the lower 32 bits of each lane of 64.
typedef std::uint64_t Words __attribute__((vector_size(32)));
inline Words multiply_words(Words a, Words b) {
  return reinterpret_cast<Words>(
      _mm256_mul_epu32(reinterpret_cast<__m256i>(a), reinterpret_cast<__m256i>(b)));
}

#include "cpu_kernels.inc.h"

}  // namespace

CpuKernels avx2_kernels() { return kernels(CpuLevel::kAvx2); }

}  // namespace serval::nn

#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

#else

namespace serval::nn {
CpuKernels avx2_kernels() { return {}; }  // cpu_level_supported() says no
}  // namespace serval::nn

#endif
