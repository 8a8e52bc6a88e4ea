// What models of finished runs say, side by side as a fusion needs it.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "serval/experiment/finished_run.h"

#include "fuse_scores.h"

namespace serval::experiment {

using SeedSet = std::set<std::uint64_t>;

struct RunMember {
  const FinishedRun* run = nullptr;
  const report::ModelReport* model = nullptr;
  std::string name;  // in the fused run
  SeedSet seeds;
};

// Reads the run's validation_predictions.csv into its models. Throws DataError.
void read_validation(FinishedRun& run);

// The members' scores of one fold, each the mean over `seeds`, or over its own; of predictions or validation.
struct SideScores {
  ModelScores scores;                           // recordings are numbers of `rows`
  std::vector<const report::Prediction*> rows;  // of the first member and seed
  std::vector<int> labels() const;
};
SideScores scores_of(const std::vector<RunMember>& members, int fold, const SeedSet* seeds,
                     std::vector<report::Prediction> report::ModelReport::*side);

}  // namespace serval::experiment
