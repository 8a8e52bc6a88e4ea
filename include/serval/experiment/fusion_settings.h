// Late fusion: the class probabilities of several models, or of one model's seeds, become one.
//
//   "fusion": { "rule": "weighted", "models": ["t32", "t64"], "seeds": "each" }
//
// Rules that need nothing are those of evaluate/fusion.h. The others are fitted for each fold, and seed, on what the models
// say of its validation side; with folds.inner_folds, of the validation sides of its inner folds, which is every
// training actor once:
//   weighted  the weights of evaluate/fusion_weights.h
//   stacking  logistic regression over the logarithms of all probabilities (clipped to 1e-4), C = 1
//   best      the one model with the largest validation UAR: a choice among configurations, made again for every fold
#pragma once

#include <string>
#include <vector>

#include "serval/core/settings.h"

namespace serval::experiment {

enum class FusionRule { kMean, kWeighted, kProduct, kLogitAverage, kMaximum, kVote, kStacking, kBest };
const char* to_string(FusionRule rule);
// Whether the rule is fitted on validation scores.
bool fits(FusionRule rule);

// each: the models of one seed are fused, and the fusion has as many seeds as they. together: each model's
// probabilities are first averaged over its seeds; the fusion then has one seed, called 0.
enum class FusedSeeds { kEach, kTogether };
const char* to_string(FusedSeeds seeds);
// By name.
const Options<FusionRule>& fusion_rules();
const Options<FusedSeeds>& fused_seeds();

struct FusionSettings {
  FusionRule rule = FusionRule::kMean;
  std::vector<std::string> models;  // empty: all that learn the classes
  FusedSeeds seeds = FusedSeeds::kEach;
};
void describe(SettingsVisitor& v, FusionSettings& settings);

struct ExperimentSettings;
// The models that are fused, in the order of the experiment.
std::vector<std::string> fused_models(const ExperimentSettings& settings);
// That the models are there and learn the classes, and that there is something to fuse.
void check_fusion(SettingsVisitor& v, const ExperimentSettings& settings);

}  // namespace serval::experiment
