#include "fusion_stage.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "serval/core/error.h"
#include "serval/evaluate/fusion.h"
#include "serval/evaluate/fusion_weights.h"
#include "serval/learners/learner.h"

namespace serval::experiment {

namespace {

using evaluate::Probabilities;
using train::TaskResult;

// What the fused models say of some recordings.
struct Scores {
  std::vector<std::int64_t> recordings;
  std::vector<Probabilities> models;  // [model]
};

// The results of one model, fold and seed: the fold's own, and those of its inner folds.
struct Member {
  const TaskResult* own = nullptr;
  std::vector<const TaskResult*> inner;
};

Member member_of(const std::vector<TaskResult>& results, const std::string& model, int fold,
                 std::uint64_t seed) {
  Member out;
  for (const TaskResult& result : results) {
    if (result.model != model || result.fold != fold || result.seed != seed) continue;
    if (result.inner > 0) {
      out.inner.push_back(&result);
    } else {
      out.own = &result;
    }
  }
  SERVAL_CHECK(out.own != nullptr, "no result of ", model, ", fold ", fold + 1, ", seed ", seed);
  return out;
}

// Which recordings a member scored, and its scores: appended to `out` of one model.
void append(std::vector<std::int64_t>& recordings, Probabilities& out,
            const std::vector<std::int64_t>& more_recordings, const Probabilities& more) {
  recordings.insert(recordings.end(), more_recordings.begin(), more_recordings.end());
  out.insert(out.end(), more.begin(), more.end());
}

// Of the test side, or of the validation sides: inner folds where there are any.
Scores scores_of(const std::vector<Member>& members, bool test) {
  Scores out;
  for (const Member& member : members) {
    std::vector<std::int64_t> recordings;
    Probabilities& own = out.models.emplace_back();
    if (test) {
      append(recordings, own, member.own->recordings, member.own->probabilities);
    } else if (member.inner.empty()) {
      append(recordings, own, member.own->validation, member.own->validation_probabilities);
    } else {
      for (const TaskResult* inner : member.inner)
        append(recordings, own, inner->validation, inner->validation_probabilities);
    }
    if (out.models.size() == 1) out.recordings = recordings;
    SERVAL_CHECK(recordings == out.recordings, "models scored different recordings");
  }
  return out;
}

// The mean over the seeds of each model.
Scores averaged(const std::vector<Scores>& seeds) {
  Scores out = seeds.front();
  if (seeds.size() == 1) return out;  // to the bit
  for (std::size_t m = 0; m < out.models.size(); ++m) {
    std::vector<Probabilities> of_model;
    for (const Scores& scores : seeds) of_model.push_back(scores.models[m]);
    out.models[m] = evaluate::fuse_mean(of_model);
  }
  return out;
}

std::vector<float> stacking_rows(const Scores& scores) {
  constexpr float kSmall = 1e-4f;
  std::vector<float> out;
  for (std::size_t i = 0; i < scores.recordings.size(); ++i) {
    for (const Probabilities& model : scores.models) {
      for (const float p : model[i]) out.push_back(std::log(std::max(p, kSmall)));
    }
  }
  return out;
}

Probabilities stack(const Scores& fitted, const std::vector<int>& labels, const Scores& test, int classes) {
  const auto columns = static_cast<std::int64_t>(fitted.models.size()) * classes;
  learners::LearnerSettings settings;
  settings.type = learners::LearnerType::kLogistic;
  const std::vector<float> x = stacking_rows(fitted), y = stacking_rows(test);
  const auto model = learners::fit(settings, {x.data(), static_cast<std::int64_t>(labels.size()), columns},
                                   labels, classes, 1);
  return model->scores({y.data(), static_cast<std::int64_t>(test.recordings.size()), columns});
}

std::vector<double> one_of(std::size_t model, std::size_t models) {
  std::vector<double> out(models, 0.0);
  out[model] = 1;
  return out;
}

// `fitted` is empty where the rule looks at nothing.
void apply(FusedFold& out, FusionRule rule, const Scores& test, const Scores& fitted,
           const std::vector<int>& labels, int classes) {
  const auto& models = test.models;
  switch (rule) {
    case FusionRule::kMean:
      out.probabilities = evaluate::fuse_mean(models);
      return;
    case FusionRule::kProduct:
      out.probabilities = evaluate::fuse_product(models);
      return;
    case FusionRule::kLogitAverage:
      out.probabilities = evaluate::fuse_logit_average(models);
      return;
    case FusionRule::kMaximum:
      out.probabilities = evaluate::fuse_maximum(models);
      return;
    case FusionRule::kVote:
      out.probabilities = evaluate::fuse_vote(models);
      return;
    case FusionRule::kStacking:
      out.probabilities = stack(fitted, labels, test, classes);
      return;
    case FusionRule::kWeighted:
      out.weights = evaluate::fit_weights(fitted.models, labels);
      break;
    case FusionRule::kBest:
      out.weights = one_of(evaluate::best_model(fitted.models, labels, classes), models.size());
      break;
  }
  out.probabilities = evaluate::fuse_weighted(models, out.weights);
}

}  // namespace

std::optional<Fusion> fuse_models(const ExperimentSettings& settings, const corpus::Manifest& manifest,
                                  const std::vector<TaskResult>& results) {
  if (!settings.fusion) return std::nullopt;
  const bool together = settings.fusion->seeds == FusedSeeds::kTogether;
  const bool on_test = settings.protocol.has(folds::Leak::kFusionOnTest);
  Fusion out;
  out.models = fused_models(settings);
  if (together) out.members_of_model = static_cast<int>(settings.seeds.size());
  std::set<int> folds;
  for (const TaskResult& result : results) folds.insert(result.fold);
  // [group][seed]: the seeds of each fused row.
  std::vector<std::vector<std::int64_t>> groups;
  for (const std::int64_t seed : settings.seeds) {
    if (!together || groups.empty()) groups.emplace_back();
    groups.back().push_back(seed);
  }
  for (const int fold : folds) {
    for (const std::vector<std::int64_t>& seeds : groups) {
      std::vector<Scores> test, validation;
      for (const std::int64_t seed : seeds) {
        std::vector<Member> members;
        for (const std::string& model : out.models)
          members.push_back(member_of(results, model, fold, static_cast<std::uint64_t>(seed)));
        test.push_back(scores_of(members, true));
        if (fits(settings.fusion->rule)) validation.push_back(scores_of(members, on_test));
      }
      FusedFold& fused = out.folds.emplace_back();
      fused.fold = fold;
      fused.seed = together ? 0 : static_cast<std::uint64_t>(seeds.front());
      const Scores tested = averaged(test);
      fused.recordings = tested.recordings;
      Scores fitted;
      if (!validation.empty()) fitted = averaged(validation);
      fused.fitted_on = fitted.recordings;
      std::vector<int> labels;
      for (const std::int64_t r : fitted.recordings)
        labels.push_back(manifest.class_of[static_cast<std::size_t>(r)]);
      apply(fused, settings.fusion->rule, tested, fitted, labels, static_cast<int>(manifest.classes.size()));
    }
  }
  return out;
}

std::vector<audit::Statistic> fusion_statistics(const Fusion& fusion, const corpus::Manifest& manifest) {
  std::vector<audit::Statistic> out;
  for (const FusedFold& fold : fusion.folds) {
    if (fold.fitted_on.empty()) continue;
    out.push_back({.name = cat("fusion, ", folds::fold_name(fold.fold, 0), ", seed ", fold.seed),
                   .fold = fold.fold,
                   .fitted_on_actors = manifest.actors_of(fold.fitted_on),
                   .role = audit::Role::kChoice,
                   .leak = folds::Leak::kFusionOnTest});
  }
  return out;
}

}  // namespace serval::experiment
