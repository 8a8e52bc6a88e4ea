#include <algorithm>

#include "serval/nn/detail/adam.h"

#include "cpu_ops.h"

namespace serval::nn::cpu {

namespace {

// |gradients|, each block summed in double and kept as one float.
float gradient_norm(const AdamArgs& args) {
  const std::int64_t count = args.gradients.size();
  const std::int64_t blocks = adam_scratch_size(count) - 1;
  double total = 0;
  for (std::int64_t block = 0; block < blocks; ++block) {
    const std::int64_t first = block * detail::kAdamBlock;
    const std::int64_t end = std::min(count, first + detail::kAdamBlock);
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

void adam_step(const Context&, const AdamArgs& args) {
  const std::int64_t count = args.parameters.size();
  SERVAL_CHECK(args.gradients.size() == count && args.first_moment.size() == count &&
                   args.second_moment.size() == count && args.scratch.size() >= adam_scratch_size(count),
               "Adam of ", count, " parameters");
  SERVAL_CHECK(args.step >= 1, "Adam step ", args.step);
  const float norm = gradient_norm(args);
  args.scratch.data[0] = norm;
  const float scale = detail::clip_scale(norm, static_cast<float>(args.settings.clip_norm));
  const detail::AdamConstants constants = detail::adam_constants(args.settings, args.step);
  for (std::int64_t i = 0; i < count; ++i) {
    detail::adam_update(constants, scale * args.gradients.data[i], args.parameters.data[i],
                        args.first_moment.data[i], args.second_moment.data[i]);
  }
  std::fill_n(args.gradients.data, count, 0.0f);
}

}  // namespace serval::nn::cpu
