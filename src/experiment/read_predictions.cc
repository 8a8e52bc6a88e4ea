#include "read_predictions.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <set>
#include <tuple>

#include "serval/core/csv.h"
#include "serval/core/error.h"
#include "serval/core/files.h"

namespace serval::experiment {

namespace {

// The columns that must be there, by their place; throws DataError for others. Runs that leak have one more.
void check_columns(const CsvReader& reader, std::vector<std::string> wanted, const report::RunReport& report,
                   const std::string& path) {
  if (!report.leaks.empty()) wanted.emplace_back("protocol");
  if (reader.columns() != wanted) {
    throw DataError(
        cat(path, ":1: the columns are ", join(reader.columns(), ","), " instead of ", join(wanted, ",")));
  }
}

template <class Number>
bool read_number(const std::string& text, Number& out) {
  const char* end = text.data() + text.size();
  const auto result = std::from_chars(text.data(), end, out);
  return result.ec == std::errc() && result.ptr == end;
}

class LineReader {
 public:
  LineReader(const CsvRow& row, LineErrors& errors) : row_(row), errors_(errors) {}

  const std::string& text(std::size_t column) const { return row_.fields[column]; }
  template <class Number>
  Number number(std::size_t column, Number low, Number high) {
    Number out{};
    if (!read_number(text(column), out) || !(out >= low && out <= high)) {
      fail(cat("\"", text(column), "\" is no number from ", low, " to ", high));
      return low;
    }
    return out;
  }
  // The place among `names`; 0 with an error where it is not.
  template <class Names, class Same>
  std::size_t place(std::size_t column, const Names& names, const char* what, const Same& same) {
    const auto at =
        std::find_if(names.begin(), names.end(), [&](const auto& n) { return same(n, text(column)); });
    if (at == names.end()) {
      fail(cat("\"", text(column), "\" is no ", what, " of the run"));
      return 0;
    }
    return static_cast<std::size_t>(at - names.begin());
  }
  void fail(const std::string& message) {
    errors_.add(row_.line, message);
    failed_ = true;
  }
  bool failed() const { return failed_; }

