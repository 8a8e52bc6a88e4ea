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

// Calls apply(i, n, bits) for numbers first + i to first + i + n - 1, until it was `count` of them.
template <class Apply>
void for_each_run(const RandomStream& random, std::uint64_t first, std::int64_t count, const Apply& apply) {
  constexpr std::int64_t kNumbers = 256;
  std::uint32_t bits[kNumbers];
  const CpuKernels& kernels = cpu_kernels();
  auto skip = static_cast<std::int64_t>(first % 4);
  for (std::int64_t done = 0; done < count;) {
    const std::int64_t here = std::min(kNumbers - skip, count - done);
    kernels.philox_bits(philox_run(random, (first + static_cast<std::uint64_t>(done)) / 4),
                        (skip + here + 3) / 4, bits);
    apply(done, here, static_cast<const std::uint32_t*>(bits + skip));
    done += here;
    skip = 0;
  }
}

// y = x after dropout; x[0] has number `first`. The numbers are those of detail::drop(). x and y may be the same.
inline void drop_row(const RandomStream& random, std::uint64_t first, float rate, std::int64_t count,
                     const float* x, float* y) {
  const float scale = 1.0f / (1.0f - rate);
  for_each_run(random, first, count, [=](std::int64_t i, std::int64_t n, const std::uint32_t* bits) {
    cpu_kernels().drop_values(n, bits, rate, scale, x + i, y + i);
  });
}

}  // namespace serval::nn::cpu
