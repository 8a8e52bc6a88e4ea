// Analysis windows, in double precision; users round once.
#pragma once

#include <vector>

#include "serval/features/settings.h"

namespace serval::features {

// w[n] = a0 - a1 cos(2 pi n / P) + a2 cos(4 pi n / P), with P = length when periodic and length - 1
// otherwise. Hann (.5, .5, 0), Hamming (.54, .46, 0), Blackman (.42, .5, .08), boxcar (1, 0, 0).
// Povey is Hann to the power of 0.85.
std::vector<double> make_window(WindowShape shape, int length, bool periodic);

}  // namespace serval::features
