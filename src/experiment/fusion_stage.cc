#include "fusion_stage.h"

#include <set>
#include <utility>

#include "serval/core/error.h"

#include "fuse_scores.h"

namespace serval::experiment {

namespace {

using evaluate::Probabilities;
using train::TaskResult;

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
ModelScores scores_of(const std::vector<Member>& members, bool test) {
  ModelScores out;
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
      std::vector<ModelScores> test, validation;
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
      const ModelScores tested = averaged(test);
      fused.recordings = tested.recordings;
      ModelScores fitted;
      if (!validation.empty()) fitted = averaged(validation);
      fused.fitted_on = fitted.recordings;
      std::vector<int> labels;
      for (const std::int64_t r : fitted.recordings)
        labels.push_back(manifest.class_of[static_cast<std::size_t>(r)]);
      FusedScores scores = fuse_scores(settings.fusion->rule, tested, fitted, labels,
                                       static_cast<int>(manifest.classes.size()));
      fused.probabilities = std::move(scores.probabilities);
      fused.weights = std::move(scores.weights);
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
