// How long each item of an epoch becomes. On the host, so that every device stretches alike.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "serval/train/batches.h"

namespace serval::train {

namespace {

template <class T>
void reorder(std::vector<T>& values, const std::vector<std::size_t>& order) {
  std::vector<T> out;
  for (const std::size_t i : order) out.push_back(values[i]);
  values = std::move(out);
}

}  // namespace

std::int64_t longest_stretched(std::int64_t frames, double most) {
  return static_cast<std::int64_t>(std::ceil(static_cast<double>(frames) * (1 + most)));
}

void stretch_items(EpochPlan& plan, const Items& items, double most, const RandomStream& random) {
  plan.stretched.clear();
  for (std::size_t i = 0; i < plan.items.size(); ++i) {
    const std::int64_t frames = items.frames[static_cast<std::size_t>(plan.items[i])];
    const double exponent = 2 * static_cast<double>(random.uniform(i)) - 1;
    const double wanted = static_cast<double>(frames) * std::pow(1 + most, exponent);
    const std::int64_t steps =
        std::clamp<std::int64_t>(std::llround(wanted), 1, longest_stretched(frames, most));
    plan.stretched.push_back(static_cast<std::int32_t>(steps));
  }
  std::vector<std::size_t> order(plan.items.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  for (const EpochPlan::Slice& slice : plan.batches) {
    const auto begin = order.begin() + static_cast<std::ptrdiff_t>(slice.first);
    std::stable_sort(begin, begin + static_cast<std::ptrdiff_t>(slice.count),
                     [&](std::size_t a, std::size_t b) { return plan.stretched[a] > plan.stretched[b]; });
  }
  reorder(plan.items, order);
  reorder(plan.recordings, order);
  reorder(plan.labels, order);
  reorder(plan.stretched, order);
}

}  // namespace serval::train
