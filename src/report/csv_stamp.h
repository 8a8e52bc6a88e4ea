// The last column of every table of a run whose protocol leaks: so that a figure cannot leave its stamp behind. Honest
// runs have no such column.
#pragma once

#include <string>

#include "serval/core/csv.h"
#include "serval/core/error.h"
#include "serval/report/run_report.h"

namespace serval::report {

inline std::string header_end(const RunReport& report) { return report.leaks.empty() ? "\n" : ",protocol\n"; }
inline std::string line_end(const RunReport& report) {
  return report.leaks.empty() ? "\n" : cat(",leaks: ", join(report.leaks, " "), "\n");
}

}  // namespace serval::report
