#include "trial_result.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "serval/core/csv.h"
#include "serval/core/error.h"
#include "serval/core/files.h"
#include "serval/core/hash.h"
#include "serval/evaluate/cross_validation.h"

#include "../json_fields.h"
#include "checked_line.h"

namespace serval::experiment {

namespace {

constexpr int kVersion = 2;

std::int64_t whole(const std::string& text, const std::string& path) {
  std::int64_t out = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (error != std::errc{} || end != text.data() + text.size())
    throw DataError(cat(path, ": \"", text, "\" is no whole number"));
  return out;
}

// Of the predictions of one model.
evaluate::ActorTable table_of(const std::string& path, const std::string& model,
                              const std::vector<std::string>& classes) {
  const CsvTable csv = parse_csv(read_text(path), path);
  std::array<std::size_t, 6> at{};
  const std::array<const char*, 6> names{"actor", "fold", "seed", "label", "predicted", "model"};
  for (std::size_t i = 0; i < names.size(); ++i) {
    const int column = csv.column(names[i]);
    if (column < 0) throw DataError(cat(path, ": has no column ", names[i]));
    at[i] = static_cast<std::size_t>(column);
  }
  const auto class_of = [&](const std::string& name) {
    const auto found = std::find(classes.begin(), classes.end(), name);
    if (found == classes.end()) throw DataError(cat(path, ": \"", name, "\" is no class of this run"));
    return static_cast<int>(found - classes.begin());
  };
  evaluate::ActorTable table(static_cast<int>(classes.size()));
  for (const CsvRow& row : csv.rows) {
    if (row.fields[at[5]] != model) continue;
    table.add(row.fields[at[0]], static_cast<int>(whole(row.fields[at[1]], path)) - 1,
              static_cast<std::uint64_t>(whole(row.fields[at[2]], path)), class_of(row.fields[at[3]]),
              class_of(row.fields[at[4]]));
  }
  return table;
}

// Of all but the paths: clusters mount one folder in several places.
std::string hash_manifest(const std::string& path) {
  const CsvTable csv = parse_csv(read_text(path), path);
  const int paths = csv.column("path");
  Hasher hasher;
  for (const CsvRow& row : csv.rows) {
    for (std::size_t i = 0; i < row.fields.size(); ++i) {
      if (static_cast<int>(i) != paths) hasher.text(row.fields[i]);
    }
  }
  return hasher.hex();
}

JsonValue to_json(const ScoreAndInterval& score) {
  return JsonValue::object()
      .set("mean", JsonValue::of(score.mean))
      .set("low", JsonValue::of(score.low))
      .set("high", JsonValue::of(score.high));
}

ScoreAndInterval score_of_json(const JsonValue& json) {
  return {number_field(json, "mean"), number_field(json, "low"), number_field(json, "high")};
}

// Each cell [actor, fold, seed, label, predicted, count]; seeds may be larger than JSON's integers, so they are text.
JsonValue to_json(const SideScores& scores) {
  const evaluate::ActorTable& table = scores.table;
  const auto classes = static_cast<std::size_t>(table.classes());
  JsonValue cells = JsonValue::list();
  for (const auto& part : table.parts()) {
    for (const auto& cell : part.cells) {
      for (std::size_t i = 0; i < cell.counts.size(); ++i) {
        if (cell.counts[i] == 0) continue;
        JsonValue row = JsonValue::list();
        row.items = {JsonValue::of(table.actors()[static_cast<std::size_t>(cell.actor)]),
                     JsonValue::of(part.fold),
                     JsonValue::of(std::to_string(part.seed)),
                     JsonValue::of(static_cast<std::int64_t>(i / classes)),
                     JsonValue::of(static_cast<std::int64_t>(i % classes)),
                     JsonValue::of(cell.counts[i])};
        cells.items.push_back(std::move(row));
      }
    }
  }
  return JsonValue::object()
      .set("uar", to_json(scores.uar))
      .set("wa", to_json(scores.wa))
      .set("macro_f1", to_json(scores.macro_f1))
      .set("classes", JsonValue::of(table.classes()))
      .set("cells", std::move(cells));
}

SideScores side_of_json(const JsonValue& json) {
  SideScores out;
  out.uar = score_of_json(need_member(json, "uar"));
  out.wa = score_of_json(need_member(json, "wa"));
  out.macro_f1 = score_of_json(need_member(json, "macro_f1"));
  out.table = evaluate::ActorTable(static_cast<int>(integer_field(json, "classes")));
  for (const JsonValue& row : field(json, "cells", JsonValue::Kind::kList).items) {
    if (row.items.size() != 6) throw DataError(cat(to_string(row.place), ": a cell has six values"));
    for (std::int64_t i = 0; i < row.items[5].integer; ++i) {
      out.table.add(row.items[0].text, static_cast<int>(row.items[1].integer), std::stoull(row.items[2].text),
                    static_cast<int>(row.items[3].integer), static_cast<int>(row.items[4].integer));
    }
  }
  return out;
}

double sum_of_numbers(const JsonValue& object) {
  double sum = 0;
  for (const auto& [name, value] : object.members) sum += value.real;
  return sum;
}

}  // namespace

evaluate::Headline part_scores(const evaluate::ActorTable::Part& part, int classes) {
  std::vector<std::int64_t> counts(static_cast<std::size_t>(classes) * static_cast<std::size_t>(classes));
  for (const auto& cell : part.cells) {
    for (std::size_t i = 0; i < counts.size(); ++i) counts[i] += cell.counts[i];
  }
  return evaluate::headline(counts, classes);
}

SideScores scores_of_table(evaluate::ActorTable table) {
  std::vector<evaluate::FoldValue> uar, wa, macro_f1;
  for (const auto& part : table.parts()) {
    const evaluate::Headline scores = part_scores(part, table.classes());
    uar.push_back({part.fold, part.seed, scores.uar});
    wa.push_back({part.fold, part.seed, scores.wa});
    macro_f1.push_back({part.fold, part.seed, scores.macro_f1});
  }
  const evaluate::Intervals intervals = evaluate::bootstrap_actors(table);
  const auto both = [](const std::vector<evaluate::FoldValue>& values,
                       const evaluate::ConfidenceInterval& interval) {
    return ScoreAndInterval{evaluate::spread(values).mean, interval.low, interval.high};
  };
  SideScores out;
  out.uar = both(uar, intervals.uar);
  out.wa = both(wa, intervals.wa);
  out.macro_f1 = both(macro_f1, intervals.macro_f1);
  out.table = std::move(table);
  return out;
}

TrialResult trial_result(const std::string& run_folder, const std::string& model) {
  const std::string results = run_folder + "/results.json";
  const JsonValue json = read_json_data(results);
  const std::vector<std::string> classes = texts_field(json, "classes");
  TrialResult out;
  out.model = model;
  const std::string validation = run_folder + "/validation_predictions.csv";
  evaluate::ActorTable validated = table_of(validation, model, classes);
  if (validated.actors().empty())
    throw DataError(cat(validation, ": holds no predictions of model ", model,
                        ", and a sweep selects by validation scores"));
  out.validation = scores_of_table(std::move(validated));
  evaluate::ActorTable tested = table_of(run_folder + "/predictions.csv", model, classes);
  if (tested.actors().empty())
    throw DataError(cat(run_folder, "/predictions.csv: holds no predictions of model ", model));
  out.test = scores_of_table(std::move(tested));
  const JsonValue& own =
      field(field(json, "models", JsonValue::Kind::kObject), model.c_str(), JsonValue::Kind::kObject);
  out.parameters = integer_field(own, "parameters");
  out.manifest = hash_manifest(run_folder + "/manifest.csv");
  out.stamps = texts_field(json, "stamps");
  out.devices = texts_field(field(json, "device", JsonValue::Kind::kObject), "names");
  out.seconds = sum_of_numbers(field(json, "seconds", JsonValue::Kind::kObject));
  for (const auto& [stage, bytes] : field(json, "peak_bytes", JsonValue::Kind::kObject).members)
    out.peak_bytes = std::max(out.peak_bytes, bytes.integer);
  return out;
}

std::string write_trial_result(const TrialResult& result) {
  JsonValue point = JsonValue::object();
  for (const auto& [path, value] : result.point) point.set(path, value);
  return checked_line(JsonValue::object()
                          .set("serval_trial", JsonValue::of(kVersion))
                          .set("id", JsonValue::of(result.id))
                          .set("set", std::move(point))
                          .set("model", JsonValue::of(result.model))
                          .set("manifest", JsonValue::of(result.manifest))
                          .set("validation", to_json(result.validation))
                          .set("test", to_json(result.test))
                          .set("parameters", JsonValue::of(result.parameters))
                          .set("stamps", JsonValue::of(result.stamps))
                          .set("devices", JsonValue::of(result.devices))
                          .set("seconds", JsonValue::of(result.seconds))
                          .set("peak_bytes", JsonValue::of(result.peak_bytes)));
}

TrialResult read_trial_result(const std::string& path) {
  const JsonValue json = read_checked_file(path);
  if (const std::int64_t version = integer_field(json, "serval_trial"); version != kVersion)
    throw DataError(cat(path, ": is of version ", version, ", this Serval reads version ", kVersion));
  TrialResult out;
  out.id = text_field(json, "id");
  for (const auto& [name, value] : field(json, "set", JsonValue::Kind::kObject).members)
    out.point.emplace_back(name, value);
  out.model = text_field(json, "model");
  out.manifest = text_field(json, "manifest");
  out.validation = side_of_json(need_member(json, "validation"));
  out.test = side_of_json(need_member(json, "test"));
  out.parameters = integer_field(json, "parameters");
  out.stamps = texts_field(json, "stamps");
  out.devices = texts_field(json, "devices");
  out.seconds = number_field(json, "seconds");
  out.peak_bytes = integer_field(json, "peak_bytes");
  return out;
}

}  // namespace serval::experiment
