// A clip's features on the CPU, compiled for several instruction sets; all give the same bits.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "serval/features/detail/plan.h"

#include "fft_tables.h"

namespace serval::features::detail {

enum class InstructionSet { kBaseline, kAvx2, kAvx512 };
std::vector<InstructionSet> instruction_sets();  // that this processor has, the best one last

// `out` is [frames, dimension] and zero.
void clip_features(InstructionSet set, const ExtractionPlan& plan, const FftTables& tables,
                   std::span<const float> samples, std::int64_t frames, float* out);

}  // namespace serval::features::detail
