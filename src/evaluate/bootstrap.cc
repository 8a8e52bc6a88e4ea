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

// Resampled means lie between those of the lowest and the highest actor, where the truth lies for n actors with a
// probability of at most 1 - 2^(1 - n): 94 % for five.
constexpr std::size_t kFewestActors = 6;

// The intervals of what `statistic` says of `actors` actors, each drawn so many times.
template <class Statistic>
Intervals resample(std::size_t actors, const BootstrapSettings& settings, const Statistic& statistic) {
  SERVAL_CHECK(settings.resamples > 1, settings.resamples, " resamples");
  constexpr double kUndefined = std::numeric_limits<double>::quiet_NaN();
  constexpr ConfidenceInterval kNone = {kUndefined, kUndefined};
  if (actors < kFewestActors) return {kNone, kNone, kNone};
  std::vector<double> uar, wa, macro_f1;
  for (int r = 0; r < settings.resamples; ++r) {
    const RandomStream random{settings.seed, 0, RandomPurpose::kBootstrap, static_cast<std::uint32_t>(r)};
    const Headline scores = statistic(draw(actors, random));
    uar.push_back(scores.uar);
    wa.push_back(scores.wa);
    macro_f1.push_back(scores.macro_f1);
  }
  const double tail = expanded_tail(actors);
  return {interval(std::move(uar), tail), interval(std::move(wa), tail), interval(std::move(macro_f1), tail)};
}

std::vector<std::int64_t> no_counts(int classes) {
  return std::vector<std::int64_t>(static_cast<std::size_t>(classes) * static_cast<std::size_t>(classes));
}

}  // namespace

Intervals bootstrap_actors(const ActorTable& table, const BootstrapSettings& settings) {
  const std::vector<ActorTable::Part> parts = table.parts();
  std::vector<std::int64_t> counts = no_counts(table.classes());
  return resample(table.actors().size(), settings, [&](const std::vector<std::int64_t>& times) {
    return weighted_mean(parts, table.classes(), times, counts);
  });
}

Intervals bootstrap_difference(const ActorTable& first, const ActorTable& second,
                               const BootstrapSettings& settings) {
  const std::vector<std::string>& actors = first.actors();
  SERVAL_CHECK(actors.size() == second.actors().size(), actors.size(), " and ", second.actors().size(),
               " actors");
  std::vector<std::size_t> in_first;  // [actor of `second`]
  for (const std::string& actor : second.actors()) {
    const auto at = std::find(actors.begin(), actors.end(), actor);
    SERVAL_CHECK(at != actors.end(), "actor ", actor, " is in one run only");
    in_first.push_back(static_cast<std::size_t>(at - actors.begin()));
  }
  const std::vector<ActorTable::Part> of_first = first.parts(), of_second = second.parts();
  std::vector<std::int64_t> first_counts = no_counts(first.classes()),
                            second_counts = no_counts(second.classes());
  std::vector<std::int64_t> second_times(actors.size());
  return resample(actors.size(), settings, [&](const std::vector<std::int64_t>& times) {
    for (std::size_t i = 0; i < in_first.size(); ++i) second_times[i] = times[in_first[i]];
    const Headline a = weighted_mean(of_first, first.classes(), times, first_counts);
    const Headline b = weighted_mean(of_second, second.classes(), second_times, second_counts);
    return Headline{a.uar - b.uar, a.wa - b.wa, a.macro_f1 - b.macro_f1};
  });
}

}  // namespace serval::evaluate
