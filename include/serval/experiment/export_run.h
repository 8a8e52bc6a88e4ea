// From a finished run to a bundle (deploy/bundle.h).
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "serval/core/tensor.h"
#include "serval/deploy/bundle.h"

namespace serval::experiment {

// Which of a run's models go in. What a run has several of must be chosen: nothing is taken by itself.
struct ExportOptions {
  std::string run;          // its folder
  std::string model;        // a model's name, or "fusion"; "": the only one
  std::optional<int> fold;  // from 1
  std::optional<std::int64_t> seed;
  bool all_folds = false, all_seeds = false;  // their scores are averaged
  // What the file keeps of weights. What rounding costs is measured on the run's recordings, and told in the bundle.
  deploy::WeightForm weights = deploy::WeightForm::kFloat32;
  // Trains the models once more, on every actor, for as long as the folds' middle one, in the folder <run>/refit.
  bool refit = false;
  Device device = {};  // where, with how many threads
  int threads = 1;
};

// Reads the run, its audit and its checkpoints. Throws ConfigError where a choice is missing or names nothing, or where the
// model cannot score a recording by its sound alone: features made elsewhere, statistics of each speaker. DataError for a
// run that is damaged, AuditError where its audit failed.
deploy::Bundle bundle_of_run(const ExportOptions& options);

// The same as a folder `out` with model card, audit and experiment. `out` must not be there yet.
void export_run(const ExportOptions& options, const std::string& out);

}  // namespace serval::experiment
