// predictions.csv and head_predictions.csv, read back.
#pragma once

#include <map>
#include <string>

#include "serval/corpus/manifest.h"
#include "serval/report/run_report.h"

namespace serval::experiment {

// By the recording's id.
using RecordingsById = std::map<std::string, const corpus::Recording*>;

// The report's models, which have their names by now, get their predictions. `classes` of the report are known too. Throws
// DataError naming every line that is wrong (the first twenty): a number that is none, a class, model or recording that the
// run does not have, a recording twice.
void read_predictions(const std::string& path, const RecordingsById& recordings, report::RunReport& report);

// The same of validation_predictions.csv, into `validation`: a recording stands there once for each fold, seed and inner fold.
void read_validation_predictions(const std::string& path, const RecordingsById& recordings,
                                 report::RunReport& report);

// The same of outputs besides, whose names and targets the models have by now; scores are worked out from them.
void read_head_predictions(const std::string& path, report::RunReport& report);

}  // namespace serval::experiment
