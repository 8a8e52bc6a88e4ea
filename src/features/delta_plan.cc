#include "serval/features/detail/frame_plan.h"

namespace serval::features::detail {

namespace {

// Least-squares line (order 1: its slope) or parabola (order 2: its second derivative) through 2 half + 1
// frames.
void append_taps(std::vector<float>& taps, int order, int half) {
  const double count = 2 * half + 1;
  double sum2 = 0;
  double sum4 = 0;
  for (int k = 1; k <= half; ++k) {
    sum2 += 2.0 * k * k;
    sum4 += 2.0 * k * k * k * k;
  }
  for (int k = -half; k <= half; ++k) {
    const double slope = k / sum2;
    const double curvature = 2 * (k * k - sum2 / count) / (sum4 - sum2 * sum2 / count);
    taps.push_back(static_cast<float>(order == 1 ? slope : curvature));
  }
}

}  // namespace

DeltaPlan DeltaPlan::make(const DeltaSettings& s, int first_column, int n_static) {
  DeltaPlan plan;
  plan.first_column = first_column;
  plan.n_static = n_static;
  plan.orders = s.deltas;
  plan.method = s.delta_method;
  plan.width = s.delta_width;
  const int largest = s.delta_width / 2;
  // Regression has one width; the others narrow for short clips and hold every one.
  const int smallest = s.delta_method == DeltaMethod::kRegression ? largest : 1;
  for (int half = smallest; half <= largest; ++half) {
    append_taps(plan.taps[0], 1, half);
    if (s.delta_method == DeltaMethod::kSavgol) append_taps(plan.taps[1], 2, half);
  }
  return plan;
}

}  // namespace serval::features::detail
