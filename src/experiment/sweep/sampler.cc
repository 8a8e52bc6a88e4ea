#include "sampler.h"

#include <algorithm>
#include <cmath>

#include <boost/random/sobol.hpp>

#include "serval/core/error.h"
#include "serval/core/philox.h"
#include "serval/core/text.h"

namespace serval::experiment {

namespace {

bool same(const JsonValue& a, const JsonValue& b) { return write_json(a) == write_json(b); }

class Grid : public Sampler {
 public:
  explicit Grid(const SweepSettings& settings) : settings_(settings) {}

  std::vector<Point> ask(const std::vector<std::vector<Told>>& told) const override {
    std::vector<Point> out;
    if (told.empty()) extend({}, 0, out);
    return out;
  }

 private:
  void extend(const Point& point, std::size_t axis, std::vector<Point>& out) const {
    if (static_cast<std::int64_t>(out.size()) == most_trials(settings_)) return;
    if (axis == settings_.axes.size()) {
      out.push_back(point);
      return;
    }
    const auto& [path, axis_settings] = settings_.axes[axis];
    if (!holds(axis_settings, point)) return extend(point, axis + 1, out);
    for (const JsonValue& value : axis_settings.values) {
      Point longer = point;
      longer.emplace_back(path, value);
      extend(longer, axis + 1, out);
    }
  }

  SweepSettings settings_;
};

class Random : public Sampler {
 public:
  explicit Random(const SweepSettings& settings) : settings_(settings) {}

  std::vector<Point> ask(const std::vector<std::vector<Told>>& told) const override {
    std::vector<Point> out;
    for (std::int64_t i = 0; told.empty() && i < most_trials(settings_); ++i)
      out.push_back(point_at(settings_, random_numbers(settings_, i)));
    return out;
  }

 private:
  SweepSettings settings_;
};

class Sobol : public Sampler {
 public:
  explicit Sobol(const SweepSettings& settings) : settings_(settings) {}

  std::vector<Point> ask(const std::vector<std::vector<Told>>& told) const override {
    std::vector<Point> out;
    if (!told.empty()) return out;
    const std::size_t axes = settings_.axes.size();
    const RandomStream stream{static_cast<std::uint64_t>(settings_.seed), 0, RandomPurpose::kSweep, 1, 0};
    boost::random::sobol_engine<std::uint32_t, 32> engine(axes);
    for (std::int64_t i = 0; i < most_trials(settings_); ++i) {
      std::vector<double> u;
      for (std::size_t k = 0; k < axes; ++k) u.push_back((engine() ^ stream.bits(k)) * 0x1p-32);
      out.push_back(point_at(settings_, u));
    }
    return out;
  }

 private:
  SweepSettings settings_;
};

// As a person would write it.
double six_digits(double value) { return std::stod(formatted("%.6g", value)); }

}  // namespace

JsonValue value_at(const AxisSettings& axis, double u) {
  if (axis.listed()) {
    const double n = static_cast<double>(axis.values.size());
    return axis.values[static_cast<std::size_t>(std::min(std::floor(u * n), n - 1))];
  }
  const double low = *axis.low, high = *axis.high;
  if (axis.integer) {
    // Each whole number has the stretch of half a number on both sides.
    const double from = low - 0.5, to = high + 0.5;
    const double real = axis.scale == Scale::kLinear
                            ? from + u * (to - from)
                            : std::exp(std::log(from) + u * (std::log(to) - std::log(from)));
    return JsonValue::of(static_cast<std::int64_t>(std::clamp(std::round(real), low, high)));
  }
  const double real = axis.scale == Scale::kLinear
                          ? low + u * (high - low)
                          : std::exp(std::log(low) + u * (std::log(high) - std::log(low)));
  return JsonValue::of(std::clamp(six_digits(real), low, high));
}

double place_of(const AxisSettings& axis, const JsonValue& value) {
  if (axis.listed()) {
    const auto at = std::find_if(axis.values.begin(), axis.values.end(),
                                 [&](const JsonValue& known) { return same(known, value); });
    SERVAL_CHECK(at != axis.values.end(), "a value that the axis does not have");
    return (static_cast<double>(at - axis.values.begin()) + 0.5) / static_cast<double>(axis.values.size());
  }
  const double low = axis.integer ? *axis.low - 0.5 : *axis.low;
  const double high = axis.integer ? *axis.high + 0.5 : *axis.high;
  if (axis.scale == Scale::kLinear) return (value.real - low) / (high - low);
  return (std::log(value.real) - std::log(low)) / (std::log(high) - std::log(low));
}

bool holds(const AxisSettings& axis, const Point& point) {
  if (!axis.when) return true;
  for (const auto& [path, value] : point) {
    if (path != axis.when->axis) continue;
    return std::any_of(axis.when->in.begin(), axis.when->in.end(),
                       [&](const JsonValue& wanted) { return same(wanted, value); });
  }
  return false;
}

Point point_at(const SweepSettings& settings, const std::vector<double>& u) {
  Point point;
  for (std::size_t k = 0; k < settings.axes.size(); ++k) {
    const auto& [path, axis] = settings.axes[k];
    if (holds(axis, point)) point.emplace_back(path, value_at(axis, u[k]));
  }
  return point;
}

std::vector<double> random_numbers(const SweepSettings& settings, std::int64_t number) {
  const RandomStream stream{static_cast<std::uint64_t>(settings.seed), 0, RandomPurpose::kSweep,
                            static_cast<std::uint32_t>(number), 1};
  std::vector<double> u;
  for (std::size_t k = 0; k < settings.axes.size(); ++k)
    u.push_back(static_cast<double>(stream.bits(k)) * 0x1p-32);
  return u;
}

std::int64_t most_trials(const SweepSettings& settings) {
  if (!settings.budget.trials.empty()) return settings.budget.trials.front();
  return settings.strategy == Strategy::kGrid ? std::int64_t{1'000'000} : kMostTrials;
}

std::unique_ptr<Sampler> make_sampler(const SweepSettings& settings) {
  switch (settings.strategy) {
    case Strategy::kGrid:
      return std::make_unique<Grid>(settings);
    case Strategy::kRandom:
      return std::make_unique<Random>(settings);
    case Strategy::kSobol:
      return std::make_unique<Sobol>(settings);
    case Strategy::kHalving:
      return make_halving(settings);
    case Strategy::kTpe:
      return make_tpe(settings);
  }
  throw InternalError("no such strategy");
}

}  // namespace serval::experiment
