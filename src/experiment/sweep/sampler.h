// Which points of a sweep's axes are tried: asked batch by batch, and told how the earlier ones went.
//
//   grid      every combination of listed values, the last axis fastest
//   random    uniform on each axis' scale
//   sobol     a Sobol sequence (Joe and Kuo's numbers) under a random digital shift (Cranley and Patterson; Owen, 1998):
//             any beginning of it covers the axes more evenly than random points
//   halving   successive halving (Jamieson and Talwalkar, 2016): random points with the least resource; the best
//             1/factor of each rung come again with factor times as much, up to the most
//   tpe       tree-structured Parzen estimators (Bergstra et al., 2011): `startup` random points, then batches; see tpe.cc
//
// A batch is a function of the settings and of the scores of the batches before it alone. So whoever asks for it, and
// whenever, gets the same points.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "serval/experiment/sweep_settings.h"

namespace serval::experiment {

struct Told {
  Point point;
  double score = 0;  // NaN: the trial failed, which counts as worse than every score
};

class Sampler {
 public:
  virtual ~Sampler() = default;
  // The points of batch told.size(), counted from 0; none: the sweep ends there.
  virtual std::vector<Point> ask(const std::vector<std::vector<Told>>& told) const = 0;
};

std::unique_ptr<Sampler> make_sampler(const SweepSettings& settings);

// The value of an axis at `u` in [0, 1): listed values have equal shares. Numbers are rounded to 6 digits.
JsonValue value_at(const AxisSettings& axis, double u);
// The middle of what gives this value, for numbers the inverse of value_at(): in [0, 1].
double place_of(const AxisSettings& axis, const JsonValue& value);

// A point from one number in [0, 1) for each axis.
Point point_at(const SweepSettings& settings, const std::vector<double>& u);
// Whether the axis exists beside these values.
bool holds(const AxisSettings& axis, const Point& point);

// The point of draw number `number`: [axis] uniform numbers.
std::vector<double> random_numbers(const SweepSettings& settings, std::int64_t number);

// Trials that the budget has room for, where no number is given.
inline constexpr std::int64_t kMostTrials = 1000;
std::int64_t most_trials(const SweepSettings& settings);

std::unique_ptr<Sampler> make_tpe(const SweepSettings& settings);
std::unique_ptr<Sampler> make_halving(const SweepSettings& settings);

}  // namespace serval::experiment
