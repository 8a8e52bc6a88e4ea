#include <algorithm>
#include <cmath>

#include "sampler.h"

namespace serval::experiment {

namespace {

class Halving : public Sampler {
 public:
  explicit Halving(const SweepSettings& settings)
      : settings_(settings), resource_(settings.resource.value_or(ResourceSettings{})) {}

  std::vector<Point> ask(const std::vector<std::vector<Told>>& told) const override {
    std::vector<Point> out;
    if (told.empty()) {
      for (std::int64_t i = 0; i < most_trials(settings_); ++i)
        out.push_back(with(point_at(settings_, random_numbers(settings_, i)), resource_.low));
      return out;
    }
    std::int64_t amount = resource_.low;
    for (std::size_t rung = 0; rung < told.size(); ++rung) {
      if (amount == resource_.high) return out;
      amount = std::min(amount * resource_.factor, resource_.high);
    }
    const std::vector<Told>& last = told.back();
    const std::size_t kept = last.size() / static_cast<std::size_t>(resource_.factor);
    std::vector<std::size_t> order;
    for (std::size_t i = 0; i < last.size(); ++i) {
      if (!std::isnan(last[i].score)) order.push_back(i);
    }
    // Of equal ones the earlier goes on.
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return last[a].score > last[b].score; });
    if (order.size() > kept) order.resize(kept);
    std::sort(order.begin(), order.end());
    for (const std::size_t i : order) out.push_back(with(last[i].point, amount));
    return out;
  }

 private:
  Point with(Point point, std::int64_t amount) const {
    std::erase_if(point, [&](const auto& value) { return value.first == resource_.path; });
    point.emplace_back(resource_.path, JsonValue::of(amount));
    return point;
  }

  SweepSettings settings_;
  ResourceSettings resource_;
};

}  // namespace

std::unique_ptr<Sampler> make_halving(const SweepSettings& settings) {
  return std::make_unique<Halving>(settings);
}

}  // namespace serval::experiment
