// The files of a run's directory that tables and scripts read.
#pragma once

#include <string>

#include "serval/experiment/run.h"
#include "serval/report/run_report.h"

namespace serval::experiment {

// Each whole or absent, results.json last: what has it is finished.
RunOutcome write_report_files(const report::RunReport& report, const std::string& folder);

}  // namespace serval::experiment
