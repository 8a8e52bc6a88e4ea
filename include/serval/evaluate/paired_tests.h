// Whether two runs on the same recordings differ by more than chance. All p values are two-sided.
#pragma once

#include <cstdint>
#include <vector>

#include "serval/evaluate/actor_table.h"

namespace serval::evaluate {

// Permutation over actors. If two runs are equally good, it does not matter which of them an actor's predictions came from:
// swapping them turns the sign of the actor's part of the difference. p is the share of all 2^n ways to swap whose
// difference is as far from 0 as the observed one; of more than kExactActors actors, of `resamples` drawn ways,
// (1 + those as far) / (1 + resamples).
inline constexpr int kExactActors = 16;
struct PermutationSettings {
  int resamples = 10000;
  std::uint64_t seed = 1;
};
// differences[a]: what actor a adds to the difference of two figures.
double sign_flip_p(const std::vector<double>& differences, const PermutationSettings& settings = {});

// What each actor adds to UAR(a) - UAR(b), over all predictions of the two tables, actors in the order of `a`:
//   1 / (classes that occur) * sum over classes of (hits_a / predictions_a - hits_b / predictions_b),
// hits of the actor over predictions of the class by all actors. Throws InternalError when the tables have other actors,
// or other shares of recordings of a class.
std::vector<double> uar_differences(const ActorTable& a, const ActorTable& b);

// Corrected resampled t-test (Nadeau and Bengio, 2003): t = mean d / sqrt((1/k + test_to_train) var d), k - 1 degrees of
// freedom, of the differences d of k folds, whose training sides overlap. test_to_train is the number of recordings of a
// test side over that of a training side. All NaN for k < 2, and where all d are equal.
struct TTest {
  double t = 0, p = 1;
  int degrees = 0;
};
TTest corrected_t_test(const std::vector<double>& differences, double test_to_train);

// McNemar: of the recordings that only one of the runs has right, is it as often the one as the other? Up to
// kExactDiscordant of them by the binomial distribution, above by chi-square with continuity correction,
// max(0, |b - c| - 1)^2 / (b + c). It takes recordings for independent, which those of one actor are not: with few actors its
// p is too small.
inline constexpr std::int64_t kExactDiscordant = 25;
struct McNemar {
  std::int64_t only_first = 0, only_second = 0;
  double p = 1;
};
McNemar mcnemar(const std::vector<bool>& first_right, const std::vector<bool>& second_right);

// p values corrected for having made several comparisons; NaN stays and counts for none.
//   Holm: the chance of any false finding at all    Benjamini-Hochberg: the expected share of false among the findings
std::vector<double> holm(const std::vector<double>& p);
std::vector<double> benjamini_hochberg(const std::vector<double>& p);

}  // namespace serval::evaluate
