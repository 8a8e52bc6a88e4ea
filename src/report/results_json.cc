#include "results_json.h"

#include <cmath>

namespace serval::report {

std::vector<double> FusionReport::mean_weights() const {
  if (folds.empty()) return {};
  std::vector<double> out(models.size(), 0.0);
  for (const Fold& fold : folds) {
    for (std::size_t m = 0; m < out.size(); ++m)
      out[m] += fold.weights[m] / static_cast<double>(folds.size());
  }
  return out;
}

JsonValue scores_json(const evaluate::Scores& scores) {
  JsonValue out = JsonValue::object();
  out.set("uar", JsonValue::of(scores.uar));
  out.set("wa", JsonValue::of(scores.wa));
  out.set("macro_f1", JsonValue::of(scores.macro_f1));
  return out;
}

JsonValue spread_json(const evaluate::Spread& spread) {
  JsonValue out = JsonValue::object();
  out.set("mean", JsonValue::of(spread.mean));
  out.set("std_folds", JsonValue::of(spread.std_folds));
  out.set("std_seeds", JsonValue::of(spread.std_seeds));
  return out;
}

JsonValue summary_json(const evaluate::Summary& summary) {
  JsonValue out = JsonValue::object();
  out.set("uar", spread_json(summary.uar));
  out.set("wa", spread_json(summary.wa));
  out.set("macro_f1", spread_json(summary.macro_f1));
  return out;
}

JsonValue interval_json(const evaluate::ConfidenceInterval& interval) {
  if (std::isnan(interval.low)) return {};
  JsonValue ends = JsonValue::list();
  ends.items = {JsonValue::of(interval.low), JsonValue::of(interval.high)};
  return ends;
}

JsonValue summary_json(const evaluate::Summary& summary, const evaluate::Intervals& intervals) {
  JsonValue out = summary_json(summary);
  const auto add = [&](const char* key, const evaluate::ConfidenceInterval& interval) {
    for (auto& [name, score] : out.members) {
      if (name == key) score.set("ci95", interval_json(interval));
    }
  };
  add("uar", intervals.uar);
  add("wa", intervals.wa);
  add("macro_f1", intervals.macro_f1);
  return out;
}

JsonValue fusion_json(const FusionReport& fusion, const ModelReport& fused) {
  const auto weights_json = [&](const std::vector<double>& weights) {
    JsonValue out = JsonValue::object();
    for (std::size_t m = 0; m < weights.size(); ++m) out.set(fusion.models[m], JsonValue::of(weights[m]));
    return out;
  };
  JsonValue out = JsonValue::object();
  out.set("rule", JsonValue::of(fusion.rule));
  out.set("models", JsonValue::of(fusion.models));
  out.set("seeds", JsonValue::of(fusion.seeds));
  out.set("summary", summary_json(fused.summary, fused.intervals));
  if (fusion.folds.empty()) return out;
  out.set("weights", weights_json(fusion.mean_weights()));
  JsonValue folds = JsonValue::list();
  for (const FusionReport::Fold& fold : fusion.folds) {
    JsonValue& item = folds.items.emplace_back(JsonValue::object());
    item.set("fold", JsonValue::of(fold.fold + 1));
    item.set("seed", JsonValue::of(static_cast<std::int64_t>(fold.seed)));
    item.set("weights", weights_json(fold.weights));
  }
  out.set("folds", std::move(folds));
  return out;
}

JsonValue folds_json(const std::vector<evaluate::FoldScores>& folds) {
  JsonValue out = JsonValue::list();
  for (const evaluate::FoldScores& fold : folds) {
    JsonValue item = fold_json(fold);
    for (auto& [key, value] : scores_json(fold.scores).members) item.set(key, std::move(value));
    out.items.push_back(std::move(item));
  }
  return out;
}

}  // namespace serval::report
