// Tree-structured Parzen estimators (Bergstra et al., "Algorithms for Hyper-Parameter Optimization", 2011), in batches.
//
// The trials so far are split into the best fifth and the rest. On each axis by itself, over those trials in which it exists,
// two densities are estimated: l of the good, g of the others. 24 values are drawn from l, and the one with the largest l/g
// is taken. Numbers are looked at on the axis' scale, from 0 to 1: a density is the mean of normal curves at the trials,
// cut off at 0 and 1, and of the uniform one. A curve's deviation is the longer way to a neighbour, of 1/(1+n) at least. Of
// listed values, a density is how often each was there, plus one.
#include <algorithm>
#include <cmath>

#include <boost/math/special_functions/erf.hpp>

#include "serval/core/philox.h"

#include "sampler.h"

namespace serval::experiment {

namespace {

constexpr double kGoodShare = 0.2;
constexpr int kCandidates = 24;

double normal_below(double x) { return 0.5 * std::erfc(-x / std::sqrt(2.0)); }

class Density {
 public:
  Density(const AxisSettings& axis, std::vector<double> places) : axis_(axis), places_(std::move(places)) {
    std::sort(places_.begin(), places_.end());
    for (std::size_t i = 0; i < places_.size(); ++i) {
      const double left = i == 0 ? places_[i] : places_[i] - places_[i - 1];
      const double right = i + 1 == places_.size() ? 1 - places_[i] : places_[i + 1] - places_[i];
      const double least = 1.0 / (1.0 + static_cast<double>(places_.size()));
      deviations_.push_back(std::clamp(std::max(left, right), least, 1.0));
    }
    counts_.assign(axis.values.size(), 1.0);
    for (const double place : places_) {
      if (axis.listed()) ++counts_[cell(place)];
    }
  }

  double at(double place) const {
    if (axis_.listed()) return counts_[cell(place)] / static_cast<double>(places_.size() + counts_.size());
    double sum = 1;  // the uniform one
    for (std::size_t i = 0; i < places_.size(); ++i) {
      const double z = (place - places_[i]) / deviations_[i];
      const double inside =
          normal_below((1 - places_[i]) / deviations_[i]) - normal_below(-places_[i] / deviations_[i]);
      sum += std::exp(-0.5 * z * z) / (deviations_[i] * std::sqrt(2 * M_PI) * inside);
    }
    return sum / static_cast<double>(places_.size() + 1);
  }

  // By two uniform numbers.
  double draw(double which, double first) const {
    if (axis_.listed()) {
      double left = which * static_cast<double>(places_.size() + counts_.size());
      std::size_t chosen = 0;
      while (chosen + 1 < counts_.size() && left >= counts_[chosen]) left -= counts_[chosen++];
      return (static_cast<double>(chosen) + 0.5) / static_cast<double>(counts_.size());
    }
    const auto curve = static_cast<std::size_t>(which * static_cast<double>(places_.size() + 1));
    if (curve >= places_.size()) return first;
    // By the inverse of the cut-off curve's distribution.
    const double below = normal_below(-places_[curve] / deviations_[curve]);
    const double inside = normal_below((1 - places_[curve]) / deviations_[curve]) - below;
    const double share = std::clamp(below + first * inside, 1e-12, 1 - 1e-12);
    const double z = -std::sqrt(2.0) * boost::math::erfc_inv(2 * share);
    return std::clamp(places_[curve] + deviations_[curve] * z, 0.0, std::nextafter(1.0, 0.0));
  }

 private:
  std::size_t cell(double place) const {
    const auto n = static_cast<double>(counts_.size());
    return static_cast<std::size_t>(std::min(std::floor(place * n), n - 1));
  }

  const AxisSettings& axis_;
  std::vector<double> places_, deviations_, counts_;
};

class Tpe : public Sampler {
 public:
  explicit Tpe(const SweepSettings& settings) : settings_(settings) {}

  std::vector<Point> ask(const std::vector<std::vector<Told>>& told) const override {
    std::vector<Told> all;
    for (const auto& batch : told) all.insert(all.end(), batch.begin(), batch.end());
    const auto asked = static_cast<std::int64_t>(all.size());
    const std::int64_t left = most_trials(settings_) - asked;
    std::vector<Point> out;
    if (told.empty()) {
      for (std::int64_t i = 0; i < std::min(settings_.startup, left); ++i)
        out.push_back(point_at(settings_, random_numbers(settings_, i)));
      return out;
    }
    // Failed trials are the worst; of equal ones the earlier is the better.
    std::stable_sort(all.begin(), all.end(), [](const Told& a, const Told& b) {
      if (std::isnan(a.score) || std::isnan(b.score)) return !std::isnan(a.score) && std::isnan(b.score);
      return a.score > b.score;
    });
    for (std::int64_t i = 0; i < std::min(settings_.batch, left); ++i) out.push_back(choose(all, asked + i));
    return out;
  }

 private:
  Point choose(const std::vector<Told>& sorted, std::int64_t number) const {
    const auto good =
        static_cast<std::size_t>(std::max(1.0, std::ceil(kGoodShare * static_cast<double>(sorted.size()))));
    const RandomStream stream{static_cast<std::uint64_t>(settings_.seed), 0, RandomPurpose::kSweep,
                              static_cast<std::uint32_t>(number), 2};
    const auto uniform = [&](std::size_t i) { return static_cast<double>(stream.bits(i)) * 0x1p-32; };
    Point point;
    for (std::size_t k = 0; k < settings_.axes.size(); ++k) {
      const auto& [path, axis] = settings_.axes[k];
      if (!holds(axis, point)) continue;
      std::vector<double> better, worse;
      for (std::size_t i = 0; i < sorted.size(); ++i) {
        for (const auto& [other, value] : sorted[i].point) {
          if (other == path) (i < good ? better : worse).push_back(place_of(axis, value));
        }
      }
      const Density l(axis, better), g(axis, worse);
      double best = 0, best_ratio = -1;
      for (int c = 0; c < kCandidates; ++c) {
        const std::size_t at = (k * kCandidates + static_cast<std::size_t>(c)) * 2;
        const double place = l.draw(uniform(at), uniform(at + 1));
        const double ratio = l.at(place) / g.at(place);
        if (ratio > best_ratio) {
          best = place;
          best_ratio = ratio;
        }
      }
      point.emplace_back(path, value_at(axis, best));
    }
    return point;
  }

  SweepSettings settings_;
};

}  // namespace

std::unique_ptr<Sampler> make_tpe(const SweepSettings& settings) { return std::make_unique<Tpe>(settings); }

}  // namespace serval::experiment
