// The real Fourier transform of several frames at once, one frame a vector lane.
//
// Numbers lie as [position, lane], real and imaginary parts apart, so that every operation is a whole vector
// and no lane ever meets another. A frame's result therefore does not depend on its neighbours, nor on the
// number of lanes. Everything is inlined into the caller and so compiled for the caller's instruction set.
#pragma once

#include <cstddef>
#include <utility>

#include "fft_tables.h"

#define SERVAL_INLINE inline __attribute__((always_inline))

namespace serval::features::detail {

template <int lanes>
struct LaneVector {
  typedef float Type __attribute__((vector_size(lanes * sizeof(float)), may_alias));
};
template <int lanes>
using Vector = typename LaneVector<lanes>::Type;

template <int lanes>
SERVAL_INLINE Vector<lanes>& lanes_at(float* data, int position) {
  return *reinterpret_cast<Vector<lanes>*>(data + static_cast<std::ptrdiff_t>(position) * lanes);
}
template <int lanes>
SERVAL_INLINE const Vector<lanes>& lanes_at(const float* data, int position) {
  return *reinterpret_cast<const Vector<lanes>*>(data + static_cast<std::ptrdiff_t>(position) * lanes);
}

// A place where complex numbers of all lanes lie.
struct ComplexLanes {
  float* re;
  float* im;
};

// y[q, j] = (sum over k of x[q, k] exp(-2 pi i j k / radix)) w[j]; k steps through `in` by count * stride
// positions, j through `out` by stride. The first butterflies of a pass have w = 1, which `plain` leaves out.
template <int lanes, bool plain>
SERVAL_INLINE void butterflies2(const FftPass& pass, int p, ComplexLanes in, ComplexLanes out) {
  const float wr = pass.factors[static_cast<std::size_t>(2 * p)];
  const float wi = pass.factors[static_cast<std::size_t>(2 * p + 1)];
  const int step = pass.count * pass.stride;
  for (int q = 0; q < pass.stride; ++q) {
    const int from = p * pass.stride + q;
    const int to = 2 * p * pass.stride + q;
    const Vector<lanes> ar = lanes_at<lanes>(in.re, from), ai = lanes_at<lanes>(in.im, from);
    const Vector<lanes> br = lanes_at<lanes>(in.re, from + step), bi = lanes_at<lanes>(in.im, from + step);
    lanes_at<lanes>(out.re, to) = ar + br;
    lanes_at<lanes>(out.im, to) = ai + bi;
    const Vector<lanes> dr = ar - br, di = ai - bi;
    lanes_at<lanes>(out.re, to + pass.stride) = plain ? dr : dr * wr - di * wi;
    lanes_at<lanes>(out.im, to + pass.stride) = plain ? di : dr * wi + di * wr;
  }
}

template <int lanes, bool plain>
SERVAL_INLINE void butterflies4(const FftPass& pass, int p, ComplexLanes in, ComplexLanes out) {
  const float* w = pass.factors.data() + 6 * p;
  const int step = pass.count * pass.stride;
  for (int q = 0; q < pass.stride; ++q) {
    const int from = p * pass.stride + q;
    const int to = 4 * p * pass.stride + q;
    const Vector<lanes> ar = lanes_at<lanes>(in.re, from), ai = lanes_at<lanes>(in.im, from);
    const Vector<lanes> br = lanes_at<lanes>(in.re, from + step), bi = lanes_at<lanes>(in.im, from + step);
    const Vector<lanes> cr = lanes_at<lanes>(in.re, from + 2 * step),
                        ci = lanes_at<lanes>(in.im, from + 2 * step);
    const Vector<lanes> dr = lanes_at<lanes>(in.re, from + 3 * step),
                        di = lanes_at<lanes>(in.im, from + 3 * step);
    const Vector<lanes> ac_sum_r = ar + cr, ac_sum_i = ai + ci, ac_diff_r = ar - cr, ac_diff_i = ai - ci;
    const Vector<lanes> bd_sum_r = br + dr, bd_sum_i = bi + di, bd_diff_r = br - dr, bd_diff_i = bi - di;
    lanes_at<lanes>(out.re, to) = ac_sum_r + bd_sum_r;
    lanes_at<lanes>(out.im, to) = ac_sum_i + bd_sum_i;
    const Vector<lanes> y1r = ac_diff_r + bd_diff_i, y1i = ac_diff_i - bd_diff_r;
    const Vector<lanes> y2r = ac_sum_r - bd_sum_r, y2i = ac_sum_i - bd_sum_i;
    const Vector<lanes> y3r = ac_diff_r - bd_diff_i, y3i = ac_diff_i + bd_diff_r;
    lanes_at<lanes>(out.re, to + pass.stride) = plain ? y1r : y1r * w[0] - y1i * w[1];
    lanes_at<lanes>(out.im, to + pass.stride) = plain ? y1i : y1r * w[1] + y1i * w[0];
    lanes_at<lanes>(out.re, to + 2 * pass.stride) = plain ? y2r : y2r * w[2] - y2i * w[3];
    lanes_at<lanes>(out.im, to + 2 * pass.stride) = plain ? y2i : y2r * w[3] + y2i * w[2];
    lanes_at<lanes>(out.re, to + 3 * pass.stride) = plain ? y3r : y3r * w[4] - y3i * w[5];
    lanes_at<lanes>(out.im, to + 3 * pass.stride) = plain ? y3i : y3r * w[5] + y3i * w[4];
  }
}

// For 3 and 5, and for larger primes with roots from the table: pairs k and radix - k share their products.
template <int lanes, int fixed_radix>
SERVAL_INLINE void butterflies_odd(const FftPass& pass, int p, ComplexLanes in, ComplexLanes out) {
  constexpr float kCos3 = -0.5f, kSin3 = -0.86602540378443865f;
  constexpr float kCos5[] = {0.30901699437494742f, -0.80901699437494742f};
  constexpr float kSin5[] = {-0.95105651629515357f, -0.58778525229247313f};
  const int radix = fixed_radix > 0 ? fixed_radix : pass.radix;
  const int step = pass.count * pass.stride;
  const float* w = pass.factors.data() + static_cast<std::ptrdiff_t>(2 * (radix - 1)) * p;
  const auto cosine = [&](int turn) {
    const int folded = turn <= radix / 2 ? turn : radix - turn;
    if (fixed_radix == 3) return kCos3;
    if (fixed_radix == 5) return kCos5[folded - 1];
    return pass.roots[static_cast<std::size_t>(2 * turn)];
  };
  const auto sine = [&](int turn) {
    const int folded = turn <= radix / 2 ? turn : radix - turn;
    const float sign = turn <= radix / 2 ? 1.0f : -1.0f;
    if (fixed_radix == 3) return sign * kSin3;
    if (fixed_radix == 5) return sign * kSin5[folded - 1];
    return pass.roots[static_cast<std::size_t>(2 * turn + 1)];
  };
  for (int q = 0; q < pass.stride; ++q) {
    const int from = p * pass.stride + q;
    const int to = radix * p * pass.stride + q;
    const Vector<lanes> x0r = lanes_at<lanes>(in.re, from), x0i = lanes_at<lanes>(in.im, from);
    Vector<lanes> sum_r = x0r, sum_i = x0i;
    for (int k = 1; k < radix; ++k) {
      sum_r += lanes_at<lanes>(in.re, from + k * step);
      sum_i += lanes_at<lanes>(in.im, from + k * step);
    }
    lanes_at<lanes>(out.re, to) = sum_r;
    lanes_at<lanes>(out.im, to) = sum_i;
    for (int j = 1; j <= radix / 2; ++j) {
      Vector<lanes> even_r = x0r, even_i = x0i, odd_r = {}, odd_i = {};
      for (int k = 1; k <= radix / 2; ++k) {
        const int turn = static_cast<int>(static_cast<long long>(j) * k % radix);
        const Vector<lanes> ar = lanes_at<lanes>(in.re, from + k * step);
        const Vector<lanes> ai = lanes_at<lanes>(in.im, from + k * step);
        const Vector<lanes> br = lanes_at<lanes>(in.re, from + (radix - k) * step);
        const Vector<lanes> bi = lanes_at<lanes>(in.im, from + (radix - k) * step);
        const float c = cosine(turn), s = sine(turn);
        even_r += (ar + br) * c;
        even_i += (ai + bi) * c;
        odd_r += (ai - bi) * s;
        odd_i += (ar - br) * s;
      }
      const Vector<lanes> yr = even_r - odd_r, yi = even_i + odd_i;
      const Vector<lanes> zr = even_r + odd_r, zi = even_i - odd_i;
      const float* wj = w + 2 * (j - 1);
      const float* wz = w + 2 * (radix - j - 1);
      lanes_at<lanes>(out.re, to + j * pass.stride) = yr * wj[0] - yi * wj[1];
      lanes_at<lanes>(out.im, to + j * pass.stride) = yr * wj[1] + yi * wj[0];
      lanes_at<lanes>(out.re, to + (radix - j) * pass.stride) = zr * wz[0] - zi * wz[1];
      lanes_at<lanes>(out.im, to + (radix - j) * pass.stride) = zr * wz[1] + zi * wz[0];
    }
  }
}

template <int lanes>
SERVAL_INLINE void run_pass(const FftPass& pass, ComplexLanes in, ComplexLanes out) {
  if (pass.radix == 4) {
    butterflies4<lanes, true>(pass, 0, in, out);
    for (int p = 1; p < pass.count; ++p) butterflies4<lanes, false>(pass, p, in, out);
  } else if (pass.radix == 2) {
    butterflies2<lanes, true>(pass, 0, in, out);
    for (int p = 1; p < pass.count; ++p) butterflies2<lanes, false>(pass, p, in, out);
  } else if (pass.radix == 3) {
    for (int p = 0; p < pass.count; ++p) butterflies_odd<lanes, 3>(pass, p, in, out);
  } else if (pass.radix == 5) {
    for (int p = 0; p < pass.count; ++p) butterflies_odd<lanes, 5>(pass, p, in, out);
  } else {
    for (int p = 0; p < pass.count; ++p) butterflies_odd<lanes, 0>(pass, p, in, out);
  }
}

// The first size / 2 + 1 bins. `data` holds the samples of each lane, even positions as real and odd ones as
// imaginary parts, [half, lanes] each, and is overwritten, as is `spare` of the same size. sink(k, re, im)
// gets pointers to the lanes of bin k.
template <int lanes, class Sink>
SERVAL_INLINE void real_transform(const FftTables& tables, ComplexLanes data, ComplexLanes spare,
                                  Sink& sink) {
  for (const FftPass& pass : tables.passes) {
    run_pass<lanes>(pass, data, spare);
    std::swap(data, spare);
  }
  const int half = tables.half;
  {
    const Vector<lanes> re = lanes_at<lanes>(data.re, 0), im = lanes_at<lanes>(data.im, 0);
    const Vector<lanes> first = re + im, last = re - im, zero = {};
    sink(0, first, zero);
    sink(half, last, zero);
  }
  // With z the transform of the packed samples,
  //   even = (z[k] + conj z[-k]) / 2,   odd = (z[k] - conj z[-k]) / 2i,
  // bin k is even + exp(-2 pi i k / size) odd, and bin half - k follows by symmetry.
  for (int k = 1; k <= half / 2; ++k) {
    const float wr = tables.split_factors[static_cast<std::size_t>(2 * k)];
    const float wi = tables.split_factors[static_cast<std::size_t>(2 * k + 1)];
    const Vector<lanes> ar = lanes_at<lanes>(data.re, k), ai = lanes_at<lanes>(data.im, k);
    const Vector<lanes> br = lanes_at<lanes>(data.re, half - k), bi = lanes_at<lanes>(data.im, half - k);
    const Vector<lanes> even_r = (ar + br) * 0.5f, even_i = (ai - bi) * 0.5f;
    const Vector<lanes> odd_r = (ai + bi) * 0.5f, odd_i = (br - ar) * 0.5f;
    const Vector<lanes> turned_r = odd_r * wr - odd_i * wi, turned_i = odd_r * wi + odd_i * wr;
    const Vector<lanes> low_r = even_r + turned_r, low_i = even_i + turned_i;
    const Vector<lanes> high_r = even_r - turned_r, high_i = turned_i - even_i;
    sink(half - k, high_r, high_i);
    sink(k, low_r, low_i);
  }
}

}  // namespace serval::features::detail
