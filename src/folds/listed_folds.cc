#include <algorithm>
#include <charconv>
#include <map>
#include <set>

#include "serval/core/csv.h"
#include "serval/core/files.h"
#include "serval/core/text.h"

#include "fold_draft.h"

namespace serval::folds {

namespace {

struct Columns {
  int recording, actor, fold, side;
};

Columns columns_of(const CsvTable& table, LineErrors& errors) {
  const Columns columns{table.column("recording"), table.column("actor"), table.column("fold"),
                        table.column("side")};
  if ((columns.recording < 0) == (columns.actor < 0))
    errors.add(1, "the header needs one of the columns recording and actor");
  if (columns.side < 0) errors.add(1, "the header lacks the column side");
  errors.throw_if_any();
  return columns;
}

// Numbers by the id of a recording or the name of an actor.
std::map<std::string, std::vector<std::int64_t>> numbers_by_name(const corpus::Manifest& manifest,
                                                                 bool actors) {
  std::map<std::string, std::vector<std::int64_t>> out;
  for (std::size_t r = 0; r < manifest.recordings.size(); ++r) {
    const corpus::Recording& recording = manifest.recordings[r];
    out[actors ? recording.actor : recording.id].push_back(static_cast<std::int64_t>(r));
  }
  return out;
}

}  // namespace

std::vector<Fold> listed_folds(const std::string& path, const corpus::Manifest& manifest) {
  const CsvTable table = parse_csv(read_text(path), path);
  LineErrors errors(path);
  const Columns columns = columns_of(table, errors);
  const bool by_actor = columns.actor >= 0;
  const auto numbers = numbers_by_name(manifest, by_actor);
  Actors names;
  for (const auto& [name, of_name] : numbers) names.push_back(name);

  std::map<int, Fold> folds;
  std::set<std::string> seen;
  for (const CsvRow& row : table.rows) {
    const auto field = [&](int column) { return trimmed(row.fields[static_cast<std::size_t>(column)]); };
    const std::string name = field(by_actor ? columns.actor : columns.recording), side = field(columns.side);
    int number = 1;
    if (columns.fold >= 0) {
      const std::string text = field(columns.fold);
      const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
      if (problem != std::errc() || end != text.data() + text.size() || number < 1 || number > 100000) {
        errors.add(row.line, cat("fold \"", text, "\"; must be a number from 1 on"));
        continue;
      }
    }
    const auto found = numbers.find(name);
    if (found == numbers.end()) {
      const std::string near = nearest_word(name, names);
      errors.add(row.line, cat("no ", by_actor ? "recording is of actor \"" : "recording is called \"", name,
                               "\"", near.empty() ? "" : cat("; did you mean \"", near, "\"?")));
      continue;
    }
    if (!seen.insert(cat(number, " ", name, " ", side)).second) {
      errors.add(row.line, cat(name, " is twice on the ", side, " side of fold ", number));
      continue;
    }
    Fold& fold = folds[number];
    std::vector<std::int64_t>* list = side == "train"        ? &fold.train
                                      : side == "validation" ? &fold.validation
                                      : side == "test"       ? &fold.test
                                                             : nullptr;
    if (list == nullptr) {
      errors.add(row.line, cat("side \"", side, "\"; must be train, validation or test"));
      continue;
    }
    list->insert(list->end(), found->second.begin(), found->second.end());
  }
  errors.throw_if_any();

  std::vector<Fold> out;
  std::vector<std::string> problems;
  for (auto& [number, fold] : folds) {
    if (number != static_cast<int>(out.size()) + 1)
      problems.push_back(cat(path, ": fold ", out.size() + 1, " is missing before fold ", number));
    if (fold.train.empty()) problems.push_back(cat(path, ": fold ", number, " trains on nothing"));
    if (fold.test.empty()) problems.push_back(cat(path, ": fold ", number, " tests nothing"));
    for (auto* side : {&fold.train, &fold.validation, &fold.test}) std::sort(side->begin(), side->end());
    out.push_back(std::move(fold));
  }
  if (out.empty()) problems.push_back(cat(path, ": no line says who is on which side"));
  if (!problems.empty()) fail_folds(problems);
  return out;
}

}  // namespace serval::folds
