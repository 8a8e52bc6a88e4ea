// The real Fourier transform of several frames at once, one frame a vector lane.
//
// Numbers lie as [position, lane], so that every operation is a whole vector and no lane ever meets another. A frame's result therefore does not depend on its neighbours, nor on the
// number of lanes. Everything is inlined into the caller and so compiled for the caller's instruction set.
#pragma once

#include <cstddef>

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

// A complex number of every lane, in registers.
template <int lanes>
struct Complex {
  Vector<lanes> re, im;
};
template <int lanes>
SERVAL_INLINE Complex<lanes> operator+(const Complex<lanes>& a, const Complex<lanes>& b) {
  return {a.re + b.re, a.im + b.im};
}
template <int lanes>
SERVAL_INLINE Complex<lanes> operator-(const Complex<lanes>& a, const Complex<lanes>& b) {
  return {a.re - b.re, a.im - b.im};
}
// Times -i.
template <int lanes>
SERVAL_INLINE Complex<lanes> turned(const Complex<lanes>& a) {
  return {a.im, -a.re};
}
template <int lanes>
SERVAL_INLINE Complex<lanes> times(const Complex<lanes>& a, const float* w) {
  return {a.re * w[0] - a.im * w[1], a.re * w[1] + a.im * w[0]};
}

// Complex numbers lie as [position, 2, lane]: all real parts of a position, then all imaginary ones.
template <int lanes>
SERVAL_INLINE Complex<lanes> complex_at(const float* data, int position) {
  return {lanes_at<lanes>(data, 2 * position), lanes_at<lanes>(data, 2 * position + 1)};
}
template <int lanes>
SERVAL_INLINE void store_at(float* data, int position, const Complex<lanes>& value) {
  lanes_at<lanes>(data, 2 * position) = value.re;
  lanes_at<lanes>(data, 2 * position + 1) = value.im;
}

// A butterfly takes x[k] from positions k * step of `data` and puts back
//   y[j] = (sum over k of x[k] exp(-2 pi i j k / radix)) w[j],
// with w[0] = 1 and the others in `w`; `plain` is for w = 1 throughout.
template <int lanes, bool plain>
SERVAL_INLINE void butterfly2(float* data, int step, const float* w) {
  const Complex<lanes> a = complex_at<lanes>(data, 0), b = complex_at<lanes>(data, step);
  const Complex<lanes> y1 = a - b;
  store_at(data, 0, a + b);
  store_at(data, step, plain ? y1 : times(y1, w));
}

template <int lanes>
SERVAL_INLINE void transform4(Complex<lanes>& x0, Complex<lanes>& x1, Complex<lanes>& x2,
                              Complex<lanes>& x3) {
  const Complex<lanes> sum02 = x0 + x2, difference02 = x0 - x2;
  const Complex<lanes> sum13 = x1 + x3, difference13 = turned(x1 - x3);
  x0 = sum02 + sum13;
  x1 = difference02 + difference13;
  x2 = sum02 - sum13;
  x3 = difference02 - difference13;
}

template <int lanes, bool plain>
SERVAL_INLINE void butterfly4(float* data, int step, const float* w) {
  Complex<lanes> x0 = complex_at<lanes>(data, 0), x1 = complex_at<lanes>(data, step),
                 x2 = complex_at<lanes>(data, 2 * step), x3 = complex_at<lanes>(data, 3 * step);
  transform4(x0, x1, x2, x3);
  store_at(data, 0, x0);
  store_at(data, step, plain ? x1 : times(x1, w));
  store_at(data, 2 * step, plain ? x2 : times(x2, w + 2));
  store_at(data, 3 * step, plain ? x3 : times(x3, w + 4));
}

