#include "results_heads.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

#include "serval/core/error.h"
#include "serval/core/text.h"

#include "csv_stamp.h"
#include "results_json.h"

namespace serval::report {

namespace {

using evaluate::NumberScores;
struct Measure {
  const char* name;
  double NumberScores::*value;
};
constexpr std::array<Measure, 3> kNumberMeasures = {
    {{"ccc", &NumberScores::ccc}, {"mse", &NumberScores::mse}, {"rmse", &NumberScores::rmse}}};

struct ClassMeasure {
  const char* name;
  double evaluate::Scores::*value;
};
constexpr std::array<ClassMeasure, 3> kClassMeasures = {{{"uar", &evaluate::Scores::uar},
                                                         {"wa", &evaluate::Scores::wa},
                                                         {"macro_f1", &evaluate::Scores::macro_f1}}};

JsonValue number_summary_json(const evaluate::NumberSummary& summary) {
  JsonValue out = JsonValue::object();
  out.set("ccc", spread_json(summary.ccc));
  out.set("mse", spread_json(summary.mse));
  out.set("rmse", spread_json(summary.rmse));
  return out;
}

JsonValue head_json(const HeadReport& head) {
  JsonValue out = JsonValue::object();
  out.set("target", JsonValue::of(head.target));
  if (!head.numbers) {
    out.set("classes", JsonValue::of(head.names));
    out.set("summary", summary_json(head.summary));
    out.set("folds", folds_json(head.folds));
    return out;
  }
  JsonValue numbers = JsonValue::object();
  for (std::size_t k = 0; k < head.names.size(); ++k) {
    JsonValue number = JsonValue::object();
    number.set("summary", number_summary_json(head.number_summaries[k]));
    JsonValue pooled = JsonValue::object();
    for (const Measure& measure : kNumberMeasures)
      pooled.set(measure.name, JsonValue::of(head.number_pooled[k].*measure.value));
    number.set("pooled", std::move(pooled));
    JsonValue folds = JsonValue::list();
    for (const evaluate::FoldNumberScores& fold : head.number_folds[k]) {
      JsonValue item = fold_json(fold);
      for (const Measure& measure : kNumberMeasures)
        item.set(measure.name, JsonValue::of(fold.scores.*measure.value));
      folds.items.push_back(std::move(item));
    }
    number.set("folds", std::move(folds));
    numbers.set(head.names[k], std::move(number));
  }
  out.set("numbers", std::move(numbers));
  return out;
}

std::string ccc_text(double value) { return std::isnan(value) ? "      -" : formatted("%7.3f", value); }

}  // namespace

JsonValue heads_json(const ModelReport& model) {
  JsonValue out = JsonValue::object();
  for (const HeadReport& head : model.heads) out.set(head.name, head_json(head));
  return out;
}

std::string heads_text(const ModelReport& model) {
  std::string out;
  for (const HeadReport& head : model.heads) {
    out += cat("  output ", head.name, ", target ", head.target, "\n");
    if (!head.numbers) {
      for (const evaluate::FoldScores& fold : head.folds) {
        out += cat("    fold ", fold.fold + 1, " seed ", fold.seed, ": UAR ",
                   formatted("%5.1f", 100 * fold.scores.uar), "  WA ",
                   formatted("%5.1f", 100 * fold.scores.wa), "  of ", fold.scores.count, "\n");
      }
      out += cat("    mean: UAR ", formatted("%5.1f", 100 * head.summary.uar.mean), "  WA ",
                 formatted("%5.1f", 100 * head.summary.wa.mean), "\n\n");
      continue;
    }
    for (std::size_t k = 0; k < head.names.size(); ++k) {
      for (const evaluate::FoldNumberScores& fold : head.number_folds[k]) {
        out += cat("    ", head.names[k], " fold ", fold.fold + 1, " seed ", fold.seed, ": CCC ",
                   ccc_text(fold.scores.ccc), "  MSE ", formatted("%10.4g", fold.scores.mse), "  RMSE ",
                   formatted("%10.4g", fold.scores.rmse), "  of ", fold.scores.count, "\n");
      }
      const evaluate::NumberSummary& s = head.number_summaries[k];
      out += cat("    ", head.names[k], " mean: CCC ", ccc_text(s.ccc.mean), ", std folds ",
                 ccc_text(s.ccc.std_folds), ", std seeds ", ccc_text(s.ccc.std_seeds), "; RMSE ",
                 formatted("%.4g", s.rmse.mean), "\n");
      out += cat("    ", head.names[k], " pooled: CCC ", ccc_text(head.number_pooled[k].ccc), "; RMSE ",
                 formatted("%.4g", head.number_pooled[k].rmse), "\n");
    }
    out += "\n";
  }
  return out;
}

std::string heads_csv(const RunReport& report) {
  std::string out;
  const auto add = [&](const ModelReport& model, const HeadReport& head, const auto& fold,
                       const std::string& name, const char* measure, double value) {
    out += cat(csv_field(model.name), ",", csv_field(head.name), ",", csv_field(head.target), ",",
               fold.fold + 1, ",", fold.seed, ",", csv_field(join(fold.test_actors, " ")), ",",
               fold.scores.count, ",", csv_field(name), ",", measure, ",",
               std::isnan(value) ? "" : json_number(value), line_end(report));
  };
  for (const ModelReport& model : report.models) {
    for (const HeadReport& head : model.heads) {
      for (const evaluate::FoldScores& fold : head.folds) {
        for (const ClassMeasure& measure : kClassMeasures)
          add(model, head, fold, "", measure.name, fold.scores.*measure.value);
      }
      for (std::size_t k = 0; k < head.number_folds.size(); ++k) {
        for (const evaluate::FoldNumberScores& fold : head.number_folds[k]) {
          for (const Measure& measure : kNumberMeasures)
            add(model, head, fold, head.names[k], measure.name, fold.scores.*measure.value);
        }
      }
    }
  }
  if (out.empty()) return out;
  return "model,head,target,fold,seed,test_actors,recordings,name,measure,value" + header_end(report) + out;
}

std::string head_predictions_csv(const RunReport& report) {
  std::string out;
  for (const ModelReport& model : report.models) {
    for (const HeadPrediction& p : model.head_predictions) {
      out +=
          cat(csv_field(p.recording), ",", csv_field(p.corpus), ",", csv_field(p.actor), ",",
              csv_field(model.name), ",", csv_field(p.head), ",", p.fold + 1, ",", p.seed, ",",
              csv_field(p.name), ",", json_number(p.truth), ",", json_number(p.predicted), line_end(report));
    }
  }
  if (out.empty()) return out;
  return "recording,corpus,actor,model,head,fold,seed,name,truth,predicted" + header_end(report) + out;
}

}  // namespace serval::report
