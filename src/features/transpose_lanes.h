// Turns a square block of floats held in vectors: what was [row, column] becomes [column, row].
//
// Frames lie one after another in memory, but one a lane where they are computed; single numbers would take
// several times as long to move between the two.
#pragma once

#include <utility>

#include "fft_lanes.h"

namespace serval::features::detail {

// Two vectors into one: lane i of `out` is lane Pick::from(i) of both, where b's lanes follow a's.
template <int lanes, class Pick, int... i>
SERVAL_INLINE void shuffle(const Vector<lanes>& a, const Vector<lanes>& b, Vector<lanes>& out,
                           std::integer_sequence<int, i...>) {
  out = __builtin_shufflevector(a, b, Pick::from(i)...);
}
template <class Pick, class V>
SERVAL_INLINE void shuffle(const V& a, const V& b, V& out) {
  constexpr int kLanes = sizeof(V) / sizeof(float);
  shuffle<kLanes, Pick>(a, b, out, std::make_integer_sequence<int, kLanes>());
}

// Within each four lanes, the lower or upper halves of a and b by turns, `width` lanes at a time.
template <int lanes, int width, bool upper>
struct Interleave {
  static constexpr int from(int i) {
    const int half = i % 4 / (2 * width) * width + (upper ? 2 : 0);
    return i / 4 * 4 + half + i % width + (i / width % 2 == 1 ? lanes : 0);
  }
};
// Groups of four lanes: the groups first, first + step of a, then those of b.
template <int lanes, int first, int step>
struct Groups {
  static constexpr int from(int i) {
    const int group = i / 4, mine = lanes / 8;
    return 4 * (first + group % mine * step) + i % 4 + (group >= mine ? lanes : 0);
  }
};

// Four rows: afterwards row c holds, in its group g of four lanes, what column 4 g + c of the rows was.
template <int lanes>
SERVAL_INLINE void transpose_groups(Vector<lanes>* rows) {
  Vector<lanes> low01, high01, low23, high23;
  shuffle<Interleave<lanes, 1, false>>(rows[0], rows[1], low01);
  shuffle<Interleave<lanes, 1, true>>(rows[0], rows[1], high01);
  shuffle<Interleave<lanes, 1, false>>(rows[2], rows[3], low23);
  shuffle<Interleave<lanes, 1, true>>(rows[2], rows[3], high23);
  shuffle<Interleave<lanes, 2, false>>(low01, low23, rows[0]);
  shuffle<Interleave<lanes, 2, true>>(low01, low23, rows[1]);
  shuffle<Interleave<lanes, 2, false>>(high01, high23, rows[2]);
  shuffle<Interleave<lanes, 2, true>>(high01, high23, rows[3]);
}

template <int lanes>
SERVAL_INLINE void transpose(Vector<lanes>* rows) {
  static_assert(lanes == 4 || lanes == 8 || lanes == 16);
#pragma GCC unroll 4
  for (int group = 0; group < lanes; group += 4) transpose_groups<lanes>(rows + group);
  if constexpr (lanes == 8) {
#pragma GCC unroll 4
    for (int c = 0; c < 4; ++c) {
      const Vector<8> a = rows[c], b = rows[4 + c];
      shuffle<Groups<8, 0, 1>>(a, b, rows[c]);
      shuffle<Groups<8, 1, 1>>(a, b, rows[4 + c]);
    }
  } else if constexpr (lanes == 16) {
#pragma GCC unroll 4
    for (int c = 0; c < 4; ++c) {
      Vector<16> low01, high01, low23, high23;
      shuffle<Groups<16, 0, 1>>(rows[c], rows[4 + c], low01);
      shuffle<Groups<16, 2, 1>>(rows[c], rows[4 + c], high01);
      shuffle<Groups<16, 0, 1>>(rows[8 + c], rows[12 + c], low23);
      shuffle<Groups<16, 2, 1>>(rows[8 + c], rows[12 + c], high23);
      shuffle<Groups<16, 0, 2>>(low01, low23, rows[c]);
      shuffle<Groups<16, 1, 2>>(low01, low23, rows[4 + c]);
      shuffle<Groups<16, 0, 2>>(high01, high23, rows[8 + c]);
      shuffle<Groups<16, 1, 2>>(high01, high23, rows[12 + c]);
    }
  }
}

// A vector at any address.
template <int lanes>
struct UnalignedVector {
  typedef float Type __attribute__((vector_size(lanes * sizeof(float)), may_alias, aligned(alignof(float))));
};
template <int lanes>
SERVAL_INLINE typename UnalignedVector<lanes>::Type& unaligned_at(float* data) {
  return *reinterpret_cast<typename UnalignedVector<lanes>::Type*>(data);
}
template <int lanes>
SERVAL_INLINE const typename UnalignedVector<lanes>::Type& unaligned_at(const float* data) {
  return *reinterpret_cast<const typename UnalignedVector<lanes>::Type*>(data);
}

}  // namespace serval::features::detail
