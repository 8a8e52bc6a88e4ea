// Late fusion: what several models say of the same recordings becomes one row of class probabilities each. p_m[i][c] is what
// model m says of recording i, M the number of models. Every row of the results sums to 1; computed in double.
//   mean           sum_m p_m / M
//   weighted       sum_m w_m p_m; weights are not negative and sum to 1
//   product        prod_m p_m, normalised: models taken for independent witnesses
//   logit_average  softmax of mean_m ln p_m, the normalised geometric mean: the product's order of classes, but no surer than
//                  the models are
//   maximum        max_m p_m, normalised
//   vote           (votes + half the mean probability) / (M + 1/2), a vote being a model's most probable class: of classes
//                  with as many votes, the one with the larger mean probability comes first
// Where logarithms are taken, p is clipped from below to 2^-52, so that one model's certain error is no veto. Of classes that
// are equal after all, the lower number comes first, as in the predicted class of any model.
#pragma once

#include <vector>

#include "serval/evaluate/probability_scores.h"

namespace serval::evaluate {

// [model][recording][class]. Throw InternalError unless there is a model and all have rows of one shape.
Probabilities fuse_mean(const std::vector<Probabilities>& models);
Probabilities fuse_weighted(const std::vector<Probabilities>& models, const std::vector<double>& weights);
Probabilities fuse_product(const std::vector<Probabilities>& models);
Probabilities fuse_logit_average(const std::vector<Probabilities>& models);
Probabilities fuse_maximum(const std::vector<Probabilities>& models);
Probabilities fuse_vote(const std::vector<Probabilities>& models);

// [recording][model and class]: ln p, p clipped from below to 1e-4. What the rule "stacking" learns from.
std::vector<std::vector<float>> stacking_rows(const std::vector<Probabilities>& models);

}  // namespace serval::evaluate
