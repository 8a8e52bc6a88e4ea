#include <algorithm>
#include <cmath>
#include <cstring>

#include "serval/features/detail/lag_sums.h"

#include "fft_lanes.h"
#include "lane_pass.h"

namespace serval::features::detail {

namespace {

struct LagJob {
  LagSum kind;
  const float* x;
  int samples;
  int lags;
  float* sums;
};
struct BandJob {
  const float* from;
  const float* taps;
  int width;
  int count;
  float* best;
  std::int32_t* where;
};

template <class V>
SERVAL_INLINE void load(V& to, const float* from) {
  std::memcpy(&to, from, sizeof(V));
}

// Four vectors of neighbouring lags at a time.
template <int lanes, LagSum kind>
SERVAL_INLINE void sum_lags(const LagJob& job) {
  using V = Vector<lanes>;
  for (int lag = 1; lag <= job.lags; lag += 4 * lanes) {
    V total[4] = {};
    for (int first = 0; first < job.samples; first += kLagTerms) {
      const int end = std::min(first + kLagTerms, job.samples);
      V sum[4] = {};
      for (int n = first; n < end; ++n) {
        const float x = job.x[n];
        for (int v = 0; v < 4; ++v) {
          V other;
          load(other, job.x + n + lag + v * lanes);
          if constexpr (kind == LagSum::kSquaredDifference) {
            const V d = x - other;
            sum[v] += d * d;
          } else {
            sum[v] += x * other;
          }
        }
      }
      for (int v = 0; v < 4; ++v) total[v] += sum[v];
    }
    for (int v = 0; v < 4; ++v) std::memcpy(job.sums + lag - 1 + v * lanes, &total[v], sizeof(V));
  }
}

template <int lanes>
SERVAL_INLINE void lag_body(const LagJob& job) {
  if (job.kind == LagSum::kSquaredDifference) {
    sum_lags<lanes, LagSum::kSquaredDifference>(job);
  } else {
    sum_lags<lanes, LagSum::kProduct>(job);
  }
}

template <int lanes>
SERVAL_INLINE void band_body(const BandJob& job) {
  using V = Vector<lanes>;
  typedef std::int32_t Int __attribute__((vector_size(lanes * sizeof(std::int32_t))));
  for (int j = 0; j < job.count; j += 2 * lanes) {
    V best[2] = {};
    best[0] = best[0] - INFINITY;
    best[1] = best[0];
    Int where[2] = {};
    for (int q = 0; q < job.width; ++q) {
      for (int v = 0; v < 2; ++v) {
        V candidate;
        load(candidate, job.from + j + q + v * lanes);
        candidate += job.taps[q];
        const Int better = candidate > best[v];
        best[v] = better ? candidate : best[v];
        where[v] = better ? Int{} + q : where[v];
      }
    }
    std::memcpy(job.best + j, best, sizeof best);
    std::memcpy(job.where + j, where, sizeof where);
  }
}

struct Bodies {
  void (*lags)(const LagJob&);
  void (*band)(const BandJob&);
};

void lags4(const LagJob& job) { lag_body<4>(job); }
void band4(const BandJob& job) { band_body<4>(job); }
#if defined(__x86_64__)
__attribute__((target("avx2"))) void lags8(const LagJob& job) { lag_body<8>(job); }
__attribute__((target("avx2"))) void band8(const BandJob& job) { band_body<8>(job); }
#if defined(__clang__)
#define SERVAL_AVX512 __attribute__((target("avx512f,avx512dq,avx512vl")))
#else
#define SERVAL_AVX512 __attribute__((target("avx512f,avx512dq,avx512vl,prefer-vector-width=512")))
#endif
SERVAL_AVX512 void lags16(const LagJob& job) { lag_body<16>(job); }
SERVAL_AVX512 void band16(const BandJob& job) { band_body<16>(job); }
#endif

Bodies choose() {
#if defined(__x86_64__)
  const InstructionSet best = instruction_sets().back();
  if (best == InstructionSet::kAvx512) return {lags16, band16};
  if (best == InstructionSet::kAvx2) return {lags8, band8};
#endif
  return {lags4, band4};
}

const Bodies& bodies() {
  static const Bodies chosen = choose();
  return chosen;
}

}  // namespace

void solo_lag_sums(LagSum kind, const float* x, int samples, int lags, float* sums) {
  bodies().lags({kind, x, samples, lags, sums});
}

void solo_best_in_band(const float* from, const float* taps, int width, int count, float* best,
                       std::int32_t* where) {
  bodies().band({from, taps, width, count, best, where});
}

}  // namespace serval::features::detail
