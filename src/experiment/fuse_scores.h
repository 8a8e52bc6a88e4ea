// What several models say of the same recordings, made one by a rule.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "serval/evaluate/probability_scores.h"
#include "serval/experiment/fusion_settings.h"
#include "serval/learners/state.h"

namespace serval::experiment {

struct ModelScores {
  std::vector<std::int64_t> recordings;
  std::vector<evaluate::Probabilities> models;  // [model][recording][class]
};

// The mean over the seeds of each model; one seed stays as it is, to the bit.
ModelScores averaged(const std::vector<ModelScores>& seeds);

// The regression of the rule stacking: settings learners::stacking_settings(), columns evaluate::stacking_rows().
learners::LearnerState fit_stacking(const ModelScores& fitted, const std::vector<int>& labels, int classes);

struct FusedScores {
  evaluate::Probabilities probabilities;  // [recording][class]
  std::vector<double> weights;            // [model]; empty where the rule has none
};

// Rules that are fitted look at `fitted` with its labels; the others at nothing, and it may be empty.
FusedScores fuse_scores(FusionRule rule, const ModelScores& test, const ModelScores& fitted,
                        const std::vector<int>& labels, int classes);

// The classes without a row among these labels. Stacking learns every class, so it needs one of each.
std::vector<std::string> classes_without_rows(const std::vector<int>& labels,
                                              const std::vector<std::string>& classes);

}  // namespace serval::experiment
