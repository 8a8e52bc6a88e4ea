// Constants of a real Fourier transform of even length: a complex one of half the length, factor by factor.
#pragma once

#include <cstddef>
#include <vector>

namespace serval::features::detail {

// One pass, in place: every block of radix * count positions becomes `radix` blocks of `count`, of which each
// is left to transform by itself (decimation in frequency).
struct FftPass {
  int radix = 0;
  int count = 0;
  // exp(-2 pi i p j / (radix count)) for p in [0, count), j in [1, radix): real, imaginary, real, ...
  std::vector<float> factors;
  // Only for a radix without a butterfly of its own: exp(-2 pi i j / radix), j in [0, radix).
  std::vector<float> roots;
};

struct FftTables {
  explicit FftTables(int size);  // even; any factors, fast for 2, 3 and 5

  int size = 0;
  int half = 0;
  std::vector<FftPass> passes;  // of the complex transform of length `half`
  int largest_radix = 1;
  std::vector<int> order;            // [half]: where the passes leave frequency k
  std::vector<float> split_factors;  // exp(-2 pi i k / size) for k in [0, half / 2]: real, imaginary, ...
};

}  // namespace serval::features::detail
