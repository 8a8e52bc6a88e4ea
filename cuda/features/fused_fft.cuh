// The Fourier transforms of the fused feature kernel. A frame of n_fft = 2 M real samples is a complex
// sequence of length M, kLanes lanes of a warp hold it, 16 values a lane and round, and a warp works on
// 32 / kLanes frames at once. With x[column + C j], C = M / 16 columns, every pass works in place:
//   first:  over j (radix 16), times exp(-2 pi i q column / M)
//   second: over the column, or over its upper part (radix 8) times exp(-2 pi i low q2 / C)
//   third:  over the lower part of the column, where C > 16
// In memory value (q, column) lies at 17, 33 ... q + column: an odd stride, so that the lanes of half a warp
// touch different banks whether they run over q or over the column.
#pragma once

#include "cuda/core/kernel.cuh"

namespace serval::features::cuda {

SERVAL_DEVICE float2 add(float2 a, float2 b) { return make_float2(a.x + b.x, a.y + b.y); }
SERVAL_DEVICE float2 subtract(float2 a, float2 b) { return make_float2(a.x - b.x, a.y - b.y); }
SERVAL_DEVICE float2 times(float2 a, float2 b) {
  return make_float2(a.x * b.x - a.y * b.y, a.x * b.y + a.y * b.x);
}
SERVAL_DEVICE float2 times_minus_i(float2 a) { return make_float2(a.y, -a.x); }

// Transforms of v[at], v[at + stride] ...; the result in natural order at the same places.
template <int stride, class Values>
SERVAL_DEVICE void radix4(Values& v, int at) {
  const float2 t0 = add(v[at], v[at + 2 * stride]);
  const float2 t1 = subtract(v[at], v[at + 2 * stride]);
  const float2 t2 = add(v[at + stride], v[at + 3 * stride]);
  const float2 t3 = times_minus_i(subtract(v[at + stride], v[at + 3 * stride]));
  v[at] = add(t0, t2);
  v[at + stride] = add(t1, t3);
  v[at + 2 * stride] = subtract(t0, t2);
  v[at + 3 * stride] = subtract(t1, t3);
}

template <int stride, class Values>
SERVAL_DEVICE void radix8(Values& v, int at) {
  constexpr float kRoot = 0.70710678118654752f;
  radix4<2 * stride>(v, at);
  radix4<2 * stride>(v, at + stride);
  float2 odd[4];
  SERVAL_UNROLL
  for (int k = 0; k < 4; ++k) odd[k] = v[at + (2 * k + 1) * stride];
  odd[1] = make_float2(kRoot * (odd[1].x + odd[1].y), kRoot * (odd[1].y - odd[1].x));
  odd[2] = times_minus_i(odd[2]);
  odd[3] = make_float2(kRoot * (odd[3].y - odd[3].x), -kRoot * (odd[3].x + odd[3].y));
  float2 even[4];
  SERVAL_UNROLL
  for (int k = 0; k < 4; ++k) even[k] = v[at + 2 * k * stride];
  SERVAL_UNROLL
  for (int k = 0; k < 4; ++k) {
    v[at + k * stride] = add(even[k], odd[k]);
    v[at + (k + 4) * stride] = subtract(even[k], odd[k]);
  }
}

template <class Values>
SERVAL_DEVICE void radix16(Values& v) {
  constexpr float kCos = 0.92387953251128674f;  // of pi / 8
  constexpr float kSin = 0.38268343236508977f;
  constexpr float kRoot = 0.70710678118654752f;
  SERVAL_UNROLL
  for (int i = 0; i < 4; ++i) radix4<4>(v, i);
  // v[i + 4 k] times exp(-2 pi i i k / 16)
  v[5] = times(v[5], make_float2(kCos, -kSin));
  v[9] = make_float2(kRoot * (v[9].x + v[9].y), kRoot * (v[9].y - v[9].x));
  v[13] = times(v[13], make_float2(kSin, -kCos));
  v[6] = make_float2(kRoot * (v[6].x + v[6].y), kRoot * (v[6].y - v[6].x));
  v[10] = times_minus_i(v[10]);
  v[14] = make_float2(kRoot * (v[14].y - v[14].x), -kRoot * (v[14].x + v[14].y));
  v[7] = times(v[7], make_float2(kSin, -kCos));
  v[11] = make_float2(kRoot * (v[11].y - v[11].x), -kRoot * (v[11].x + v[11].y));
  v[15] = times(v[15], make_float2(-kCos, kSin));
  // Now over i; the result k + 4 p belongs at that place.
  SERVAL_UNROLL
  for (int k = 0; k < 4; ++k) radix4<1>(v, 4 * k);
  SERVAL_UNROLL
  for (int k = 0; k < 4; ++k) {
    SERVAL_UNROLL
    for (int p = k + 1; p < 4; ++p) {
      const float2 swapped = v[4 * k + p];
      v[4 * k + p] = v[k + 4 * p];
      v[k + 4 * p] = swapped;
    }
  }
}

// How a transform of M = n_fft / 2 complex values is laid over a warp.
template <int half_size>
struct FusedFft {
  static_assert(half_size == 128 || half_size == 256 || half_size == 512 || half_size == 1024);
  static constexpr int kSize = half_size;
  static constexpr int kColumns = half_size / 16;
  static constexpr int kLanes = kColumns < 32 ? kColumns : 32;
  static constexpr int kRounds = kColumns / kLanes;
  static constexpr int kFrames = 32 / kLanes;  // of a warp at once
  static constexpr int kStride = kColumns + 1;
  // A frame's exchange memory, and that of a warp, in complex values. Frames lie so that their lanes touch
  // different banks in accesses of 8 bytes and of 4.
  static constexpr int kWarpValues = half_size == 128   ? 4 * 152 + 8
                                     : half_size == 256 ? 2 * 280
                                                        : 16 * kStride;
  static constexpr int frame_at(int frame) {
    return half_size == 128 ? 152 * frame + frame / 2 * 4 : half_size == 256 ? 280 * frame : 0;
  }
  static constexpr bool kThreePasses = kColumns > 16;
  static constexpr int kLow = kColumns / 8;  // radix of the third pass

