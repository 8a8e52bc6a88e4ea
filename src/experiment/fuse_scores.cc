#include "fuse_scores.h"

#include <algorithm>
#include <cmath>

#include "serval/core/error.h"
#include "serval/evaluate/fusion.h"
#include "serval/evaluate/fusion_weights.h"
#include "serval/fitting/fit.h"
#include "serval/learners/learner.h"

namespace serval::experiment {

namespace {

using evaluate::Probabilities;

std::vector<float> stacking_rows(const ModelScores& scores) {
  constexpr float kSmall = 1e-4f;
  std::vector<float> out;
  for (std::size_t i = 0; i < scores.recordings.size(); ++i) {
    for (const Probabilities& model : scores.models) {
      for (const float p : model[i]) out.push_back(std::log(std::max(p, kSmall)));
    }
  }
  return out;
}

Probabilities stack(const ModelScores& fitted, const std::vector<int>& labels, const ModelScores& test,
                    int classes) {
  const auto columns = static_cast<std::int64_t>(fitted.models.size()) * classes;
  learners::LearnerSettings settings;
  settings.type = learners::LearnerType::kLogistic;
  const std::vector<float> x = stacking_rows(fitted), y = stacking_rows(test);
  const auto model = learners::restore(
      settings, fitting::fit(settings, {x.data(), static_cast<std::int64_t>(labels.size()), columns}, labels,
                             classes, 1));
  return model->scores({y.data(), static_cast<std::int64_t>(test.recordings.size()), columns});
}

std::vector<double> one_of(std::size_t model, std::size_t models) {
  std::vector<double> out(models, 0.0);
  out[model] = 1;
  return out;
}

}  // namespace

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

}  // namespace serval::experiment
