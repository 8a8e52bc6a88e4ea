// Fuses what trained models say; nothing is trained but the fusion itself.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "serval/audit/audit.h"
#include "serval/corpus/manifest.h"
#include "serval/evaluate/probability_scores.h"
#include "serval/experiment/settings.h"
#include "serval/train/task.h"

namespace serval::experiment {

struct FusedFold {
  int fold = 0;                           // from 0
  std::uint64_t seed = 1;                 // 0: seeds together
  std::vector<std::int64_t> recordings;   // the test side, manifest numbers
  evaluate::Probabilities probabilities;  // [recording][class]
  std::vector<double> weights;            // [model]; empty where the rule has none
  std::vector<std::int64_t> fitted_on;    // recordings whose scores and labels the rule was fitted on
};

struct Fusion {
  std::vector<std::string> models;
  int members_of_model = 1;      // seeds, where they are fused
  std::vector<FusedFold> folds;  // by fold, then seed
};

// `results` are those of all tasks, inner folds included. None where the experiment fuses nothing.
std::optional<Fusion> fuse_models(const ExperimentSettings& settings, const corpus::Manifest& manifest,
                                  const std::vector<train::TaskResult>& results);

// What the audit must know of a fusion that was fitted; none otherwise.
std::vector<audit::Statistic> fusion_statistics(const Fusion& fusion, const corpus::Manifest& manifest);

}  // namespace serval::experiment
