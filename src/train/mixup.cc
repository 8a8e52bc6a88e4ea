// Mixup of neighbours (Zhang et al., 2018): what it does to the plan of an epoch. On the host and in double, so that
// every device mixes alike.
#include <cmath>
#include <numbers>

#include "serval/train/batches.h"

namespace serval::train {

namespace {

// Numbers of one item, one after another.
class Draws {
 public:
  Draws(const RandomStream& random, std::uint64_t item) : random_(random), next_(item << 20) {}
  double uniform() {  // in (0, 1)
    return static_cast<double>(random_.uniform(next_++)) + 0x1p-25;
  }
  double normal() {
    const double radius = std::sqrt(-2 * std::log(uniform()));
    return radius * std::cos(2 * std::numbers::pi * uniform());
  }

 private:
  RandomStream random_;
  std::uint64_t next_;
};

// The logarithm of a number from Gamma(shape), by Marsaglia and Tsang (2000); for shapes below 1, of one from
// Gamma(shape + 1) times u^(1 / shape). Logarithms, since small shapes give numbers below what double holds.
double log_gamma_number(double shape, Draws& draws) {
  if (shape < 1) {
    const double above = log_gamma_number(shape + 1, draws);
    return above + std::log(draws.uniform()) / shape;
  }
  const double d = shape - 1.0 / 3;
  const double c = 1 / std::sqrt(9 * d);
  for (;;) {
    const double x = draws.normal();
    const double root = 1 + c * x;
    if (root <= 0) continue;
    const double v = root * root * root;
    if (std::log(draws.uniform()) < x * x / 2 + d - d * v + d * std::log(v)) return std::log(d * v);
  }
}

}  // namespace

void mix_targets(EpochPlan& plan, double alpha, const RandomStream& random) {
  const std::vector<std::vector<float>> own = plan.targets;
  plan.shares.assign(plan.items.size(), 1.0f);
  for (const EpochPlan::Slice& slice : plan.batches) {
    if (slice.count == 1) continue;
    const auto first = static_cast<std::size_t>(slice.first);
    const auto count = static_cast<std::size_t>(slice.count);
    for (std::size_t b = 0; b < count; ++b) {
      Draws draws(random, first + b);
      const double one = log_gamma_number(alpha, draws);
      const double other = log_gamma_number(alpha, draws);
      const auto share = static_cast<float>(1 / (1 + std::exp(other - one)));
      plan.shares[first + b] = share;
      for (std::size_t h = 0; h < own.size(); ++h) {
        const std::size_t width = own[h].size() / plan.items.size();
        const float* row = own[h].data() + (first + b) * width;
        const float* neighbour = own[h].data() + (first + (b + 1) % count) * width;
        for (std::size_t c = 0; c < width; ++c)
          plan.targets[h][(first + b) * width + c] = share * row[c] + (1 - share) * neighbour[c];
      }
    }
  }
}

}  // namespace serval::train
