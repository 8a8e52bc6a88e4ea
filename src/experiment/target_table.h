// A CSV file with what is known of recordings: its rows, each with the recording that it names.
#pragma once

#include <string>
#include <vector>

#include "serval/core/csv.h"
#include "serval/corpus/manifest.h"
#include "serval/experiment/target_settings.h"

namespace serval::experiment {

struct TargetRow {
  int line = 0;
  std::string name;           // of the recording, as the file has it
  std::size_t recording = 0;  // number in the manifest
  std::vector<std::string> fields;
};

struct TargetTable {
  std::vector<std::string> columns;
  std::size_t name_column = 0;
  std::vector<TargetRow> rows;                // of the manifest's recordings
  int column(const std::string& name) const;  // -1 where there is none
};

// Mistakes go to `errors`: no column that names recordings, rows that fit no recording or several, recordings without
// a row, and, with `once`, recordings with two. Throws when there is no table at all.
TargetTable read_target_table(const TargetSettings& settings, const corpus::Manifest& manifest, bool once,
                              LineErrors& errors);

// A finite number; else names line, recording and column in `errors` and gives 0.
double target_number(const TargetTable& table, const TargetRow& row, int column, LineErrors& errors);
// "the recording "x": " as messages about a row begin.
std::string about(const TargetRow& row);

}  // namespace serval::experiment
