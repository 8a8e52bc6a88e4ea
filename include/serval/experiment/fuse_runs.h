// Late fusion of finished runs, after the fact: models that were trained apart, on other machines or at other times, on the same
// folds of the same recordings.
#pragma once

#include <string>
#include <vector>

#include "serval/experiment/finished_run.h"
#include "serval/experiment/fusion_settings.h"
#include "serval/experiment/run.h"

namespace serval::experiment {

struct FuseRuns {
  std::vector<RunName> members;  // two or more models of one run or several
  FusionRule rule = FusionRule::kMean;
  FusedSeeds seeds = FusedSeeds::kEach;
  std::string folder;  // of the fused run; must not exist, or be empty
  std::string name;    // of the fused run; "": the folder's
};
// Makes a directory like that of a run that fused these models itself: the same scores to the bit, readable by `serval
// report`. Rules that are fitted are so for each fold, on what the models said of its validation side
// (validation_predictions.csv). Stamps and leaks are those of all runs together. Throws DataError for runs that are not
// paired (report/comparison.h) or validated other recordings; ConfigError for a model named twice, fewer than two, seeds that differ
// where each is fused by itself, and a folder that is not empty; AuditError where a run's audit failed, or a rule would
// be fitted on actors that it is tested on and no run is stamped for that.
RunOutcome fuse_runs(const FuseRuns& what);

}  // namespace serval::experiment
