// The ways in which a device computes a feature set.
#pragma once

namespace serval::features {

// kGeneral takes every set: on a GPU frames, cuFFT and mel bands pass through its memory one after the other.
// kFused is one kernel for log-mel and MFCC on a GPU (docs/benchmarks.md). Both follow the same formulas and round
// in another order. kBest is the fused one where it can take the set and the general one otherwise: the choice
// depends on settings and device alone, so that a set always has the same bits.
enum class FeatureEngine { kBest, kGeneral, kFused };

}  // namespace serval::features
