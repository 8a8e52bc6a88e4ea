#include "serval/core/sha256.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <fstream>
#include <vector>

#include "serval/core/error.h"

namespace serval {

namespace {

// The first 32 bits of the fractional parts of the cube roots of the first 64 primes.
constexpr std::uint32_t kRounds[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

std::uint32_t big_endian(const unsigned char* bytes) {
  return static_cast<std::uint32_t>(bytes[0]) << 24 | static_cast<std::uint32_t>(bytes[1]) << 16 |
         static_cast<std::uint32_t>(bytes[2]) << 8 | static_cast<std::uint32_t>(bytes[3]);
}

struct State {
  std::uint32_t a, b, c, d, e, f, g, h;
};

// Words 16 and on, each in the place of the one sixteen before it.
inline void next_word(std::uint32_t (&w)[16], int place) {
  const std::uint32_t a = w[(place + 1) % 16], b = w[(place + 14) % 16];
  w[place] += (std::rotr(a, 7) ^ std::rotr(a, 18) ^ a >> 3) + w[(place + 9) % 16] +
              (std::rotr(b, 17) ^ std::rotr(b, 19) ^ b >> 10);
}

// Changes d and h alone: the next round calls them e and a. The standard's three rotations of e, by 6, 11 and 25, and of
// a, by 2, 13 and 22, one inside the other.
inline void one_round(std::uint32_t a, std::uint32_t b, std::uint32_t c, std::uint32_t& d, std::uint32_t e,
                      std::uint32_t f, std::uint32_t g, std::uint32_t& h, std::uint32_t word) {
  h += std::rotr(e ^ std::rotr(e ^ std::rotr(e, 14), 5), 6) + (g ^ (e & (f ^ g))) + word;
  d += h;
  h += std::rotr(a ^ std::rotr(a ^ std::rotr(a, 9), 11), 2) + ((a & b) | (c & (a | b)));
}

// Rounds of words kFirst to kFirst + 7, after which each variable has its own name again.
template <int kFirst, bool kNext>
inline void eight_rounds(State& s, std::uint32_t (&w)[16], const std::uint32_t* constants) {
  const auto word = [&](int place) {
    if constexpr (kNext) next_word(w, place);
    return constants[place] + w[place];
  };
  one_round(s.a, s.b, s.c, s.d, s.e, s.f, s.g, s.h, word(kFirst));
  one_round(s.h, s.a, s.b, s.c, s.d, s.e, s.f, s.g, word(kFirst + 1));
  one_round(s.g, s.h, s.a, s.b, s.c, s.d, s.e, s.f, word(kFirst + 2));
  one_round(s.f, s.g, s.h, s.a, s.b, s.c, s.d, s.e, word(kFirst + 3));
  one_round(s.e, s.f, s.g, s.h, s.a, s.b, s.c, s.d, word(kFirst + 4));
  one_round(s.d, s.e, s.f, s.g, s.h, s.a, s.b, s.c, word(kFirst + 5));
  one_round(s.c, s.d, s.e, s.f, s.g, s.h, s.a, s.b, word(kFirst + 6));
  one_round(s.b, s.c, s.d, s.e, s.f, s.g, s.h, s.a, word(kFirst + 7));
}

}  // namespace

void Sha256::blocks(const unsigned char* bytes, std::size_t count) {
  State sum{state_[0], state_[1], state_[2], state_[3], state_[4], state_[5], state_[6], state_[7]};
  for (; count > 0; --count, bytes += 64) {
    std::uint32_t w[16];
    for (int i = 0; i < 16; ++i) w[i] = big_endian(bytes + 4 * i);
    State s = sum;
    eight_rounds<0, false>(s, w, kRounds);
    eight_rounds<8, false>(s, w, kRounds);
    for (int first = 16; first < 64; first += 16) {
      eight_rounds<0, true>(s, w, kRounds + first);
      eight_rounds<8, true>(s, w, kRounds + first);
    }
    sum = {sum.a + s.a, sum.b + s.b, sum.c + s.c, sum.d + s.d,
           sum.e + s.e, sum.f + s.f, sum.g + s.g, sum.h + s.h};
  }
  const std::uint32_t words[8] = {sum.a, sum.b, sum.c, sum.d, sum.e, sum.f, sum.g, sum.h};
  std::copy_n(words, 8, state_);
}

Sha256& Sha256::bytes(const void* data, std::size_t size) {
  const auto* at = static_cast<const unsigned char*>(data);
  while (size > 0) {
    const std::size_t used = size_ % 64;
    // All whole blocks at once, or what completes the unfinished one.
    const std::size_t taken = used == 0 && size >= 64 ? size / 64 * 64 : std::min(size, 64 - used);
    size_ += taken;
    size -= taken;
    if (taken >= 64) {
      blocks(at, taken / 64);
    } else {
      std::memcpy(rest_ + used, at, taken);
      if (used + taken == 64) blocks(rest_, 1);
    }
    at += taken;
  }
  return *this;
}

std::string Sha256::hex() {
  const std::uint64_t bits = 8 * size_;
  const unsigned char one = 0x80, zero = 0;
  bytes(&one, 1);
  while (size_ % 64 != 56) bytes(&zero, 1);
  unsigned char length[8];
  for (int i = 0; i < 8; ++i) length[i] = static_cast<unsigned char>(bits >> (56 - 8 * i));
  bytes(length, 8);
  std::string out;
  for (const std::uint32_t word : state_) {
    for (int shift = 28; shift >= 0; shift -= 4) out.push_back("0123456789abcdef"[word >> shift & 15]);
  }
  return out;
}

std::string sha256(std::string_view content) { return Sha256().bytes(content.data(), content.size()).hex(); }

std::string sha256_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw DataError(cat(path.string(), ": cannot be read"));
  Sha256 sum;
  std::vector<char> chunk(1 << 16);
  while (file) {
    file.read(chunk.data(), static_cast<std::streamsize>(chunk.size()));
    sum.bytes(chunk.data(), static_cast<std::size_t>(file.gcount()));
  }
  if (file.bad()) throw DataError(cat(path.string(), ": cannot be read"));
  return sum.hex();
}

}  // namespace serval
