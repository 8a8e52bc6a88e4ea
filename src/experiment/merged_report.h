// What several finished runs on the same folds say together, but for their models.
#pragma once

#include <vector>

#include "serval/experiment/finished_run.h"

namespace serval::experiment {

// Corpora, classes and chance are those of the first; stamps, leaks, devices and configurations of all. A check of the audit
// passed where it did in every run, and names the run otherwise; of each fold the smallest training side counts.
report::RunReport merged_report(const std::vector<const FinishedRun*>& runs);

}  // namespace serval::experiment