 private:
  const CsvRow& row_;
  LineErrors& errors_;
  bool failed_ = false;
};

constexpr int kMostFolds = 1000000;
bool same_text(const std::string& a, const std::string& b) { return a == b; }
template <class Named>
bool same_name(const Named& named, const std::string& name) {
  return named.name == name;
}

void read_rows(const std::string& path, const RecordingsById& recordings, report::RunReport& report,
               std::vector<report::Prediction> report::ModelReport::*rows) {
  const bool validation = rows == &report::ModelReport::validation;
  const std::string content = read_text(path);
  LineErrors errors(path);
  CsvReader reader(content, errors);
  std::vector<std::string> columns = {"recording", "corpus", "actor", "label",
                                      "predicted", "model",  "fold",  "seed"};
  if (validation) columns.emplace_back("inner");
  const std::size_t first_class = columns.size();
  for (const std::string& name : report.classes) columns.push_back("p_" + name);
  check_columns(reader, columns, report, path);
  std::set<std::tuple<std::size_t, int, std::uint64_t, int, const corpus::Recording*>> seen;
  CsvRow row;
  while (reader.next(row)) {
    LineReader line(row, errors);
    const auto recording = recordings.find(line.text(0));
    if (recording == recordings.end()) {
      line.fail(cat("\"", line.text(0), "\" is no recording of manifest.csv"));
      continue;
    }
    const corpus::Recording& of_manifest = *recording->second;
    if (line.text(1) != of_manifest.corpus || line.text(2) != of_manifest.actor) {
      line.fail(cat(line.text(0), " is of ", line.text(1), " and ", line.text(2), " here, of ",
                    of_manifest.corpus, " and ", of_manifest.actor, " in manifest.csv"));
    }
    report::Prediction p;
    p.recording = of_manifest.id;
    p.corpus = of_manifest.corpus;
    p.actor = of_manifest.actor;
    p.label = static_cast<int>(line.place(3, report.classes, "class", same_text));
    p.predicted = static_cast<int>(line.place(4, report.classes, "class", same_text));
    const std::size_t model = line.place(5, report.models, "model", same_name<report::ModelReport>);
    p.fold = line.number(6, 1, kMostFolds) - 1;
    p.seed = line.number<std::uint64_t>(7, 0, UINT64_MAX);
    if (validation) p.inner = line.number(8, 0, kMostFolds);
    for (std::size_t c = 0; c < report.classes.size(); ++c)
      p.probabilities.push_back(static_cast<float>(line.number(first_class + c, 0.0, 1.0001)));
    p.gender = corpus::to_string(of_manifest.gender);
    p.intensity = of_manifest.intensity;
    p.sentence = of_manifest.sentence;
    if (line.failed()) continue;
    if (!seen.emplace(model, p.fold, p.seed, p.inner, &of_manifest).second)
      line.fail(cat(p.recording, " stands there twice for fold ", p.fold + 1, ", seed ", p.seed));
    if (p.predicted != evaluate::most_probable(p.probabilities))
      line.fail(cat("the predicted class is not the most probable one"));
    (report.models[model].*rows).push_back(std::move(p));
  }
  errors.throw_if_any();
}

}  // namespace

void read_predictions(const std::string& path, const RecordingsById& recordings, report::RunReport& report) {
  read_rows(path, recordings, report, &report::ModelReport::predictions);
}

void read_validation_predictions(const std::string& path, const RecordingsById& recordings,
                                 report::RunReport& report) {
  read_rows(path, recordings, report, &report::ModelReport::validation);
}

namespace {

using ByFold = std::map<std::pair<int, std::uint64_t>, std::vector<const report::HeadPrediction*>>;

std::vector<std::string> actors_of(const std::vector<const report::HeadPrediction*>& lines) {
  std::vector<std::string> out;
  for (const report::HeadPrediction* line : lines) out.push_back(line->actor);
  std::sort(out.begin(), out.end(), natural_less);
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

evaluate::NumberScores score_lines(const std::vector<const report::HeadPrediction*>& lines) {
  std::vector<double> truths, predicted;
  for (const report::HeadPrediction* line : lines) {
    truths.push_back(line->truth);
    predicted.push_back(line->predicted);
  }
  return evaluate::score_numbers(truths, predicted);
}

// A line a class, in the order of the head's names: truth 1 at the true one.
evaluate::Scores score_classes(const std::vector<const report::HeadPrediction*>& lines, std::size_t classes,
                               const std::string& path) {
  if (lines.size() % classes != 0)
    throw DataError(cat(path, ": output ", lines.front()->head, " lacks lines of some recording"));
  std::vector<int> labels, predicted;
  for (std::size_t i = 0; i < lines.size(); i += classes) {
    std::size_t label = 0, most = 0;
    for (std::size_t c = 1; c < classes; ++c) {
      if (lines[i + c]->truth > lines[i + label]->truth) label = c;
      if (lines[i + c]->predicted > lines[i + most]->predicted) most = c;
    }
    labels.push_back(static_cast<int>(label));
    predicted.push_back(static_cast<int>(most));
  }
  return evaluate::score(labels, predicted, static_cast<int>(classes));
}

void score_head(report::HeadReport& head, const report::ModelReport& model, const std::string& path) {
  const auto lines_of = [&](const std::string* name) {
    ByFold out;
    for (const report::HeadPrediction& p : model.head_predictions) {
      if (p.head == head.name && (name == nullptr || p.name == *name)) out[{p.fold, p.seed}].push_back(&p);
    }
    if (out.empty())
      throw DataError(cat(path, ": has no line of model ", model.name, ", output ", head.name));
    return out;
  };
  if (!head.numbers) {
    for (const auto& [place, lines] : lines_of(nullptr)) {
      head.folds.push_back(
          {place.first, place.second, actors_of(lines), score_classes(lines, head.names.size(), path)});
    }
    head.summary = evaluate::summarise(head.folds);
    return;
  }
  for (const std::string& name : head.names) {
    std::vector<evaluate::FoldNumberScores>& folds = head.number_folds.emplace_back();
    std::vector<const report::HeadPrediction*> all;
    for (const auto& [place, lines] : lines_of(&name)) {
      folds.push_back({place.first, place.second, actors_of(lines), score_lines(lines)});
      all.insert(all.end(), lines.begin(), lines.end());
    }
    head.number_summaries.push_back(evaluate::summarise(folds));
    head.number_pooled.push_back(score_lines(all));
  }
}

}  // namespace

void read_head_predictions(const std::string& path, report::RunReport& report) {
  const std::string content = read_text(path);
  LineErrors errors(path);
  CsvReader reader(content, errors);
  check_columns(
      reader, {"recording", "corpus", "actor", "model", "head", "fold", "seed", "name", "truth", "predicted"},
      report, path);
  constexpr double kMost = 1e300;
  CsvRow row;
  while (reader.next(row)) {
    LineReader line(row, errors);
    report::ModelReport& model =
        report.models[line.place(3, report.models, "model", same_name<report::ModelReport>)];
    report::HeadPrediction p;
    p.recording = line.text(0);
    p.corpus = line.text(1);
    p.actor = line.text(2);
    p.head = line.text(4);
    p.fold = line.number(5, 1, kMostFolds) - 1;
    p.seed = line.number<std::uint64_t>(6, 0, UINT64_MAX);
    p.name = line.text(7);
    p.truth = line.number(8, -kMost, kMost);
    p.predicted = line.number(9, -kMost, kMost);
    if (!line.failed()) model.head_predictions.push_back(std::move(p));
  }
  errors.throw_if_any();
  for (report::ModelReport& model : report.models) {
    for (report::HeadReport& head : model.heads) score_head(head, model, path);
  }
}

}  // namespace serval::experiment