// Even outputs are a transform of the sums of inputs half a turn apart, odd ones of their differences, each
// turned by its eighths.
template <int lanes, bool plain>
SERVAL_INLINE void butterfly8(float* data, int step, const float* w) {
  constexpr float kHalfRoot = 0.70710678118654752f;
  const auto at = [&](int k) { return complex_at<lanes>(data, k * step); };
  const Complex<lanes> x0 = at(0), x4 = at(4), x1 = at(1), x5 = at(5), x2 = at(2), x6 = at(6), x3 = at(3),
                       x7 = at(7);
  Complex<lanes> y0 = x0 + x4, y2 = x1 + x5, y4 = x2 + x6, y6 = x3 + x7;
  const Complex<lanes> d1 = x1 - x5, d3 = x3 - x7;
  Complex<lanes> y1 = x0 - x4, y5 = turned(x2 - x6);
  Complex<lanes> y3 = {(d1.re + d1.im) * kHalfRoot, (d1.im - d1.re) * kHalfRoot};
  Complex<lanes> y7 = {(d3.im - d3.re) * kHalfRoot, (d3.re + d3.im) * -kHalfRoot};
  transform4(y0, y2, y4, y6);
  store_at(data, 0, y0);
  store_at(data, 2 * step, plain ? y2 : times(y2, w + 2));
  store_at(data, 4 * step, plain ? y4 : times(y4, w + 6));
  store_at(data, 6 * step, plain ? y6 : times(y6, w + 10));
  transform4(y1, y3, y5, y7);
  store_at(data, step, plain ? y1 : times(y1, w));
  store_at(data, 3 * step, plain ? y3 : times(y3, w + 4));
  store_at(data, 5 * step, plain ? y5 : times(y5, w + 8));
  store_at(data, 7 * step, plain ? y7 : times(y7, w + 12));
}

// For 3 and 5, and for larger primes with roots from the table: pairs k and radix - k share their products.
// The inputs go to `spare` first, [radix, 2, lane].
template <int lanes, int fixed_radix>
SERVAL_INLINE void butterfly_odd(const FftPass& pass, float* data, int step, const float* w, float* spare) {
  constexpr float kCos3 = -0.5f, kSin3 = -0.86602540378443865f;
  constexpr float kCos5[] = {0.30901699437494742f, -0.80901699437494742f};
  constexpr float kSin5[] = {-0.95105651629515357f, -0.58778525229247313f};
  const int radix = fixed_radix > 0 ? fixed_radix : pass.radix;
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
  const Complex<lanes> x0 = complex_at<lanes>(data, 0);
  Complex<lanes> sum = x0;
  for (int k = 1; k < radix; ++k) {
    const Complex<lanes> x = complex_at<lanes>(data, k * step);
    sum = sum + x;
    store_at(spare, k, x);
  }
  store_at(data, 0, sum);
  for (int j = 1; j <= radix / 2; ++j) {
    Complex<lanes> even = x0;
    Vector<lanes> odd_re = {}, odd_im = {};
    for (int k = 1; k <= radix / 2; ++k) {
      const int turn = static_cast<int>(static_cast<long long>(j) * k % radix);
      const Complex<lanes> a = complex_at<lanes>(spare, k), b = complex_at<lanes>(spare, radix - k);
      const float c = cosine(turn), s = sine(turn);
      even = {even.re + (a.re + b.re) * c, even.im + (a.im + b.im) * c};
      odd_re += (a.im - b.im) * s;
      odd_im += (a.re - b.re) * s;
    }
    const Complex<lanes> y = {even.re - odd_re, even.im + odd_im};
    const Complex<lanes> z = {even.re + odd_re, even.im - odd_im};
    store_at(data, j * step, times(y, w + 2 * (j - 1)));
    store_at(data, (radix - j) * step, times(z, w + 2 * (radix - j - 1)));
  }
}

// One butterfly of a pass; `radix` is 0 for a prime without a butterfly of its own.
template <int lanes, int radix, bool plain>
SERVAL_INLINE void butterfly(const FftPass& pass, float* data, const float* w, float* spare) {
  if constexpr (radix == 8) {
    butterfly8<lanes, plain>(data, pass.count, w);
  } else if constexpr (radix == 4) {
    butterfly4<lanes, plain>(data, pass.count, w);
  } else if constexpr (radix == 2) {
    butterfly2<lanes, plain>(data, pass.count, w);
  } else {
    butterfly_odd<lanes, radix>(pass, data, pass.count, w, spare);
  }
}

