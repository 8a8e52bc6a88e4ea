// 95 % intervals of a cross-validation's mean scores, by a bootstrap over actors.
//
// A resample draws as many actors as there are, with replacement; a drawn actor brings all recordings of all seeds along,
// once for each time drawn. Seeds stay together because they are repeated looks at one actor, no further actors. The
// statistic of a resample is the figure that tables print, the mean over folds and seeds, where a fold weighs by how many
// of its actors were drawn:
//     sum_f w_f mean_s score(fold f, seed s) / sum_f w_f,   w_f = (actors drawn in f) / (actors of f)
// Of the actors as they are, this is `summary.<score>.mean`.
//
// The interval is the expanded percentile interval (Hesterberg, 2015): between the quantiles q and 1 - q of the resamples,
//     q = Phi(sqrt(n / (n - 1)) t_{n-1}(0.025))   of n actors,
// since plain percentiles are too narrow for few actors by just that much. tests/evaluate/bootstrap_test.cc measures the
// coverage, docs/evaluation.md says what it is; bias-corrected (BCa) intervals did not cover better. Fewer than six actors
// have none: it would be hardly more than the range of their scores, which holds the truth too seldom.
//
// It says what other actors would change, for models trained as these were. It knows nothing of other training
// recordings, other corpora, or of who chose the settings by looking at these results.
#pragma once

#include <cstdint>

#include "serval/evaluate/actor_table.h"

namespace serval::evaluate {

struct ConfidenceInterval {
  double low = 0, high = 0;  // NaN where there are fewer than six actors
};

struct Intervals {
  ConfidenceInterval uar, wa, macro_f1;
};

struct BootstrapSettings {
  int resamples = 2000;
  std::uint64_t seed = 1;  // the same seed, the same intervals
};

Intervals bootstrap_actors(const ActorTable& table, const BootstrapSettings& settings = {});

// Of the differences first - second of two runs on the same actors: a resample draws the same actors for both, so that how
// hard an actor is to understand cancels out. Throws InternalError when the tables have other actors.
Intervals bootstrap_difference(const ActorTable& first, const ActorTable& second,
                               const BootstrapSettings& settings = {});

}  // namespace serval::evaluate
