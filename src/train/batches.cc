#include "serval/train/batches.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <utility>

#include "serval/core/error.h"

namespace serval::train {

namespace {

struct Item {
  std::int64_t number = 0;
  std::int64_t recording = 0;
};

std::vector<Item> items_of(const Items& items, const std::vector<std::int64_t>& recordings) {
  std::vector<Item> order;
  for (const std::int64_t recording : recordings) {
    const auto at = static_cast<std::size_t>(recording);
    for (std::int64_t item = items.offsets[at]; item < items.offsets[at + 1]; ++item)
      order.push_back({item, recording});
  }
  return order;
}

// As many items, each group equally often; the first groups once more where that does not come out even.
std::vector<Item> balanced(const std::vector<Item>& items, const std::vector<int>& group_of,
                           const RandomStream& random) {
  std::map<int, std::vector<Item>> by_group;
  for (const Item& item : items)
    by_group[group_of.empty() ? 0 : group_of[static_cast<std::size_t>(item.recording)]].push_back(item);
  std::vector<Item> out;
  while (out.size() < items.size()) {
    for (const auto& [group, own] : by_group) {
      if (out.size() == items.size()) break;
      out.push_back(own[random.below(out.size(), static_cast<std::uint32_t>(own.size()))]);
    }
  }
  return out;
}

EpochPlan cut(const TrainingData& data, const Items& items, std::vector<Item> order, int batch_size) {
  EpochPlan plan;
  const auto frames = [&](const Item& item) { return items.frames[static_cast<std::size_t>(item.number)]; };
  for (std::size_t first = 0; first < order.size(); first += static_cast<std::size_t>(batch_size)) {
    const std::size_t count = std::min(order.size() - first, static_cast<std::size_t>(batch_size));
    const auto begin = order.begin() + static_cast<std::ptrdiff_t>(first);
    std::stable_sort(begin, begin + static_cast<std::ptrdiff_t>(count),
                     [&](const Item& a, const Item& b) { return frames(a) > frames(b); });
    plan.batches.push_back({static_cast<std::int64_t>(first), static_cast<std::int64_t>(count)});
  }
  for (const Item& item : order) {
    plan.items.push_back(item.number);
    plan.recordings.push_back(item.recording);
    plan.labels.push_back(data.labels[static_cast<std::size_t>(item.recording)]);
  }
  return plan;
}

}  // namespace

Items whole_recordings(const TrainingData& data) {
  Items items;
  items.starts.assign(data.offsets.begin(), data.offsets.end() - 1);
  for (std::size_t r = 0; r + 1 < data.offsets.size(); ++r)
    items.frames.push_back(static_cast<std::int32_t>(data.frames(static_cast<std::int64_t>(r))));
  items.offsets.resize(data.offsets.size());
  std::iota(items.offsets.begin(), items.offsets.end(), 0);
  return items;
}

EpochPlan shuffled_plan(const TrainingData& data, const Items& items,
                        const std::vector<std::int64_t>& recordings, int batch_size,
                        const RandomStream& random, Sampling sampling) {
  std::vector<Item> order = items_of(items, recordings);
  if (sampling != Sampling::kShuffled) {
    const std::vector<int>& groups = sampling == Sampling::kClassBalanced ? data.labels : data.corpora;
    RandomStream draws = random;
    draws.layer = 1;
    order = balanced(order, groups, draws);
  }
  for (std::size_t i = order.size(); i > 1; --i) {
    std::swap(order[i - 1], order[random.below(i, static_cast<std::uint32_t>(i))]);
  }
  return cut(data, items, std::move(order), batch_size);
}

EpochPlan sorted_plan(const TrainingData& data, const Items& items,
                      const std::vector<std::int64_t>& recordings, int batch_size) {
  std::vector<Item> order = items_of(items, recordings);
  std::stable_sort(order.begin(), order.end(), [&](const Item& a, const Item& b) {
    return items.frames[static_cast<std::size_t>(a.number)] >
           items.frames[static_cast<std::size_t>(b.number)];
  });
  return cut(data, items, std::move(order), batch_size);
}

std::vector<std::vector<float>> recording_scores(const EpochPlan& plan, const std::vector<float>& scores,
                                                 std::int64_t width,
                                                 const std::vector<std::int64_t>& recordings) {
  std::vector<std::size_t> by_item(plan.items.size());
  std::iota(by_item.begin(), by_item.end(), std::size_t{0});
  std::sort(by_item.begin(), by_item.end(),
            [&](std::size_t a, std::size_t b) { return plan.items[a] < plan.items[b]; });
  struct Sum {
    std::vector<double> scores;
    std::int64_t items = 0;
  };
  std::map<std::int64_t, Sum> sums;
  for (const std::size_t i : by_item) {
    Sum& sum = sums[plan.recordings[i]];
    sum.scores.resize(static_cast<std::size_t>(width));
    ++sum.items;
    for (std::size_t c = 0; c < sum.scores.size(); ++c)
      sum.scores[c] += static_cast<double>(scores[i * sum.scores.size() + c]);
  }
  std::vector<std::vector<float>> out;
  for (const std::int64_t recording : recordings) {
    const auto found = sums.find(recording);
    SERVAL_CHECK(found != sums.end(), "recording ", recording, " has no item to score");
    std::vector<float>& mean = out.emplace_back();
    for (const double sum : found->second.scores)
      mean.push_back(static_cast<float>(sum / static_cast<double>(found->second.items)));
  }
  return out;
}

}  // namespace serval::train
