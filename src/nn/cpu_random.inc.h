// Philox4x32-10 on vectors: the numbers of core/philox.h, several blocks at a time. Part of cpu_kernels.inc.h.

// A lane of 64 bits holds one 32-bit word of one block. What stands above the word is not looked at.
constexpr int kBlocks = kLanes / 2;

inline Words words(std::uint64_t value) { return Words{} + value; }

void philox_bits(const PhiloxRun& run, std::int64_t blocks, std::uint32_t* bits) {
  Words lanes{};
  for (int lane = 0; lane < kBlocks; ++lane) lanes[lane] = static_cast<std::uint64_t>(lane);
  for (std::int64_t first = 0; first < blocks; first += kBlocks) {
    Words c0 = words(run.first_block + static_cast<std::uint64_t>(first)) + lanes;
    Words c1 = c0 >> 32;
    Words c2 = words(run.counter2);
    Words c3 = words(run.counter3);
    std::uint32_t key0 = run.key0;
    std::uint32_t key1 = run.key1;
    for (int round = 0; round < 10; ++round) {
      const Words product0 = multiply_words(c0, words(0xD2511F53u));
      const Words product1 = multiply_words(c2, words(0xCD9E8D57u));
      c0 = (product1 >> 32) ^ c1 ^ words(key0);
      c1 = product1;
      c2 = (product0 >> 32) ^ c3 ^ words(key1);
      c3 = product0;
      key0 += 0x9E3779B9u;
      key1 += 0xBB67AE85u;
    }
    const Words low = words(0xFFFFFFFFu);
    const Words halves[2] = {(c0 & low) | (c1 << 32), (c2 & low) | (c3 << 32)};
    const std::int64_t here = smaller(kBlocks, blocks - first);
    for (int lane = 0; lane < here; ++lane) {
      std::uint32_t* to = bits + 4 * (first + lane);
      const std::uint64_t front = halves[0][lane];
      const std::uint64_t back = halves[1][lane];
      to[0] = static_cast<std::uint32_t>(front);
      to[1] = static_cast<std::uint32_t>(front >> 32);
      to[2] = static_cast<std::uint32_t>(back);
      to[3] = static_cast<std::uint32_t>(back >> 32);
    }
  }
}

// As detail::drop(), for numbers drawn beforehand. x and y may be the same memory.
inline Vec drop_at(const std::uint32_t* bits, float rate, float scale, Vec x) {
  float bits_as_floats[kLanes];
  __builtin_memcpy(bits_as_floats, bits, sizeof bits_as_floats);
  const VecInt drawn = (reinterpret_cast<VecInt>(load(bits_as_floats)) >> 8) & broadcast_int(0xFFFFFF);
  const Vec uniform = __builtin_convertvector(drawn, Vec) * broadcast(0x1p-24f);
  return uniform < broadcast(rate) ? broadcast(0.0f) : x * broadcast(scale);
}
void drop_values(std::int64_t count, const std::uint32_t* bits, float rate, float scale, const float* x,
                 float* y) {
  std::int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) store(y + i, drop_at(bits + i, rate, scale, load(x + i)));
  if (i >= count) return;
  std::uint32_t rest[kLanes] = {};
  for (std::int64_t j = 0; i + j < count; ++j) rest[j] = bits[i + j];
  store_some(y + i, drop_at(rest, rate, scale, load_some(x + i, count - i)), count - i);
}
