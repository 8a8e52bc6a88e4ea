// The kernels for AVX-512F: sixteen floats at a time.
#include "cpu_kernels.h"

#if defined(__x86_64__)

#include <immintrin.h>

// Only what is below is compiled for AVX-512: nothing that another file might share.
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx512f"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx512f")
#endif

namespace serval::nn {
namespace {

typedef float Vec __attribute__((vector_size(64)));
typedef std::int32_t VecInt __attribute__((vector_size(64)));
constexpr int kLanes = 16;
constexpr int kRows = 12;

inline Vec broadcast(float value) { return _mm512_set1_ps(value); }
inline VecInt broadcast_int(std::int32_t value) { return reinterpret_cast<VecInt>(_mm512_set1_epi32(value)); }
inline Vec fused(Vec a, Vec b, Vec c) { return _mm512_fmadd_ps(a, b, c); }

// Of the lower 32 bits of each lane of 64. With a mask, since GCC 12 warns of its own header otherwise.
typedef std::uint64_t Words __attribute__((vector_size(64)));
inline Words multiply_words(Words a, Words b) {
  return reinterpret_cast<Words>(
      _mm512_maskz_mul_epu32(0xFF, reinterpret_cast<__m512i>(a), reinterpret_cast<__m512i>(b)));
}

#include "cpu_kernels.inc.h"

}  // namespace

CpuKernels avx512_kernels() { return kernels(CpuLevel::kAvx512); }

}  // namespace serval::nn

#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

#else

namespace serval::nn {
CpuKernels avx512_kernels() { return {}; }  // cpu_level_supported() says no
}  // namespace serval::nn

#endif
