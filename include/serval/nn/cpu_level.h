// Which instructions this room's CPU kernels use, chosen once at run time, so that one binary runs on any
// processor. Features choose for themselves: all their instruction sets give the same bits.
//
// The best level that this processor has, or the one named by the environment variable SERVAL_CPU
// (baseline, avx2 or avx512). A name that is unknown or that this processor lacks is a ConfigError.
// avx2 and avx512 give the same bits; baseline has no fused multiply-add and rounds differently.
#pragma once

namespace serval::nn {

enum class CpuLevel { kBaseline, kAvx2, kAvx512 };
const char* to_string(CpuLevel level);

// Whether this build has the level and this processor can run it.
bool cpu_level_supported(CpuLevel level);

CpuLevel cpu_level();
const char* cpu_level_name();  // to_string(cpu_level()), for `serval info`

// Takes another level from now on, in every thread; for tests and benchmarks. ConfigError when unsupported.
void set_cpu_level(CpuLevel level);

}  // namespace serval::nn
