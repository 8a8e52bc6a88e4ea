#include "serval/evaluate/bootstrap.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <boost/math/distributions/normal.hpp>
#include <boost/math/distributions/students_t.hpp>

#include "serval/core/error.h"
#include "serval/core/philox.h"
#include "serval/evaluate/scores.h"

namespace serval::evaluate {

namespace {

// How often each actor was drawn.
std::vector<std::int64_t> draw(std::size_t actors, const RandomStream& random) {
  std::vector<std::int64_t> times(actors);
  for (std::size_t i = 0; i < actors; ++i) ++times[random.below(i, static_cast<std::uint32_t>(actors))];
  return times;
}

Headline weighted_mean(const std::vector<ActorTable::Part>& parts, int classes,
                       const std::vector<std::int64_t>& times, std::vector<std::int64_t>& counts) {
  Headline sum;
  double weights = 0;
  for (const ActorTable::Part& part : parts) {
    std::fill(counts.begin(), counts.end(), 0);
    std::int64_t drawn = 0;
    for (const ActorTable::Cell& cell : part.cells) {
      const std::int64_t t = times[static_cast<std::size_t>(cell.actor)];
      if (t == 0) continue;
      drawn += t;
      for (std::size_t i = 0; i < counts.size(); ++i) counts[i] += t * cell.counts[i];
    }
    if (drawn == 0) continue;
    const double weight = static_cast<double>(drawn) / static_cast<double>(part.cells.size());
    const Headline scores = headline(counts, classes);
    sum.uar += weight * scores.uar;
    sum.wa += weight * scores.wa;
    sum.macro_f1 += weight * scores.macro_f1;
    weights += weight;
  }
  return {sum.uar / weights, sum.wa / weights, sum.macro_f1 / weights};
}

double expanded_tail(std::size_t actors) {
  const auto n = static_cast<double>(actors);
  const double t = boost::math::quantile(boost::math::students_t(n - 1), 0.025);
  return boost::math::cdf(boost::math::normal(), std::sqrt(n / (n - 1)) * t);
}

ConfidenceInterval interval(std::vector<double> values, double tail) {
  std::sort(values.begin(), values.end());
  return {quantile(values, tail), quantile(values, 1 - tail)};
}

}  // namespace

Intervals bootstrap_actors(const ActorTable& table, const BootstrapSettings& settings) {
  SERVAL_CHECK(settings.resamples > 1, settings.resamples, " resamples");
  const std::size_t actors = table.actors().size();
  constexpr double kUndefined = std::numeric_limits<double>::quiet_NaN();
  constexpr ConfidenceInterval kNone = {kUndefined, kUndefined};
  if (actors < 2) return {kNone, kNone, kNone};

  const std::vector<ActorTable::Part> parts = table.parts();
  std::vector<std::int64_t> counts(static_cast<std::size_t>(table.classes() * table.classes()));
  std::vector<double> uar, wa, macro_f1;
  for (int r = 0; r < settings.resamples; ++r) {
    const RandomStream random{settings.seed, 0, RandomPurpose::kBootstrap, static_cast<std::uint32_t>(r)};
    const Headline scores = weighted_mean(parts, table.classes(), draw(actors, random), counts);
    uar.push_back(scores.uar);
    wa.push_back(scores.wa);
    macro_f1.push_back(scores.macro_f1);
  }
  const double tail = expanded_tail(actors);
  return {interval(std::move(uar), tail), interval(std::move(wa), tail), interval(std::move(macro_f1), tail)};
}

}  // namespace serval::evaluate
