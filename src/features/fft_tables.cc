#include "fft_tables.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <numeric>

#include "serval/core/error.h"

namespace serval::features::detail {

namespace {

// exp(-2 pi i k / n), computed in double from an angle in the first turn and rounded once.
void append_root(std::vector<float>& out, std::int64_t k, std::int64_t n) {
  const double angle = -2 * std::numbers::pi * static_cast<double>(k % n) / static_cast<double>(n);
  out.push_back(static_cast<float>(std::cos(angle)));
  out.push_back(static_cast<float>(std::sin(angle)));
}

// Eight where that leaves no lonely factor of two.
int next_radix(int n) {
  if (n % 8 == 0 && n != 16) return 8;
  for (const int radix : {4, 2, 3, 5}) {
    if (n % radix == 0) return radix;
  }
  int radix = 7;
  while (n % radix != 0) radix += 2;
  return radix;
}

}  // namespace

FftTables::FftTables(int full_size) : size(full_size), half(full_size / 2) {
  SERVAL_CHECK(full_size >= 2 && full_size % 2 == 0, "transform of ", full_size);
  // Frequency k of a block is the frequency k / radix of its part k % radix.
  order.assign(static_cast<std::size_t>(half), 0);
  std::vector<int> rest(static_cast<std::size_t>(half));
  std::iota(rest.begin(), rest.end(), 0);
  for (int left = half; left > 1;) {
    FftPass pass;
    pass.radix = next_radix(left);
    pass.count = left / pass.radix;
    for (int p = 0; p < pass.count; ++p) {
      for (int j = 1; j < pass.radix; ++j) append_root(pass.factors, static_cast<std::int64_t>(p) * j, left);
    }
    if (pass.radix > 5 && pass.radix != 8) {
      for (int j = 0; j < pass.radix; ++j) append_root(pass.roots, j, pass.radix);
    }
    for (std::size_t k = 0; k < order.size(); ++k) {
      order[k] += rest[k] % pass.radix * pass.count;
      rest[k] /= pass.radix;
    }
    largest_radix = std::max(largest_radix, pass.radix);
    left = pass.count;
    passes.push_back(std::move(pass));
  }
  for (int k = 0; k <= half / 2; ++k) append_root(split_factors, k, size);
}

}  // namespace serval::features::detail
