#include "serval/features/window.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "serval/core/error.h"

namespace serval::features {

std::vector<double> make_window(WindowShape shape, int length, bool periodic) {
  SERVAL_CHECK(length > 0, length);
  double a0 = 1, a1 = 0, a2 = 0;
  switch (shape) {
    case WindowShape::kHann:
    case WindowShape::kPovey:
      a0 = 0.5, a1 = 0.5;
      break;
    case WindowShape::kHamming:
      a0 = 0.54, a1 = 0.46;
      break;
    case WindowShape::kBlackman:
      a0 = 0.42, a1 = 0.5, a2 = 0.08;
      break;
    case WindowShape::kBoxcar:
      break;
  }
  if (length == 1) return {1.0};
  const double step = 2 * std::numbers::pi / (periodic ? length : length - 1);
  std::vector<double> window(static_cast<std::size_t>(length));
  for (int n = 0; n < length; ++n) {
    window[static_cast<std::size_t>(n)] = a0 - a1 * std::cos(step * n) + a2 * std::cos(2 * step * n);
  }
  if (shape == WindowShape::kPovey) {
    for (double& w : window) w = std::pow(std::max(w, 0.0), 0.85);
  }
  return window;
}

}  // namespace serval::features
