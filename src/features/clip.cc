#include "clip.h"

#include "clip_lanes.h"

namespace serval::features::detail {

namespace {

using Body = void(const ExtractionPlan&, const FftTables&, std::span<const float>, std::int64_t, ClipScratch&,
                  float*);

void baseline(const ExtractionPlan& plan, const FftTables& tables, std::span<const float> samples,
              std::int64_t frames, ClipScratch& scratch, float* out) {
  clip_features<4>(plan, tables, samples, frames, scratch, out);
}

#if defined(__x86_64__)
// Without fma: a product and a sum round one after the other, as in the baseline.
__attribute__((target("avx2"))) void avx2(const ExtractionPlan& plan, const FftTables& tables,
                                          std::span<const float> samples, std::int64_t frames,
                                          ClipScratch& scratch, float* out) {
  clip_features<8>(plan, tables, samples, frames, scratch, out);
}

// GCC halves the vectors unless told not to; Clang does not know the word.
#if defined(__clang__)
#define SERVAL_AVX512 "avx512f,avx512dq,avx512vl"
#else
#define SERVAL_AVX512 "avx512f,avx512dq,avx512vl,prefer-vector-width=512"
#endif
__attribute__((target(SERVAL_AVX512))) void avx512(const ExtractionPlan& plan, const FftTables& tables,
                                                   std::span<const float> samples, std::int64_t frames,
                                                   ClipScratch& scratch, float* out) {
  clip_features<16>(plan, tables, samples, frames, scratch, out);
}
#endif

}  // namespace

std::vector<InstructionSet> instruction_sets() {
  std::vector<InstructionSet> sets{InstructionSet::kBaseline};
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2")) sets.push_back(InstructionSet::kAvx2);
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512vl")) {
    sets.push_back(InstructionSet::kAvx512);
  }
#endif
  return sets;
}

void clip_features(InstructionSet set, const ExtractionPlan& plan, const FftTables& tables,
                   std::span<const float> samples, std::int64_t frames, float* out) {
  Body* body = baseline;
  int lanes = 4;
#if defined(__x86_64__)
  if (set == InstructionSet::kAvx2) body = avx2, lanes = 8;
  if (set == InstructionSet::kAvx512) body = avx512, lanes = 16;
#else
  SERVAL_CHECK(set == InstructionSet::kBaseline, "not compiled for this processor");
#endif
  ClipScratch scratch(plan, (frames + lanes - 1) / lanes, lanes);
  body(plan, tables, samples, frames, scratch, out);
}

}  // namespace serval::features::detail
