#include "predict_output.h"

#include <algorithm>

#include "serval/core/csv.h"
#include "serval/core/error.h"
#include "serval/core/json_line.h"
#include "serval/core/text.h"
#include "serval/deploy/prediction_json.h"

namespace serval::cli {

namespace {

constexpr std::size_t kNameWidth = 40, kLabelWidth = 10;

std::size_t most(const std::vector<float>& probabilities) {
  return static_cast<std::size_t>(std::max_element(probabilities.begin(), probabilities.end()) -
                                  probabilities.begin());
}

std::string number(double value) { return json_number(value); }

}  // namespace

PredictOutput::PredictOutput(PredictFormat format, std::vector<std::string> classes, double min_confidence,
                             bool timeline)
    : format_(format), classes_(std::move(classes)), min_confidence_(min_confidence), timeline_(timeline) {}

std::string PredictOutput::label(const std::vector<float>& probabilities) const {
  return deploy::label_of(classes_, probabilities, min_confidence_);
}

std::string PredictOutput::heading() const {
  if (format_ == PredictFormat::kJsonLines) return "";
  if (format_ == PredictFormat::kTable) {
    std::string out =
        padded("recording", kNameWidth) + "  " + padded("label", kLabelWidth) + "  surest  seconds";
    for (const std::string& name : classes_) out += "  " + padded(name, 8);
    return out + "\n";
  }
  std::string out = timeline_ ? "recording,model,begin_s,end_s,label,confidence,error"
                              : "recording,seconds,label,confidence,error";
  for (const std::string& name : classes_) out += "," + csv_field("p_" + name);
  return out + "\n";
}

std::string PredictOutput::row(const PredictRow& row) const {
  switch (format_) {
    case PredictFormat::kJsonLines:
      return json(row);
    case PredictFormat::kCsv:
      return csv(row);
    case PredictFormat::kTable:
      return table(row);
  }
  throw InternalError("an unknown format");
}

std::vector<PredictOutput::Line> PredictOutput::lines(const PredictRow& row) const {
  std::vector<Line> out{{"", 0, row.said->seconds, &row.said->probabilities}};
  if (!timeline_) return out;
  for (const deploy::Stretch& stretch : row.said->timeline)
    out.push_back({stretch.model, stretch.begin_s, stretch.end_s, &stretch.probabilities});
  return out;
}

std::string PredictOutput::json(const PredictRow& row) const {
  const auto add_scores = [&](JsonValue& to, const std::vector<float>& probabilities) {
    deploy::add_scores(to, classes_, probabilities, min_confidence_);
  };
  JsonValue out = JsonValue::object();
  out.set("recording", JsonValue::of(row.recording));
  if (!row.said) {
    out.set("error", JsonValue::of(row.error));
    return write_json_line(out);
  }
  out.set("seconds", JsonValue::of(row.said->seconds));
  add_scores(out, row.said->probabilities);
  if (timeline_) {
    JsonValue stretches = JsonValue::list();
    for (const deploy::Stretch& stretch : row.said->timeline) {
      JsonValue item = JsonValue::object();
      item.set("model", JsonValue::of(stretch.model));
      item.set("begin_s", JsonValue::of(stretch.begin_s));
      item.set("end_s", JsonValue::of(stretch.end_s));
      add_scores(item, stretch.probabilities);
      stretches.items.push_back(std::move(item));
    }
    out.set("timeline", std::move(stretches));
  }
  return write_json_line(out);
}

std::string PredictOutput::csv(const PredictRow& row) const {
  const std::string name = csv_field(row.recording);
  if (!row.said) {
    return cat(name, timeline_ ? ",,,,,," : ",,,,", csv_field(row.error), std::string(classes_.size(), ','),
               "\n");
  }
  std::string out;
  for (const Line& line : lines(row)) {
    out += name;
    if (timeline_) out += "," + csv_field(line.model) + "," + number(line.begin_s);
    out += "," + number(line.end_s) + "," + csv_field(label(*line.probabilities));
    out += "," + number(static_cast<double>((*line.probabilities)[most(*line.probabilities)])) + ",";
    for (const float p : *line.probabilities) out += "," + number(static_cast<double>(p));
    out += "\n";
  }
  return out;
}

std::string PredictOutput::table(const PredictRow& row) const {
  if (!row.said) return padded(row.recording, kNameWidth) + "  cannot be scored: " + row.error + "\n";
  std::string out;
  for (const Line& line : lines(row)) {
    const bool whole = line.probabilities == &row.said->probabilities;
    const std::string name = whole ? row.recording
                                   : cat("  ", line.model, "  ", formatted("%.2f", line.begin_s), " to ",
                                         formatted("%.2f", line.end_s), " s");
    const std::string told = label(*line.probabilities);
    out += padded(name, kNameWidth) + "  " + padded(told.empty() ? "-" : told, kLabelWidth);
    out +=
        cat("  ", formatted("%6.3f", static_cast<double>((*line.probabilities)[most(*line.probabilities)])),
            "  ", formatted("%7.2f", line.end_s - line.begin_s));
    for (std::size_t c = 0; c < classes_.size(); ++c)
      out += "  " + padded(formatted("%.3f", static_cast<double>((*line.probabilities)[c])),
                           std::max<std::size_t>(8, classes_[c].size()));
    out += "\n";
  }
  return out;
}

}  // namespace serval::cli
