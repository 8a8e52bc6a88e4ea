// A cross-validation's figures: per fold and seed, over folds, over seeds, and pooled.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "serval/evaluate/scores.h"

namespace serval::evaluate {

// One model on one fold's test actors with one seed.
struct FoldScores {
  int fold = 0;  // from 0
  std::uint64_t seed = 1;
  std::vector<std::string> test_actors;
  Scores scores;
};

// mean: over all folds and seeds.
// std_folds: deviation over folds of each fold's mean over seeds; how much the actors matter.
// std_seeds: deviation over seeds of each seed's mean over folds; how much chance in training matters.
struct Spread {
  double mean = 0, std_folds = 0, std_seeds = 0;
};
struct FoldValue {
  int fold = 0;
  std::uint64_t seed = 1;
  double value = 0;
};
// Every (fold, seed) pair once; throws InternalError on a gap.
Spread spread(const std::vector<FoldValue>& values);

struct Summary {
  Spread uar, wa, macro_f1;
  // One confusion matrix over all folds and seeds, and the scores computed from it.
  Scores pooled;
};

// Every (fold, seed) pair once; throws InternalError on a gap.
Summary summarise(const std::vector<FoldScores>& folds);

}  // namespace serval::evaluate
