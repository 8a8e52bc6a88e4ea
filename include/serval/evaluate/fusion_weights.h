// What a fusion learns, from recordings that nobody is tested on.
#pragma once

#include <cstddef>
#include <vector>

#include "serval/evaluate/probability_scores.h"

namespace serval::evaluate {

inline constexpr int kWeightSteps = 20;  // of the grid: weights are multiples of 0.05
inline constexpr std::size_t kMostGridModels = 4;

// Weights of fuse_weighted() with the smallest log loss, -mean_i ln sum_m w_m p_m[i][y_i] (p clipped as in score_probabilities):
//   up to kMostGridModels models   the best point of the grid of multiples of 1 / kWeightSteps; of equally good ones (to
//                                  1e-12) the most even, that is of the smallest sum of squares, and then the one with
//                                  more weight on the first models
//   more                           exponentiated gradient from even weights, w_m <- w_m exp(-g_m / G) normalised, g the
//                                  gradient and G = max |g_m|, each step twice the last one that worked and halved until
//                                  the loss falls; ends after 1,000 steps or when a step gains less than 1e-10. The
//                                  loss is convex in w.
// Deterministic. Throws InternalError as the rules do, or without recordings.
std::vector<double> fit_weights(const std::vector<Probabilities>& models, const std::vector<int>& labels);

// The model with the largest UAR; of equal ones that with the smaller log loss, then the first: how one of several
// configurations is chosen without looking at the test side.
std::size_t best_model(const std::vector<Probabilities>& models, const std::vector<int>& labels, int classes);

}  // namespace serval::evaluate