// Every block of radix * count positions becomes `radix` blocks of count. The first butterflies of each have
// w = 1; the others' factors serve all blocks.
template <int lanes, int radix>
SERVAL_INLINE void run_pass(const FftPass& pass, int size, float* data, float* spare) {
  const int block = pass.radix * pass.count;
  const auto place = [&](int position) { return data + static_cast<std::ptrdiff_t>(2 * position) * lanes; };
  for (int first = 0; first < size; first += block)
    butterfly<lanes, radix, true>(pass, place(first), pass.factors.data(), spare);
  for (int at = 1; at < pass.count; ++at) {
    const float* w = pass.factors.data() + static_cast<std::ptrdiff_t>(2 * (pass.radix - 1)) * at;
    for (int first = at; first < size; first += block)
      butterfly<lanes, radix, false>(pass, place(first), w, spare);
  }
}

template <int lanes>
SERVAL_INLINE void run_pass(const FftPass& pass, int size, float* data, float* spare) {
  switch (pass.radix) {
    case 8:
      return run_pass<lanes, 8>(pass, size, data, spare);
    case 4:
      return run_pass<lanes, 4>(pass, size, data, spare);
    case 2:
      return run_pass<lanes, 2>(pass, size, data, spare);
    case 3:
      return run_pass<lanes, 3>(pass, size, data, spare);
    case 5:
      return run_pass<lanes, 5>(pass, size, data, spare);
    default:
      run_pass<lanes, 0>(pass, size, data, spare);
  }
}

// Bins k and half - k, from the transform z of the packed samples: with
//   even = (z[k] + conj z[-k]) / 2,   odd = (z[k] - conj z[-k]) / 2i,
// bin k is even + exp(-2 pi i k / size) odd, and the other follows by symmetry.
template <int lanes, class Sink>
SERVAL_INLINE void split_bins(const FftTables& tables, const float* data, int k, Sink& sink) {
  const float* w = tables.split_factors.data() + 2 * k;
  const Complex<lanes> a = complex_at<lanes>(data, tables.order[static_cast<std::size_t>(k)]);
  const Complex<lanes> b = complex_at<lanes>(data, tables.order[static_cast<std::size_t>(tables.half - k)]);
  const Complex<lanes> even = {(a.re + b.re) * 0.5f, (a.im - b.im) * 0.5f};
  const Complex<lanes> odd = {(a.im + b.im) * 0.5f, (b.re - a.re) * 0.5f};
  const Complex<lanes> rest = times(odd, w);
  const Vector<lanes> low_re = even.re + rest.re, low_im = even.im + rest.im;
  const Vector<lanes> high_re = even.re - rest.re, high_im = rest.im - even.im;
  sink(tables.half - k, high_re, high_im);
  sink(k, low_re, low_im);
}

// The first size / 2 + 1 bins. `data` holds the samples of each lane, [size, lane], and is overwritten; `spare`
// has room for [largest radix, 2, lane]. sink(k, re, im) gets pointers to the lanes of bin k.
//
// The passes work in place, so that what they touch stays in the nearest cache, and leave frequencies in the
// order that FftTables::order tells.
template <int lanes, class Sink>
SERVAL_INLINE void real_transform(const FftTables& tables, float* data, float* spare, Sink& sink) {
  const int half = tables.half;
  for (const FftPass& pass : tables.passes) run_pass<lanes>(pass, half, data, spare);
  const Complex<lanes> z = complex_at<lanes>(data, 0);
  const Vector<lanes> first = z.re + z.im, last = z.re - z.im, zero = {};
  sink(0, first, zero);
  sink(half, last, zero);
  for (int k = 1; k <= half / 2; ++k) split_bins<lanes>(tables, data, k, sink);
}

}  // namespace serval::features::detail
