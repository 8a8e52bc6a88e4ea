// Runs an experiment in its directory, from wherever an earlier run left off.
#pragma once

#include <string>

#include "serval/audit/audit.h"
#include "serval/core/tensor.h"
#include "serval/experiment/settings.h"

namespace serval::experiment {

struct RunOptions {
  Device device;
  int threads = 1;
  std::string folder;  // the run's directory; "": runs/<name>
};

struct RunOutcome {
  std::string folder;
  bool already_finished = false;
  std::string results_text;  // for the terminal
  std::string results_json;
};

// Throws ConfigError when the directory holds another experiment (the differences are listed), or something
// that is no run at all; InterruptedError and DiskError leave a run that the same call continues.
RunOutcome run_experiment(const ExperimentSettings& settings, const RunOptions& options);

// What experiments that can run together have in common; "" for one that cannot.
std::string common_part(const ExperimentSettings& settings);

// Several experiments of one common part as one, each in its folder: recordings, audio and features are loaded once, and all
// models train side by side. Each run has the files and the bits that it has alone; only what they share is logged in the
// first one's folder, and its time is shared out. What stops one of them stops all; run alone, each continues.
std::vector<RunOutcome> run_together(const std::vector<ExperimentSettings>& experiments,
                                     const std::vector<std::string>& folders, const Device& device,
                                     int threads);

// The first pass of the leak audit alone: nothing is extracted or trained. What it finds may have failed. Throws ConfigError and
// DataError as a run does.
audit::Audit audit_experiment(const ExperimentSettings& settings, int threads);

}  // namespace serval::experiment
