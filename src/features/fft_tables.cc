#include "fft_tables.h"

#include <cmath>
#include <cstdint>
#include <numbers>

#include "serval/core/error.h"

namespace serval::features::detail {

namespace {

// exp(-2 pi i k / n), computed in double from an angle in the first turn and rounded once.
void append_root(std::vector<float>& out, std::int64_t k, std::int64_t n) {
  const double angle = -2 * std::numbers::pi * static_cast<double>(k % n) / static_cast<double>(n);
  out.push_back(static_cast<float>(std::cos(angle)));
  out.push_back(static_cast<float>(std::sin(angle)));
}

int next_radix(int n) {
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
  int stride = 1;
  for (int left = half; left > 1;) {
    FftPass pass;
    pass.radix = next_radix(left);
    pass.count = left / pass.radix;
    pass.stride = stride;
    for (int p = 0; p < pass.count; ++p) {
      for (int j = 1; j < pass.radix; ++j) append_root(pass.factors, static_cast<std::int64_t>(p) * j, left);
    }
    if (pass.radix > 5) {
      for (int j = 0; j < pass.radix; ++j) append_root(pass.roots, j, pass.radix);
    }
    stride *= pass.radix;
    left = pass.count;
    passes.push_back(std::move(pass));
  }
  for (int k = 0; k <= half / 2; ++k) append_root(split_factors, k, size);
}

}  // namespace serval::features::detail
