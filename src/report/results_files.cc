#include "serval/core/error.h"
#include "serval/core/json.h"
#include "serval/core/text.h"
#include "serval/report/run_report.h"

#include "csv_stamp.h"
#include "results_heads.h"
#include "results_json.h"

namespace serval::report {

namespace {

JsonValue correlations_json(const std::vector<FeatureCorrelation>& correlations) {
  JsonValue out = JsonValue::object();
  for (const FeatureCorrelation& c : correlations) {
    JsonValue rows = JsonValue::list();
    for (std::size_t i = 0; i < c.names.size(); ++i) {
      JsonValue row = JsonValue::list();
      for (std::size_t k = 0; k < c.names.size(); ++k)
        row.items.push_back(JsonValue::of(static_cast<double>(c.values[i * c.names.size() + k])));
      rows.items.push_back(std::move(row));
    }
    out.set(c.features, JsonValue::object()
                            .set("columns", JsonValue::of(c.columns))
                            .set("names", JsonValue::of(c.names))
                            .set("correlations", std::move(rows)));
  }
  return out;
}

}  // namespace

std::string results_json(const RunReport& report) {
  const ModelReport& headline = report.models.front();
  JsonValue out = JsonValue::object();
  out.set("name", JsonValue::of(report.name));
  out.set("classes", JsonValue::of(report.classes));
  if (headline.has_classes()) {
    out.set("summary", summary_json(headline.summary, headline.intervals));
    out.set("pooled", pooled_json(headline, report.classes));
    out.set("groups", groups_json(headline.groups));
    out.set("fairness", fairness_json(headline.groups));
  }
  JsonValue chance = JsonValue::object();
  chance.set("uar", JsonValue::of(report.chance.uar));
  chance.set("majority_wa", JsonValue::of(report.chance.majority_wa));
  out.set("chance", std::move(chance));
  out.set("folds", folds_json(headline.folds));
  JsonValue sizes = JsonValue::list();
  for (const FoldSize& fold : report.fold_sizes) {
    sizes.items.push_back(JsonValue::object()
                              .set("fold", JsonValue::of(fold.fold + 1))
                              .set("train", JsonValue::of(fold.train))
                              .set("validation", JsonValue::of(fold.validation))
                              .set("test", JsonValue::of(fold.test)));
  }
  out.set("fold_sizes", std::move(sizes));
  JsonValue models = JsonValue::object();
  for (const ModelReport& model : report.models) {
    JsonValue item = JsonValue::object();
    item.set("parameters", JsonValue::of(model.parameters));
    if (model.has_classes()) {
      item.set("summary", summary_json(model.summary, model.intervals));
      item.set("pooled", pooled_json(model, report.classes));
      item.set("groups", groups_json(model.groups));
      item.set("fairness", fairness_json(model.groups));
      item.set("folds", folds_json(model.folds));
    }
    if (!model.heads.empty()) item.set("heads", heads_json(model));
    models.set(model.name, std::move(item));
  }
  out.set("models", std::move(models));
  if (report.fusion) out.set("fusion", fusion_json(*report.fusion, headline));
  out.set("configurations", JsonValue::of(report.configurations));
  JsonValue corpora = JsonValue::object();
  for (const CorpusCount& corpus : report.corpora) {
    JsonValue item = JsonValue::object();
    item.set("recordings", JsonValue::of(corpus.recordings));
    item.set("actors", JsonValue::of(corpus.actors));
    item.set("synthetic", JsonValue::of(corpus.synthetic));
    corpora.set(corpus.corpus, std::move(item));
  }
  out.set("corpora", std::move(corpora));
  out.set("stamps", JsonValue::of(report.stamps));
  out.set("audit", JsonValue::of(report.audit.verdict()));
  if (!report.correlations.empty()) out.set("feature_correlations", correlations_json(report.correlations));
  JsonValue versions = JsonValue::object();
  for (const auto& [name, version] : report.versions) versions.set(name, JsonValue::of(version));
  out.set("versions", std::move(versions));
  JsonValue device = JsonValue::object();
  device.set("kind", JsonValue::of(report.device));
  device.set("names", JsonValue::of(report.devices));
  out.set("device", std::move(device));
  JsonValue seconds = JsonValue::object();
  for (const auto& [stage, value] : report.seconds) seconds.set(stage, JsonValue::of(value));
  out.set("seconds", std::move(seconds));
  JsonValue memory = JsonValue::object();
  for (const auto& [stage, bytes] : report.peak_bytes) memory.set(stage, JsonValue::of(bytes));
  out.set("peak_bytes", std::move(memory));
  return write_json(out);
}

std::string results_csv(const RunReport& report) {
  std::string out = "model,fold,seed,test_actors,recordings,uar,wa,macro_f1" + header_end(report);
  for (const ModelReport& model : report.models) {
    for (const evaluate::FoldScores& fold : model.folds) {
      out += cat(csv_field(model.name), ",", fold.fold + 1, ",", fold.seed, ",",
                 csv_field(join(fold.test_actors, " ")), ",", fold.scores.count, ",",
                 json_number(fold.scores.uar), ",", json_number(fold.scores.wa), ",",
                 json_number(fold.scores.macro_f1), line_end(report));
    }
  }
  return out;
}

namespace {

std::string rows_csv(const RunReport& report, std::vector<Prediction> ModelReport::*rows, bool inner) {
  std::string out = "recording,corpus,actor,label,predicted,model,fold,seed";
  if (inner) out += ",inner";
  for (const std::string& name : report.classes) out += "," + csv_field("p_" + name);
  out += header_end(report);
  for (const ModelReport& model : report.models) {
    for (const Prediction& p : model.*rows) {
      out += cat(csv_field(p.recording), ",", csv_field(p.corpus), ",", csv_field(p.actor), ",",
                 csv_field(report.classes[static_cast<std::size_t>(p.label)]), ",",
                 csv_field(report.classes[static_cast<std::size_t>(p.predicted)]), ",", csv_field(model.name),
                 ",", p.fold + 1, ",", p.seed);
      if (inner) out += cat(",", p.inner);
      for (const float probability : p.probabilities)
        out += "," + json_number(static_cast<double>(probability));
      out += line_end(report);
    }
  }
  return out;
}

}  // namespace

std::string predictions_csv(const RunReport& report) {
  return rows_csv(report, &ModelReport::predictions, false);
}

std::string validation_predictions_csv(const RunReport& report) {
  return rows_csv(report, &ModelReport::validation, true);
}

}  // namespace serval::report
