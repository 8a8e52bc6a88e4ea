// Counter-based random numbers: Philox4x32-10 (Salmon et al., SC'11).
//
// A number is a pure function of (seed, stream, index), so it depends neither on the device, nor on the
// order of evaluation, nor on what else runs beside it. A stream is named by what the numbers are for:
//   RandomStream{seed, fold, purpose}.at(step)
#pragma once

#include <cstdint>

#include "serval/core/hd.h"

namespace serval {

struct PhiloxBlock {
  std::uint32_t value[4];
};

SERVAL_HD inline PhiloxBlock philox4x32(PhiloxBlock counter, std::uint32_t key0, std::uint32_t key1) {
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t product0 = 0xD2511F53ull * counter.value[0];
    const std::uint64_t product1 = 0xCD9E8D57ull * counter.value[2];
    counter = PhiloxBlock{{static_cast<std::uint32_t>(product1 >> 32) ^ counter.value[1] ^ key0,
                           static_cast<std::uint32_t>(product1),
                           static_cast<std::uint32_t>(product0 >> 32) ^ counter.value[3] ^ key1,
                           static_cast<std::uint32_t>(product0)}};
    key0 += 0x9E3779B9u;
    key1 += 0xBB67AE85u;
  }
  return counter;
}

enum class RandomPurpose : std::uint32_t {
  kInit = 1,
  kShuffle = 2,
  kDropout = 3,
  kTest = 5,
  kBenchmark = 6,
  kAugment = 7,
  kBatchAugment = 8,
  kBootstrap = 9,
  kPermutation = 10,
  kSplit = 11,
  kSweep = 12,
};

// One sequence of random numbers. `index` picks the number; equal arguments give equal numbers everywhere.
struct RandomStream {
  std::uint64_t seed = 0;
  std::uint32_t fold = 0;
  RandomPurpose purpose = RandomPurpose::kTest;
  std::uint32_t step = 0;   // training step, epoch or parameter number
  std::uint32_t layer = 0;  // tells apart several users of one purpose

  // Numbers 4 n to 4 n + 3, for loops that want many.
  SERVAL_HD PhiloxBlock block(std::uint64_t n) const {
    // Seed and fold are the key; what changes within one training is the counter: number, step, layer, purpose.
    return philox4x32(PhiloxBlock{{static_cast<std::uint32_t>(n), static_cast<std::uint32_t>(n >> 32), step,
                                   (layer << 8) | static_cast<std::uint32_t>(purpose)}},
                      static_cast<std::uint32_t>(seed) ^ (fold * 0x85EBCA6Bu),
                      static_cast<std::uint32_t>(seed >> 32) + fold);
  }
  SERVAL_HD std::uint32_t bits(std::uint64_t index) const { return block(index / 4).value[index % 4]; }
  // Uniform in [0, 1), a multiple of 2^-24: exact in float.
  SERVAL_HD float uniform(std::uint64_t index) const { return uniform_of(bits(index)); }
  SERVAL_HD static float uniform_of(std::uint32_t bits) { return static_cast<float>(bits >> 8) * 0x1p-24f; }
  // Uniform integer in [0, n).
  SERVAL_HD std::uint32_t below(std::uint64_t index, std::uint32_t n) const {
    return static_cast<std::uint32_t>((static_cast<std::uint64_t>(bits(index)) * n) >> 32);
  }
};

}  // namespace serval
