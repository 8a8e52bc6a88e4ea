#include "serval/evaluate/paired_tests.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>

#include <boost/math/distributions/binomial.hpp>
#include <boost/math/distributions/chi_squared.hpp>
#include <boost/math/distributions/students_t.hpp>

#include "serval/core/error.h"
#include "serval/core/philox.h"
#include "serval/evaluate/scores.h"

namespace serval::evaluate {

namespace {

constexpr double kUndefined = std::numeric_limits<double>::quiet_NaN();

// The share of an actor in the predictions of a class, and the share that is right.
struct Share {
  double all = 0, right = 0;
};

std::map<std::string, std::vector<Share>> class_shares(const ActorTable& table) {
  const auto classes = static_cast<std::size_t>(table.classes());
  std::map<std::string, std::vector<Share>> out;
  std::vector<double> totals(classes);
  for (const ActorTable::Part& part : table.parts()) {
    for (const ActorTable::Cell& cell : part.cells) {
      std::vector<Share>& shares = out[table.actors()[static_cast<std::size_t>(cell.actor)]];
      shares.resize(classes);
      for (std::size_t c = 0; c < classes; ++c) {
        const auto row = cell.counts.begin() + static_cast<std::ptrdiff_t>(c * classes);
        const auto count = static_cast<double>(
            std::accumulate(row, row + static_cast<std::ptrdiff_t>(classes), std::int64_t{0}));
        shares[c].all += count;
        shares[c].right += static_cast<double>(row[static_cast<std::ptrdiff_t>(c)]);
        totals[c] += count;
      }
    }
  }
  for (auto& [actor, shares] : out) {
    for (std::size_t c = 0; c < classes; ++c) {
      if (totals[c] == 0) continue;
      shares[c].all /= totals[c];
      shares[c].right /= totals[c];
    }
  }
  return out;
}

// Ranks from the smallest p, those that are numbers.
std::vector<std::size_t> ascending(const std::vector<double>& p) {
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < p.size(); ++i) {
    if (!std::isnan(p[i])) order.push_back(i);
  }
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return p[a] < p[b]; });
  return order;
}

}  // namespace

double sign_flip_p(const std::vector<double>& differences, const PermutationSettings& settings) {
  SERVAL_CHECK(!differences.empty() && settings.resamples > 0, "nothing to permute");
  const std::size_t n = differences.size();
  double observed = 0, size = 0;
  for (const double d : differences) {
    observed += d;
    size += std::abs(d);
  }
  // Sums that are equal but for rounding count as equal.
  const double bound = std::abs(observed) - 1e-12 * size;
  if (n <= static_cast<std::size_t>(kExactActors)) {
    std::int64_t as_far = 0;
    const std::uint32_t ways = 1u << n;
    for (std::uint32_t way = 0; way < ways; ++way) {
      double sum = 0;
      for (std::size_t i = 0; i < n; ++i) sum += (way >> i & 1u) != 0 ? -differences[i] : differences[i];
      as_far += std::abs(sum) >= bound;
    }
    return static_cast<double>(as_far) / static_cast<double>(ways);
  }
  std::int64_t as_far = 0;
  for (int r = 0; r < settings.resamples; ++r) {
    const RandomStream random{settings.seed, 0, RandomPurpose::kPermutation, static_cast<std::uint32_t>(r)};
    double sum = 0;
    for (std::size_t i = 0; i < n; ++i) sum += random.below(i, 2) == 1 ? -differences[i] : differences[i];
    as_far += std::abs(sum) >= bound;
  }
  return static_cast<double>(1 + as_far) / static_cast<double>(1 + settings.resamples);
}

std::vector<double> uar_differences(const ActorTable& a, const ActorTable& b) {
  SERVAL_CHECK(a.classes() == b.classes() && a.actors().size() == b.actors().size(), a.classes(), " and ",
               b.classes(), " classes, ", a.actors().size(), " and ", b.actors().size(), " actors");
  const auto of_a = class_shares(a), of_b = class_shares(b);
  std::vector<bool> occurs(static_cast<std::size_t>(a.classes()));
  std::vector<double> out;
  for (const std::string& actor : a.actors()) {
    const auto in_b = of_b.find(actor);
    SERVAL_CHECK(in_b != of_b.end(), "actor ", actor, " is in one run only");
    double difference = 0;
    for (std::size_t c = 0; c < occurs.size(); ++c) {
      const Share& first = of_a.at(actor)[c];
      const Share& second = in_b->second[c];
      SERVAL_CHECK(std::abs(first.all - second.all) < 1e-9, "actor ", actor, " has ", first.all, " and ",
                   second.all, " of the predictions of class ", c);
      difference += first.right - second.right;
      if (first.all > 0) occurs[c] = true;
    }
    out.push_back(difference);
  }
  const auto occurring = static_cast<double>(std::count(occurs.begin(), occurs.end(), true));
  for (double& difference : out) difference /= occurring;
  return out;
}

TTest corrected_t_test(const std::vector<double>& differences, double test_to_train) {
  const auto k = static_cast<double>(differences.size());
  if (differences.size() < 2) return {kUndefined, kUndefined, 0};
  const MeanStd d = mean_std(differences);
  const int degrees = static_cast<int>(differences.size()) - 1;
  if (d.std == 0) return {kUndefined, kUndefined, degrees};
  const double t = d.mean / (std::sqrt(1 / k + test_to_train) * d.std);
  const boost::math::students_t distribution(k - 1);
  return {t, 2 * boost::math::cdf(boost::math::complement(distribution, std::abs(t))), degrees};
}

McNemar mcnemar(const std::vector<bool>& first_right, const std::vector<bool>& second_right) {
  SERVAL_CHECK(first_right.size() == second_right.size(), first_right.size(), " and ", second_right.size(),
               " recordings");
  McNemar out;
  for (std::size_t i = 0; i < first_right.size(); ++i) {
    out.only_first += first_right[i] && !second_right[i];
    out.only_second += second_right[i] && !first_right[i];
  }
  const std::int64_t discordant = out.only_first + out.only_second;
  if (discordant == 0) return out;
  const auto n = static_cast<double>(discordant);
  if (discordant <= kExactDiscordant) {
    const auto fewer = static_cast<double>(std::min(out.only_first, out.only_second));
    out.p = std::min(1.0, 2 * boost::math::cdf(boost::math::binomial(n, 0.5), fewer));
  } else {
    const double distance = std::abs(static_cast<double>(out.only_first - out.only_second)) - 1;
    const double statistic = std::max(0.0, distance) * std::max(0.0, distance) / n;
    out.p = boost::math::cdf(boost::math::complement(boost::math::chi_squared(1), statistic));
  }
  return out;
}

std::vector<double> holm(const std::vector<double>& p) {
  const std::vector<std::size_t> order = ascending(p);
  std::vector<double> out(p.size(), kUndefined);
  double largest = 0;
  for (std::size_t rank = 0; rank < order.size(); ++rank) {
    largest = std::max(largest, static_cast<double>(order.size() - rank) * p[order[rank]]);
    out[order[rank]] = std::min(1.0, largest);
  }
  return out;
}

std::vector<double> benjamini_hochberg(const std::vector<double>& p) {
  const std::vector<std::size_t> order = ascending(p);
  std::vector<double> out(p.size(), kUndefined);
  double smallest = 1;
  for (std::size_t rank = order.size(); rank-- > 0;) {
    smallest = std::min(smallest,
                        static_cast<double>(order.size()) / static_cast<double>(rank + 1) * p[order[rank]]);
    out[order[rank]] = smallest;
  }
  return out;
}

}  // namespace serval::evaluate
