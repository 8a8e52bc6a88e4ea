#include "lane_pass.h"

#include "clip_lanes.h"
#include "delta_lanes.h"

namespace serval::features::detail {

namespace {

struct Bodies {
  void (*pass)(const LanePass&);
  void (*settle)(const BankTiles&, std::int64_t);
  void (*columns)(const BankColumns&);
  void (*deltas)(const DeltaColumns&);
};

void pass4(const LanePass& pass) { lane_pass<4>(pass); }
void settle4(const BankTiles& bank, std::int64_t frames) { settle_bank<4>(bank, frames); }
void columns4(const BankColumns& job) { bank_columns<4>(job); }
void deltas4(const DeltaColumns& job) { deltas<4>(job); }

#if defined(__x86_64__)
// Without fma: a product and a sum round one after the other, as in the baseline.
#define SERVAL_AVX2 __attribute__((target("avx2")))
SERVAL_AVX2 void pass8(const LanePass& pass) { lane_pass<8>(pass); }
SERVAL_AVX2 void settle8(const BankTiles& bank, std::int64_t frames) { settle_bank<8>(bank, frames); }
SERVAL_AVX2 void columns8(const BankColumns& job) { bank_columns<8>(job); }
SERVAL_AVX2 void deltas8(const DeltaColumns& job) { deltas<8>(job); }

// GCC halves the vectors unless told not to; Clang does not know the word.
#if defined(__clang__)
#define SERVAL_AVX512 __attribute__((target("avx512f,avx512dq,avx512vl")))
#else
#define SERVAL_AVX512 __attribute__((target("avx512f,avx512dq,avx512vl,prefer-vector-width=512")))
#endif
SERVAL_AVX512 void pass16(const LanePass& pass) { lane_pass<16>(pass); }
SERVAL_AVX512 void settle16(const BankTiles& bank, std::int64_t frames) { settle_bank<16>(bank, frames); }
SERVAL_AVX512 void columns16(const BankColumns& job) { bank_columns<16>(job); }
SERVAL_AVX512 void deltas16(const DeltaColumns& job) { deltas<16>(job); }
#endif

Bodies bodies_of(InstructionSet set) {
#if defined(__x86_64__)
  if (set == InstructionSet::kAvx2) return {pass8, settle8, columns8, deltas8};
  if (set == InstructionSet::kAvx512) return {pass16, settle16, columns16, deltas16};
#else
  SERVAL_CHECK(set == InstructionSet::kBaseline, "not compiled for this processor");
#endif
  return {pass4, settle4, columns4, deltas4};
}

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

int lanes_of(InstructionSet set) {
  return set == InstructionSet::kAvx512 ? 16 : set == InstructionSet::kAvx2 ? 8 : 4;
}

void lane_pass(InstructionSet set, const LanePass& pass) { bodies_of(set).pass(pass); }
void settle_bank(InstructionSet set, const BankTiles& bank, std::int64_t frames) {
  bodies_of(set).settle(bank, frames);
}
void bank_columns(InstructionSet set, const BankColumns& job) { bodies_of(set).columns(job); }
void delta_columns(InstructionSet set, const DeltaColumns& job) { bodies_of(set).deltas(job); }

}  // namespace serval::features::detail
