// Pieces of results.json that several parts of it have.
#pragma once

#include "serval/core/json.h"
#include "serval/report/run_report.h"

namespace serval::report {

JsonValue scores_json(const evaluate::Scores& scores);
JsonValue spread_json(const evaluate::Spread& spread);
JsonValue summary_json(const evaluate::Summary& summary);
JsonValue interval_json(const evaluate::ConfidenceInterval& interval);  // [low, high] or null
JsonValue summary_json(const evaluate::Summary& summary, const evaluate::Intervals& intervals);

// Which fold it is; its scores come behind.
template <class Fold>
JsonValue fold_json(const Fold& fold) {
  JsonValue out = JsonValue::object();
  out.set("fold", JsonValue::of(fold.fold + 1));
  out.set("seed", JsonValue::of(static_cast<std::int64_t>(fold.seed)));
  out.set("test_actors", JsonValue::of(fold.test_actors));
  return out;
}

JsonValue pooled_json(const ModelReport& model, const std::vector<std::string>& classes);
JsonValue groups_json(const Groups& groups);
JsonValue fairness_json(const Groups& groups);
// results.json `fusion`: how, with which weights, and the summary of the model that holds its scores.
JsonValue fusion_json(const FusionReport& fusion, const ModelReport& fused);
JsonValue folds_json(const std::vector<evaluate::FoldScores>& folds);

}  // namespace serval::report
