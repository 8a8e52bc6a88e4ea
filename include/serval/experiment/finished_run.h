// A finished run, read back from its directory for tables and pages of it.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "serval/corpus/manifest.h"
#include "serval/report/run_report.h"

namespace serval::experiment {

struct FinishedRun {
  std::string folder;
  report::RunReport report;                     // as the run had it when it wrote its files
  std::vector<corpus::Recording> recordings;    // of manifest.csv
  std::map<std::string, std::string> contents;  // hash of each recording's file, by its id
};

// Reads results.json, predictions.csv, manifest.csv, audit.json, experiment.json and head_predictions.csv; scores are worked
// out again from the predictions and must be those of results.json. Throws DataError naming file and line or field: no
// run, an unfinished one, a file that is missing, cut short or of another run. AuditError where its audit failed.
FinishedRun read_finished_run(const std::string& folder);

// Learning curves besides, from models/. What has been deleted there is warned of and left out.
void read_curves(FinishedRun& run);

// Pictures and sounds of the most confident mistakes, six of each model and twelve in all, from the recordings themselves.
// Throws DataError naming those that are gone or no longer the files that the run heard.
void add_exhibits(FinishedRun& run);

// The model of that name. "": the fusion of models where there is one, else the only one. Throws ConfigError listing
// the names, also for a model that does not tell classes.
const report::ModelReport& chosen_model(const FinishedRun& run, const std::string& name);

// "runs/a" or "runs/a:lstm", as the command line has them. A folder of that very name comes first.
struct RunName {
  std::string folder, model;
};
RunName run_name(const std::string& text);

}  // namespace serval::experiment
