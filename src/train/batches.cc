#include "serval/train/batches.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace serval::train {

namespace {

EpochPlan cut(const TrainingData& data, std::vector<std::int64_t> order, int batch_size) {
  EpochPlan plan;
  const auto longer = [&](std::int64_t a, std::int64_t b) { return data.frames(a) > data.frames(b); };
  for (std::size_t first = 0; first < order.size(); first += static_cast<std::size_t>(batch_size)) {
    const std::size_t count = std::min(order.size() - first, static_cast<std::size_t>(batch_size));
    const auto begin = order.begin() + static_cast<std::ptrdiff_t>(first);
    std::stable_sort(begin, begin + static_cast<std::ptrdiff_t>(count), longer);
    plan.batches.push_back(
        {static_cast<std::int64_t>(first), static_cast<std::int64_t>(count), data.frames(*begin)});
  }
  for (const std::int64_t recording : order) {
    const auto at = static_cast<std::size_t>(recording);
    plan.starts.push_back(data.offsets[at]);
    plan.lengths.push_back(static_cast<std::int32_t>(data.frames(recording)));
    plan.labels.push_back(data.labels[at]);
  }
  plan.recordings = std::move(order);
  return plan;
}

}  // namespace

EpochPlan shuffled_plan(const TrainingData& data, const std::vector<std::int64_t>& recordings, int batch_size,
                        const RandomStream& random) {
  std::vector<std::int64_t> order = recordings;
  for (std::size_t i = order.size(); i > 1; --i) {
    std::swap(order[i - 1], order[random.below(i, static_cast<std::uint32_t>(i))]);
  }
  return cut(data, std::move(order), batch_size);
}

EpochPlan sorted_plan(const TrainingData& data, const std::vector<std::int64_t>& recordings, int batch_size) {
  std::vector<std::int64_t> order = recordings;
  std::stable_sort(order.begin(), order.end(),
                   [&](std::int64_t a, std::int64_t b) { return data.frames(a) > data.frames(b); });
  return cut(data, std::move(order), batch_size);
}

}  // namespace serval::train
