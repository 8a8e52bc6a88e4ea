#include <algorithm>

#include "serval/nn/detail/optimiser.h"

#include "cpu_ops.h"

namespace serval::nn::cpu {

namespace {

// |gradients|, each block summed in double and kept as one float.
float gradient_norm(const OptimiserArgs& args) {
  const std::int64_t count = args.gradients.size();
  const std::int64_t blocks = optimiser_scratch_size(count) - 1;
  double total = 0;
  for (std::int64_t block = 0; block < blocks; ++block) {
    const std::int64_t first = block * detail::kNormBlock;
    const std::int64_t end = std::min(count, first + detail::kNormBlock);
    double lanes[4] = {};  // side by side: quick on vectors, and in one fixed order
    for (std::int64_t i = first; i < end; ++i) {
      const double g = args.gradients.data[i];
      lanes[i % 4] += g * g;
    }
    const auto sum = static_cast<float>((lanes[0] + lanes[1]) + (lanes[2] + lanes[3]));
    args.scratch.data[1 + block] = sum;
    total += sum;
  }
  return static_cast<float>(std::sqrt(total));
}

}  // namespace

void optimiser_step(const Context&, const OptimiserArgs& args) {
  detail::check_optimiser(args);
  const std::int64_t count = args.parameters.size();
  const float norm = gradient_norm(args);
  args.scratch.data[0] = norm;
  const float scale = detail::clip_scale(norm, static_cast<float>(args.settings.clip_norm));
  detail::with_rule(args.settings, args.step, [&](const auto rule) {
    for (std::int64_t i = 0; i < count; ++i)
      rule(scale * args.gradients.data[i], args.parameters.data[i], args.state.data + i, count);
  });
  std::fill_n(args.gradients.data, count, 0.0f);
}

}  // namespace serval::nn::cpu
