// Random numbers for the loops of CPU bodies: those of RandomStream, drawn many at a time.
#pragma once

#include <algorithm>

#include "serval/core/philox.h"

#include "cpu_kernels.h"

namespace serval::nn::cpu {

// What RandomStream::block(first_block) and those after it hand to philox4x32().
inline PhiloxRun philox_run(const RandomStream& random, std::uint64_t first_block) {
  return {.first_block = first_block,
          .counter2 = random.step,
          .counter3 = (random.layer << 8) | static_cast<std::uint32_t>(random.purpose),
          .key0 = static_cast<std::uint32_t>(random.seed) ^ (random.fold * 0x85EBCA6Bu),
          .key1 = static_cast<std::uint32_t>(random.seed >> 32) + random.fold};
}

// Calls apply(i, bits) for `count` numbers of the stream from number `first` on.
template <class Apply>
void for_each_bits(const RandomStream& random, std::uint64_t first, std::int64_t count, const Apply& apply) {
  constexpr std::int64_t kNumbers = 256;
  std::uint32_t bits[kNumbers];
  const CpuKernels& kernels = cpu_kernels();
  auto skip = static_cast<std::int64_t>(first % 4);
  for (std::int64_t done = 0; done < count;) {
    const std::int64_t here = std::min(kNumbers - skip, count - done);
    kernels.philox_bits(philox_run(random, (first + static_cast<std::uint64_t>(done)) / 4),
                        (skip + here + 3) / 4, bits);
    for (std::int64_t i = 0; i < here; ++i) apply(done + i, bits[skip + i]);
    done += here;
    skip = 0;
  }
}

}  // namespace serval::nn::cpu
