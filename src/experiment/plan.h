// Who is on which side, what is fitted for each fold, and the proof that nothing crosses.
#pragma once

#include <vector>

#include "serval/audit/audit.h"
#include "serval/experiment/dataset.h"
#include "serval/folds/fold.h"
#include "serval/train/task.h"

#include "targets.h"

namespace serval::experiment {

struct Plan {
  std::vector<folds::Fold> folds;                           // inner ones behind all others
  std::vector<std::vector<folds::Normaliser>> normalisers;  // [feature set][place in `folds`]
  FoldedTargets targets;
  audit::Audit audit;
};

// The folds and the first pass of the audit; nothing is fitted yet. Throws ConfigError.
Plan plan_folds(const ExperimentSettings& settings, const Dataset& dataset);

// Fits what each fold needs, after an audit that passed. Under the protocol speaker_statistics the features change.
void fit_plan(Plan& plan, const ExperimentSettings& settings, Dataset& dataset);

// The second pass, over everything that was fitted and all that training says it has done; tasks and results go
// together. `fused`: of weights of a fusion.
void audit_results(Plan& plan, const ExperimentSettings& settings, const corpus::Manifest& manifest,
                   const std::vector<train::Task>& tasks, const std::vector<train::TaskResult>& results,
                   const std::vector<audit::Statistic>& fused = {});

}  // namespace serval::experiment
