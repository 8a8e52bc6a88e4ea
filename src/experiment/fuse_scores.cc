#include "fuse_scores.h"

#include <algorithm>
#include <set>

#include "serval/core/error.h"
#include "serval/evaluate/fusion.h"
#include "serval/evaluate/fusion_weights.h"
#include "serval/fitting/fit.h"
#include "serval/learners/learner.h"

namespace serval::experiment {

namespace {

using evaluate::Probabilities;

// Rows behind one another, as learners read them.
std::vector<float> flat_rows(const ModelScores& scores) {
  std::vector<float> out;
  for (const std::vector<float>& row : evaluate::stacking_rows(scores.models))
    out.insert(out.end(), row.begin(), row.end());
  return out;
}

Probabilities stack(const ModelScores& fitted, const std::vector<int>& labels, const ModelScores& test,
                    int classes) {
  const std::vector<float> rows = flat_rows(test);
  const auto columns = static_cast<std::int64_t>(test.models.size()) * classes;
  const auto model = learners::restore(learners::stacking_settings(), fit_stacking(fitted, labels, classes));
  return model->scores({rows.data(), static_cast<std::int64_t>(test.recordings.size()), columns});
}

std::vector<double> one_of(std::size_t model, std::size_t models) {
  std::vector<double> out(models, 0.0);
  out[model] = 1;
  return out;
}

}  // namespace

learners::LearnerState fit_stacking(const ModelScores& fitted, const std::vector<int>& labels, int classes) {
  const std::vector<float> rows = flat_rows(fitted);
  const auto columns = static_cast<std::int64_t>(fitted.models.size()) * classes;
  return fitting::fit(learners::stacking_settings(),
                      {rows.data(), static_cast<std::int64_t>(labels.size()), columns}, labels, classes, 1);
}

ModelScores averaged(const std::vector<ModelScores>& seeds) {
  ModelScores out = seeds.front();
  if (seeds.size() == 1) return out;  // to the bit
  for (std::size_t m = 0; m < out.models.size(); ++m) {
    std::vector<Probabilities> of_model;
    for (const ModelScores& scores : seeds) of_model.push_back(scores.models[m]);
    out.models[m] = evaluate::fuse_mean(of_model);
  }
  return out;
}

FusedScores fuse_scores(FusionRule rule, const ModelScores& test, const ModelScores& fitted,
                        const std::vector<int>& labels, int classes) {
  FusedScores out;
  const auto& models = test.models;
  switch (rule) {
    case FusionRule::kMean:
      out.probabilities = evaluate::fuse_mean(models);
      return out;
    case FusionRule::kProduct:
      out.probabilities = evaluate::fuse_product(models);
      return out;
    case FusionRule::kLogitAverage:
      out.probabilities = evaluate::fuse_logit_average(models);
      return out;
    case FusionRule::kMaximum:
      out.probabilities = evaluate::fuse_maximum(models);
      return out;
    case FusionRule::kVote:
      out.probabilities = evaluate::fuse_vote(models);
      return out;
    case FusionRule::kStacking:
      out.probabilities = stack(fitted, labels, test, classes);
      return out;
    case FusionRule::kWeighted:
      out.weights = evaluate::fit_weights(fitted.models, labels);
      break;
    case FusionRule::kBest:
      out.weights = one_of(evaluate::best_model(fitted.models, labels, classes), models.size());
      break;
  }
  out.probabilities = evaluate::fuse_weighted(models, out.weights);
  return out;
}

std::vector<std::string> classes_without_rows(const std::vector<int>& labels,
                                              const std::vector<std::string>& classes) {
  const std::set<int> there(labels.begin(), labels.end());
  std::vector<std::string> out;
  for (std::size_t c = 0; c < classes.size(); ++c) {
    if (there.count(static_cast<int>(c)) == 0) out.push_back(classes[c]);
  }
  return out;
}

}  // namespace serval::experiment
