#include "target_table.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <map>
#include <string_view>

#include "serval/core/error.h"
#include "serval/core/files.h"
#include "serval/core/log.h"
#include "serval/core/text.h"
#include "serval/store/external.h"

namespace serval::experiment {

namespace {

// -1, with a mistake, where there is none.
int find_name_column(const TargetSettings& settings, const std::vector<std::string>& columns,
                     LineErrors& errors) {
  const auto find = [&](const std::string& name, bool any_case) {
    for (std::size_t c = 0; c < columns.size(); ++c) {
      const std::string column = trimmed(columns[c]);
      if (column == name || (any_case && lower(column) == name)) return static_cast<int>(c);
    }
    return -1;
  };
  if (!settings.recording.empty()) {
    const int found = find(settings.recording, false);
    if (found < 0) errors.add(1, cat("there is no column \"", settings.recording, "\""));
    return found;
  }
  for (const char* usual : {"recording", "id", "file", "filename", "name", "path"}) {
    if (const int found = find(usual, true); found >= 0) return found;
  }
  errors.add(
      1, cat("no column is called recording, id, file, filename, name or path; say under \"recording\" which "
             "one names the recordings: ",
             join(columns, ", ")));
  return -1;
}

// The recording of each name, by the name.
std::map<std::string, std::vector<std::size_t>> match(const std::vector<TargetRow>& rows,
                                                      const corpus::Manifest& manifest) {
  std::map<std::string, std::vector<std::size_t>> fitting;
  for (const TargetRow& row : rows) fitting[row.name];
  std::vector<std::string> names;
  for (const auto& [name, fits] : fitting) names.push_back(name);
  std::vector<store::ExternalRecording> recordings;
  for (const corpus::Recording& recording : manifest.recordings)
    recordings.push_back({recording.id, recording.path});
  const auto found = store::fitting_recordings(names, recordings);
  for (std::size_t i = 0; i < names.size(); ++i) fitting[names[i]] = found[i];
  return fitting;
}

}  // namespace

int TargetTable::column(const std::string& name) const {
  for (std::size_t c = 0; c < columns.size(); ++c) {
    if (trimmed(columns[c]) == name) return static_cast<int>(c);
  }
  return -1;
}

std::string about(const TargetRow& row) { return cat("recording \"", row.name, "\": "); }

TargetTable read_target_table(const TargetSettings& settings, const corpus::Manifest& manifest, bool once,
                              LineErrors& errors) {
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(settings.file, ignored))
    throw ConfigError(cat("there is no file ", settings.file));
  const std::string content = read_text(settings.file);
  const std::string_view header = std::string_view(content).substr(0, content.find('\n'));
  const bool semicolons =
      header.find(',') == std::string_view::npos && header.find(';') != std::string_view::npos;
  CsvReader reader(content, errors, semicolons ? ';' : ',');
  TargetTable table;
  table.columns = reader.columns();
  const int name_column = find_name_column(settings, table.columns, errors);
  if (name_column < 0) return table;
  table.name_column = static_cast<std::size_t>(name_column);
  CsvRow row;
  while (reader.next(row))
    table.rows.push_back({row.line, trimmed(row.fields[table.name_column]), 0, row.fields});

  const auto fitting = match(table.rows, manifest);
  constexpr int kNoLine = 0;
  std::vector<int> line_of(manifest.recordings.size(), kNoLine);
  std::int64_t left_out = 0;
  std::erase_if(table.rows, [&](TargetRow& own) {
    const std::vector<std::size_t>& fits = fitting.at(own.name);
    if (own.name.empty()) {
      errors.add(own.line, "no recording is named");
      return true;
    }
    if (fits.empty()) {
      ++left_out;
      if (settings.extra_rows == ExtraRows::kRefuse) {
        errors.add(own.line, cat("\"", own.name,
                                 "\" is no recording of the experiment; with \"extra_rows\": "
                                 "\"leave_out\", such rows are left out"));
      }
      return true;
    }
    const corpus::Recording& first = manifest.recordings[fits.front()];
    if (fits.size() > 1) {
      errors.add(own.line, cat("\"", own.name, "\" fits ", first.id, " and ", manifest.recordings[fits[1]].id,
                               "; name it by the id"));
      return true;
    }
    own.recording = fits.front();
    if (once && line_of[own.recording] != kNoLine) {
      errors.add(own.line, cat(about(own), first.id, " has a row already, line ", line_of[own.recording]));
      return true;
    }
    if (line_of[own.recording] == kNoLine) line_of[own.recording] = own.line;
    return false;
  });
  if (left_out > 0 && settings.extra_rows == ExtraRows::kLeaveOut) {
    log_info(cat(settings.file, ": ", left_out, left_out == 1 ? " row is" : " rows are",
                 " of no recording of the experiment and left out"));
  }
  std::vector<std::string> missing;
  for (std::size_t r = 0; r < line_of.size(); ++r) {
    if (line_of[r] == kNoLine) missing.push_back(manifest.recordings[r].id);
  }
  if (!missing.empty()) {
    errors.add(1, cat("no row is of ", missing.size(), " of the ", line_of.size(),
                      " recordings: ", first_few(missing)));
  }
  return table;
}

double target_number(const TargetTable& table, const TargetRow& row, int column, LineErrors& errors) {
  const std::string text = trimmed(row.fields[static_cast<std::size_t>(column)]);
  const std::string& name = table.columns[static_cast<std::size_t>(column)];
  double value = 0;
  const char* begin = text.data() + (text.size() > 1 && text[0] == '+' ? 1 : 0);
  const auto [end, problem] = std::from_chars(begin, text.data() + text.size(), value);
  if (text.empty()) {
    errors.add(row.line, cat(about(row), "column \"", name, "\" is empty"));
  } else if (problem != std::errc{} || end != text.data() + text.size() || !std::isfinite(value)) {
    errors.add(row.line, cat(about(row), "column \"", name, "\": \"", text, "\" is not a finite number"));
  } else {
    return value;
  }
  return 0;
}

}  // namespace serval::experiment
