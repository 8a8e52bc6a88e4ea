#include "serval/experiment/fusion_settings.h"

#include <algorithm>
#include <set>

#include "serval/core/error.h"
#include "serval/experiment/settings.h"
#include "serval/report/run_report.h"

namespace serval::experiment {

namespace {

const Options<FusionRule> kRules = {
    {"mean", FusionRule::kMean},         {"weighted", FusionRule::kWeighted},
    {"product", FusionRule::kProduct},   {"logit_average", FusionRule::kLogitAverage},
    {"maximum", FusionRule::kMaximum},   {"vote", FusionRule::kVote},
    {"stacking", FusionRule::kStacking}, {"best", FusionRule::kBest}};
const Options<FusedSeeds> kSeeds = {{"each", FusedSeeds::kEach}, {"together", FusedSeeds::kTogether}};

bool learns_classes(const ModelSettings& model) {
  if (model.heads.empty()) return model.target == train::kClassTarget;
  return std::any_of(model.heads.begin(), model.heads.end(),
                     [](const auto& head) { return head.second.target == train::kClassTarget; });
}

}  // namespace

const char* to_string(FusionRule rule) { return name_of(kRules, rule); }
const char* to_string(FusedSeeds seeds) { return name_of(kSeeds, seeds); }

const Options<FusionRule>& fusion_rules() { return kRules; }
const Options<FusedSeeds>& fused_seeds() { return kSeeds; }

bool fits(FusionRule rule) {
  return rule == FusionRule::kWeighted || rule == FusionRule::kStacking || rule == FusionRule::kBest;
}

void describe(SettingsVisitor& v, FusionSettings& s) {
  v.choice("rule", s.rule, kRules,
           {"how probabilities become one; weighted, stacking and best are fitted on validation scores"});
  v.texts("models", s.models, {"which models; all that learn the classes when left out"});
  v.choice("seeds", s.seeds, kSeeds,
           {"each seed is fused by itself, or models are first averaged over their seeds"});
  v.check(std::set<std::string>(s.models.begin(), s.models.end()).size() == s.models.size(), "models",
          "a model is named twice");
}

std::vector<std::string> fused_models(const ExperimentSettings& settings) {
  const std::vector<std::string>& wanted = settings.fusion->models;
  std::vector<std::string> out;
  for (const auto& [name, model] : settings.models) {
    const bool named = std::find(wanted.begin(), wanted.end(), name) != wanted.end();
    if (wanted.empty() ? learns_classes(model) : named) out.push_back(name);
  }
  return out;
}

void check_fusion(SettingsVisitor& v, const ExperimentSettings& s) {
  const bool on_test = s.protocol.has(folds::Leak::kFusionOnTest);
  v.check(!on_test || (s.fusion && fits(s.fusion->rule)), "protocol",
          "leaks: fusion_on_test is named, but no fusion is fitted");
  if (!s.fusion) return;
  v.check(
      !fits(s.fusion->rule) || !s.protocol.has(folds::Leak::kTestSelection) || on_test, "protocol",
      cat("leaks: with test_selection the test side validates, and fusion.rule \"", to_string(s.fusion->rule),
          "\" is fitted on validation scores; where that is meant, name \"fusion_on_test\" too"));
  std::vector<std::string> known;
  for (const auto& [name, model] : s.models) {
    known.push_back(name);
    v.check(name != report::kFusion, "models",
            cat("the name \"", name, "\" is that of the fused scores; choose another"));
    const std::vector<std::string>& wanted = s.fusion->models;
    v.check(learns_classes(model) || std::find(wanted.begin(), wanted.end(), name) == wanted.end(), "fusion",
            cat("models: ", name, " does not learn the classes, so it has nothing to fuse"));
  }
  for (const std::string& name : s.fusion->models) {
    v.check(std::find(known.begin(), known.end(), name) != known.end(), "fusion",
            cat("models: \"", name, "\" is not one of {", join(known, ", "), "}"));
  }
  const bool seeds = s.fusion->seeds == FusedSeeds::kTogether && s.seeds.size() > 1;
  v.check(fused_models(s).size() > 1 || seeds, "fusion",
          "needs two models, or one with several seeds and \"seeds\": \"together\"");
}

}  // namespace serval::experiment
