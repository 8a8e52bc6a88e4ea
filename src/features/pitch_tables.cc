#include "pitch_tables.h"

#include <cmath>

namespace serval::features::detail {

namespace {

// Lentz' evaluation of the continued fraction of the incomplete beta function; converges fast for
// x < (a + 1) / (a + b + 2).
double beta_fraction(double x, double a, double b) {
  constexpr double kTiny = 1e-300;
  const auto safe = [](double value) { return std::abs(value) < kTiny ? kTiny : value; };
  double c = 1;
  double d = 1 / safe(1 - (a + b) * x / (a + 1));
  double fraction = d;
  for (int m = 1; m < 1000; ++m) {
    const double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / safe(1 + even * d);
    c = safe(1 + even / c);
    fraction *= c * d;
    const double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / safe(1 + odd * d);
    c = safe(1 + odd / c);
    const double factor = c * d;
    fraction *= factor;
    if (std::abs(factor - 1) < 1e-16) break;
  }
  return fraction;
}

}  // namespace

double beta_cdf(double x, double a, double b) {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  const double front =
      std::exp(std::lgamma(a + b) - std::lgamma(a) - std::lgamma(b) + a * std::log(x) + b * std::log1p(-x));
  if (x < (a + 1) / (a + b + 2)) return front * beta_fraction(x, a, b) / a;
  return 1 - front * beta_fraction(1 - x, b, a) / b;
}

LocalTransitions LocalTransitions::make(int states, int width) {
  LocalTransitions out;
  // An even width cannot be centred; which side it leans to follows from how librosa pads and rolls.
  const bool leans_left = width % 2 == 0 && states % 2 != 0;
  out.half_left = width % 2 != 0 || leans_left ? width / 2 : width / 2 - 1;
  out.half_right = width - 1 - out.half_left;
  for (int n = 0; n < width; ++n) {
    const int from_end = n < width - 1 - n ? n : width - 1 - n;
    out.weights.push_back(width % 2 != 0 ? 2.0 * (from_end + 1) / (width + 1) : (2.0 * from_end + 1) / width);
  }
  for (int state = 0; state < states; ++state) {
    double sum = 0;
    for (int n = 0; n < width; ++n) {
      const int to = state - out.half_left + n;
      if (to >= 0 && to < states) sum += out.weights[static_cast<std::size_t>(n)];
    }
    out.divisors.push_back(sum);
  }
  return out;
}

}  // namespace serval::features::detail