  // Tables at the start of shared memory, in floats: places that the compiler knows.
  static constexpr int kWindowAt = 0;             // [n_fft] halved, zero outside the window
  static constexpr int kFirstPassAt = 2 * kSize;  // [15, C] complex: exp(-2 pi i q column / M), q from 1
  static constexpr int kSecondPassAt = kFirstPassAt + 2 * 15 * kColumns;  // [8, low] complex, where C > 16
  static constexpr int kSplitAt = kSecondPassAt + (kThreePasses ? 2 * 8 * kLow : 0);  // [M / 2] complex
  static constexpr int kTableFloats = kSplitAt + kSize;
};

// The second and third pass of one round: from the exchange memory to values k = lane + lanes (s + count p).
// For M = 1024, whose values do not fit the registers, rounds leave them in memory.
template <class Fft>
SERVAL_DEVICE void second_pass_short(const float2* exchange, int lane, float2 (&v)[16]) {
  static_assert(!Fft::kThreePasses);
  if constexpr (Fft::kColumns == 16) {
    SERVAL_UNROLL
    for (int i = 0; i < 16; ++i) v[i] = exchange[lane * Fft::kStride + i];
    radix16(v);
  } else {
    SERVAL_UNROLL
    for (int s = 0; s < 2; ++s) {
      SERVAL_UNROLL
      for (int i = 0; i < 8; ++i) v[s + 2 * i] = exchange[(lane + 8 * s) * Fft::kStride + i];
      radix8<2>(v, s);
    }
  }
}

// In place. `roots` [q2, low] is exp(-2 pi i low q2 / C).
template <class Fft>
SERVAL_DEVICE void second_pass_long(float2* exchange, const float2* roots, int lane) {
  SERVAL_UNROLL
  for (int half = 0; half < Fft::kLow / 4; ++half) {
    float2 v[16];
    SERVAL_UNROLL
    for (int s = 0; s < 2; ++s) {
      const int low = lane / 16 + 2 * (s + 2 * half);
      float2* at = exchange + (lane % 16) * Fft::kStride + low;
      SERVAL_UNROLL
      for (int i = 0; i < 8; ++i) v[s + 2 * i] = at[Fft::kLow * i];
      radix8<2>(v, s);
      at[0] = v[s];
      SERVAL_UNROLL
      for (int q2 = 1; q2 < 8; ++q2) at[Fft::kLow * q2] = times(v[s + 2 * q2], roots[q2 * Fft::kLow + low]);
    }
  }
}

// M = 512: all of a lane's values.
template <class Fft>
SERVAL_DEVICE void third_pass_short(const float2* exchange, int lane, float2 (&v)[16]) {
  static_assert(Fft::kLow == 4);
  SERVAL_UNROLL
  for (int s = 0; s < 4; ++s) {
    const float2* at = exchange + (lane % 16) * Fft::kStride + 4 * (lane / 16 + 2 * s);
    SERVAL_UNROLL
    for (int i = 0; i < 4; ++i) v[s + 4 * i] = at[i];
    radix4<4>(v, s);
  }
}

// M = 1024: in place; value k is then at third_pass_place(k).
template <class Fft>
SERVAL_DEVICE void third_pass_long(float2* exchange, int lane) {
  static_assert(Fft::kLow == 8);
  SERVAL_UNROLL
  for (int half = 0; half < 2; ++half) {
    float2 v[16];
    SERVAL_UNROLL
    for (int s = 0; s < 2; ++s) {
      float2* at = exchange + (lane % 16) * Fft::kStride + 8 * (lane / 16 + 2 * (s + 2 * half));
      SERVAL_UNROLL
      for (int i = 0; i < 8; ++i) v[s + 2 * i] = at[i];
      radix8<2>(v, s);
      SERVAL_UNROLL
      for (int i = 0; i < 8; ++i) at[i] = v[s + 2 * i];
    }
  }
}
template <class Fft>
SERVAL_DEVICE int third_pass_place(int k) {
  return (k % 16) * Fft::kStride + 8 * (k / 16 % 8) + k / 128;
}

// The most threads of a block, and of the blocks that share a multiprocessor: so many that the registers of each
// suffice without spilling.
constexpr int fused_threads(int half_size) { return half_size == 256 ? 1024 : half_size == 1024 ? 512 : 768; }

}  // namespace serval::features::cuda
