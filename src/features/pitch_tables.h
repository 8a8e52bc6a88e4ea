// Tables of pYIN.
#pragma once

#include <vector>

namespace serval::features::detail {

// The cumulative beta distribution: regularised incomplete beta function I_x(a, b).
double beta_cdf(double x, double a, double b);

// librosa's transition_local(states, width, "triangle", wrap=False).
struct LocalTransitions {
  static LocalTransitions make(int states, int width);
  int half_left = 0, half_right = 0;  // states below and above that are reached
  std::vector<double> weights;        // [half_left + 1 + half_right]
  std::vector<double> divisors;       // [state] sum of the weights that stay within the states
};

}  // namespace serval::features::detail
