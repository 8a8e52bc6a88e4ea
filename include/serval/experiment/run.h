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

// The first pass of the leak audit alone: nothing is extracted or trained. What it finds may have failed. Throws ConfigError and
// DataError as a run does.
audit::Audit audit_experiment(const ExperimentSettings& settings, int threads);

}  // namespace serval::experiment
