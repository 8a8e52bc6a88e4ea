// What results.json and groups.csv say of the predictions of all folds and seeds together, whole and in parts.
#include <algorithm>
#include <cmath>

#include "serval/core/error.h"
#include "serval/core/text.h"
#include "serval/report/run_report.h"

#include "csv_stamp.h"
#include "results_json.h"

namespace serval::report {

JsonValue pooled_json(const ModelReport& model, const std::vector<std::string>& classes) {
  const evaluate::Scores& scores = model.summary.pooled;
  JsonValue out = scores_json(scores);
  out.set("weighted_f1", JsonValue::of(scores.weighted_f1));
  out.set("log_loss", JsonValue::of(model.probabilities.log_loss));
  out.set("calibration_error", JsonValue::of(model.probabilities.calibration_error));
  out.set("top2", JsonValue::of(model.probabilities.top2));
  JsonValue per_class = JsonValue::object(), confusion = JsonValue::list(), shares = JsonValue::list();
  const std::vector<std::vector<double>> row_share = evaluate::row_shares(scores.confusion);
  for (std::size_t c = 0; c < classes.size(); ++c) {
    JsonValue item = JsonValue::object();
    item.set("recall", JsonValue::of(scores.recall[c]));
    item.set("precision", JsonValue::of(scores.precision[c]));
    item.set("f1", JsonValue::of(scores.f1[c]));
    per_class.set(classes[c], std::move(item));
    JsonValue counts = JsonValue::list(), row = JsonValue::list();
    for (const std::int64_t count : scores.confusion[c]) counts.items.push_back(JsonValue::of(count));
    for (const double share : row_share[c]) row.items.push_back(JsonValue::of(share));
    confusion.items.push_back(std::move(counts));
    shares.items.push_back(std::move(row));
  }
  out.set("classes", std::move(per_class));
  out.set("confusion", std::move(confusion));  // [true][predicted]
  out.set("confusion_shares", std::move(shares));
  JsonValue bins = JsonValue::list();
  for (const evaluate::ReliabilityBin& bin : model.probabilities.bins) {
    JsonValue item = JsonValue::object();
    item.set("predictions", JsonValue::of(bin.count));
    item.set("confidence", JsonValue::of(bin.confidence));
    item.set("accuracy", JsonValue::of(bin.accuracy));
    bins.items.push_back(std::move(item));
  }
  out.set("reliability", std::move(bins));
  return out;
}

JsonValue groups_json(const Groups& groups) {
  JsonValue out = JsonValue::object();
  for (const NamedGroups& kind : group_kinds()) {
    JsonValue list = JsonValue::object();
    for (const evaluate::GroupScores& group : groups.*kind.groups) {
      JsonValue item = JsonValue::object();
      item.set("predictions", JsonValue::of(group.scores.count));
      for (auto& [key, value] : scores_json(group.scores).members) item.set(key, std::move(value));
      list.set(group.name, std::move(item));
    }
    out.set(kind.name, std::move(list));
  }
  return out;
}

JsonValue fairness_json(const Groups& groups) {
  JsonValue out = JsonValue::object();
  const auto set_actor = [&](const char* key, const evaluate::GroupScores* group) {
    if (group == nullptr) return;
    JsonValue item = JsonValue::object();
    item.set("name", JsonValue::of(group->name));
    item.set("uar", JsonValue::of(group->scores.uar));
    out.set(key, std::move(item));
  };
  set_actor("worst_actor", evaluate::worst_group(groups.actor));
  set_actor("best_actor", evaluate::best_group(groups.actor));
  const evaluate::GenderGap gap = evaluate::gender_gap(groups.gender);
  JsonValue genders = JsonValue::object();
  genders.set("female_minus_male", JsonValue::of(gap.female_minus_male));
  genders.set("absolute", JsonValue::of(gap.absolute));
  out.set("gender_gap", std::move(genders));
  return out;
}

std::string groups_csv(const RunReport& report) {
  std::string out = "model,group,name,predictions,uar,wa,macro_f1";
  for (const std::string& name : report.classes) out += "," + csv_field("recall_" + name);
  out += header_end(report);
  for (const ModelReport& model : report.models) {
    for (const NamedGroups& kind : group_kinds()) {
      for (const evaluate::GroupScores& group : model.groups.*kind.groups) {
        const evaluate::Scores& s = group.scores;
        out += cat(csv_field(model.name), ",", kind.name, ",", csv_field(group.name), ",", s.count, ",",
                   json_number(s.uar), ",", json_number(s.wa), ",", json_number(s.macro_f1));
        for (const double recall : s.recall) out += std::isnan(recall) ? "," : "," + json_number(recall);
        out += line_end(report);
      }
    }
  }
  return out;
}

}  // namespace serval::report
