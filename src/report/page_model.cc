// One model's part of report.html.
#include <algorithm>
#include <cmath>
#include <cstdio>

#include "src/report/page_parts.h"

namespace serval::report {

namespace {

constexpr std::size_t kFewBars = 30;

std::string folds_table(const ModelReport& model) {
  std::string out = "<h3>Folds</h3><div class=\"scroll\"><table>\n" +
                    row("th", "fold", "seed", "UAR", "WA", "macro-F1", "recordings", "test actors");
  for (const evaluate::FoldScores& fold : model.folds) {
    out += row("td", fold.fold + 1, fold.seed, percent(fold.scores.uar), percent(fold.scores.wa),
               percent(fold.scores.macro_f1), fold.scores.count, escaped(join(fold.test_actors, " ")));
  }
  const evaluate::Summary& s = model.summary;
  const auto total = [&](const char* name, double uar, double wa, double f1, std::int64_t count) {
    out += row("th", name, "", percent(uar), percent(wa), percent(f1), count > 0 ? cat(count) : "", "");
  };
  total("mean", s.uar.mean, s.wa.mean, s.macro_f1.mean, 0);
  total("deviation over folds", s.uar.std_folds, s.wa.std_folds, s.macro_f1.std_folds, 0);
  total("deviation over seeds", s.uar.std_seeds, s.wa.std_seeds, s.macro_f1.std_seeds, 0);
  total("pooled", s.pooled.uar, s.pooled.wa, s.pooled.macro_f1, s.pooled.count);
  return out + "</table></div>\n";
}

std::string confusion_table(const evaluate::Scores& pooled, const std::vector<std::string>& classes) {
  std::string out =
      "<h3>Confusion, all folds and seeds</h3><p class=\"muted\">Counts, true classes downwards; the shade "
      "is the share of "
      "the true class.</p><div class=\"scroll\"><table class=\"confusion\">\n<thead><tr><th>true</th>";
  for (const std::string& name : classes) out += "<th><span>" + escaped(name) + "</span></th>";
  out += "<th><span>recall</span></th><th><span>precision</span></th></tr></thead>\n";
  for (std::size_t c = 0; c < classes.size(); ++c) {
    std::int64_t total = 0;
    for (const std::int64_t count : pooled.confusion[c]) total += count;
    out += "<tr><td>" + escaped(classes[c]) + "</td>";
    for (const std::int64_t count : pooled.confusion[c]) {
      const double share = total > 0 ? static_cast<double>(count) / static_cast<double>(total) : 0;
      out += cat("<td class=\"shaded\" style=\"--share:", number_text(0.65 * share, 2), "\" title=\"",
                 percent(share), " %\">", count, "</td>");
    }
    out += cat("<td>", percent(pooled.recall[c]), "</td><td>", percent(pooled.precision[c]), "</td></tr>\n");
  }
  return out + "</table></div>\n";
}

std::string groups_panel(const char* kind, const std::vector<evaluate::GroupScores>& groups,
                         double chance_uar, PageCharts& charts) {
  // Of many, the lowest come first and the rest is for scrolling; the table keeps the natural order.
  const bool many = groups.size() > kFewBars;
  std::vector<const evaluate::GroupScores*> order;
  std::string table = "<details><summary>Figures</summary><div class=\"scroll\"><table>\n" +
                      row("th", kind, "UAR", "WA", "macro-F1", "recordings");
  for (const evaluate::GroupScores& group : groups) {
    order.push_back(&group);
    table += row("td", escaped(group.name), percent(group.scores.uar), percent(group.scores.wa),
                 percent(group.scores.macro_f1), group.scores.count);
  }
  if (many) {
    std::stable_sort(order.begin(), order.end(),
                     [](const auto* a, const auto* b) { return a->scores.uar < b->scores.uar; });
  }
  JsonValue names = JsonValue::list(), values = JsonValue::list();
  for (const evaluate::GroupScores* group : order) {
    names.items.push_back(JsonValue::of(group->name));
    values.items.push_back(JsonValue::of(group->scores.uar));
  }
  JsonValue chart = JsonValue::object();
  chart.set("kind", JsonValue::of("bars")).set("names", std::move(names)).set("values", std::move(values));
  chart.set("chance", JsonValue::of(chance_uar));
  const int height_px = 60 + (many ? 18 : 22) * static_cast<int>(groups.size());
  const std::string drawn = charts.add(std::move(chart), height_px);
  return panel(cat("<h3>UAR by ", kind, "</h3><p class=\"muted\">The dashed line is chance.",
                   many ? " Lowest first." : "", "</p>\n",
                   many ? "<div class=\"tall\">" + drawn + "</div>\n" : drawn, table,
                   "</table></div></details>\n"));
}

std::string curves_chart(const ModelReport& model, const char* title, const char* unit,
                         std::vector<double> LearningCurve::*values, PageCharts& charts) {
  JsonValue lines = JsonValue::list();
  std::vector<std::uint64_t> seeds;
  for (const LearningCurve& curve : model.curves) {
    if (std::find(seeds.begin(), seeds.end(), curve.seed) == seeds.end()) seeds.push_back(curve.seed);
  }
  for (const LearningCurve& curve : model.curves) {
    JsonValue numbers = JsonValue::list();
    bool any = false;
    for (const double value : curve.*values) {
      numbers.items.push_back(JsonValue::of(value));
      any = any || std::isfinite(value);
    }
    if (!any) continue;
    const auto seed = std::find(seeds.begin(), seeds.end(), curve.seed) - seeds.begin();
    lines.items.push_back(JsonValue::object()
                              .set("fold", JsonValue::of(curve.fold))
                              .set("seed", JsonValue::of(static_cast<std::int64_t>(curve.seed)))
                              .set("dash", JsonValue::of(static_cast<std::int64_t>(seed)))
                              .set("chosen", JsonValue::of(curve.selected_epoch))
                              .set("values", std::move(numbers)));
  }
  if (lines.items.empty()) return "";
  JsonValue chart = JsonValue::object();
  chart.set("kind", JsonValue::of("curves")).set("unit", JsonValue::of(unit)).set("lines", std::move(lines));
  return panel(cat("<h3>", title, "</h3>\n", charts.add(std::move(chart), 240)));
}

std::string curves_section(const ModelReport& model, PageCharts& charts) {
  if (model.curves.empty()) return "";
  std::string table =
      "<details><summary>Figures at the chosen epochs</summary><p class=\"muted\">Each training's "
      "history.csv has every "
      "epoch.</p><div class=\"scroll\"><table>\n" +
      row("th", "fold", "seed", "epochs", "chosen", "train loss", "validation loss", "validation UAR");
  for (const LearningCurve& curve : model.curves) {
    const std::size_t at = static_cast<std::size_t>(std::max(curve.selected_epoch, 1)) - 1;
    if (at >= curve.train_loss.size()) continue;
    table += row("td", curve.fold + 1, curve.seed, curve.train_loss.size(), curve.selected_epoch,
                 number_text(curve.train_loss[at], 3), number_text(curve.validation_loss[at], 3),
                 percent(curve.validation_uar[at]));
  }
  return "<h2>Learning</h2>\n<p class=\"muted\">A colour a fold, a dash a seed; the dot is the epoch that "
         "was "
         "chosen.</p>\n"
         "<div class=\"pair\">" +
         curves_chart(model, "Training loss", "loss", &LearningCurve::train_loss, charts) +
         curves_chart(model, "Validation loss", "loss", &LearningCurve::validation_loss, charts) +
         curves_chart(model, "Validation UAR", "UAR", &LearningCurve::validation_uar, charts) + "</div>\n" +
         panel(table + "</table></div></details>\n");
}

std::string reliability_panel(const evaluate::ProbabilityScores& scores, PageCharts& charts) {
  JsonValue points = JsonValue::list();
  std::string table = "<details><summary>Figures</summary><div class=\"scroll\"><table>\n" +
                      row("th", "confidence", "right", "recordings");
  for (const evaluate::ReliabilityBin& bin : scores.bins) {
    if (bin.count == 0) continue;
    points.items.push_back(
        JsonValue::object().set("x", JsonValue::of(bin.confidence)).set("y", JsonValue::of(bin.accuracy)));
    table += row("td", percent(bin.confidence), percent(bin.accuracy), bin.count);
  }
  JsonValue chart = JsonValue::object();
  chart.set("kind", JsonValue::of("reliability")).set("points", std::move(points));
  return panel(cat("<h3>Calibration</h3><p class=\"muted\">Expected calibration error ",
                   percent(scores.calibration_error), " %, log loss ", number_text(scores.log_loss, 3),
                   ", true class among the first two ", percent(scores.top2), " %</p>\n",
                   charts.add(std::move(chart), 300), table, "</table></div></details>\n"));
}

std::string head_section(const HeadReport& head) {
  std::string out = cat("<h2>Output ", escaped(head.name), ", target ", escaped(head.target),
                        "</h2>\n<div class=\"panel scroll\"><table>\n");
  if (!head.numbers) {
    out += row("th", "fold", "seed", "UAR", "WA", "macro-F1", "recordings");
    for (const evaluate::FoldScores& fold : head.folds) {
      out += row("td", fold.fold + 1, fold.seed, percent(fold.scores.uar), percent(fold.scores.wa),
                 percent(fold.scores.macro_f1), fold.scores.count);
    }
    const evaluate::Summary& s = head.summary;
    return out +
           row("th", "mean", "", percent(s.uar.mean), percent(s.wa.mean), percent(s.macro_f1.mean), "") +
           "</table></div>\n";
  }
  out += row("th", "number", "fold", "seed", "CCC", "MSE", "RMSE", "recordings");
  for (std::size_t k = 0; k < head.names.size(); ++k) {
    for (const evaluate::FoldNumberScores& fold : head.number_folds[k]) {
      out += row("td", escaped(head.names[k]), fold.fold + 1, fold.seed, number_text(fold.scores.ccc, 3),
                 number_text(fold.scores.mse, 4), number_text(fold.scores.rmse, 4), fold.scores.count);
    }
    const evaluate::NumberSummary& s = head.number_summaries[k];
    out += row("th", escaped(head.names[k]), "mean", "", number_text(s.ccc.mean, 3),
               number_text(s.mse.mean, 4), number_text(s.rmse.mean, 4), "");
    const evaluate::NumberScores& pooled = head.number_pooled[k];
    out += row("th", escaped(head.names[k]), "pooled", "", number_text(pooled.ccc, 3),
               number_text(pooled.mse, 4), number_text(pooled.rmse, 4), pooled.count);
  }
  return out + "</table></div>\n";
}

}  // namespace

std::string model_section(const ModelReport& model, const RunReport& report, PageCharts& charts) {
  std::string out = cat("<h2>Model ", escaped(model.name), "</h2>\n<p class=\"muted\">", model.parameters,
                        " parameters</p>\n");
  if (model.has_classes()) {
    out += "<div class=\"pair\">" + panel(confusion_table(model.summary.pooled, report.classes)) +
           groups_panel("actor", model.groups.actor, report.chance.uar, charts) + "</div>\n" +
           panel(folds_table(model));
  }
  out += curves_section(model, charts);
  if (model.has_classes()) {
    out += "<h2>Groups, calibration, mistakes</h2>\n<div class=\"pair\">";
    for (const NamedGroups& kind : group_kinds()) {
      const std::vector<evaluate::GroupScores>& groups = model.groups.*kind.groups;
      if (kind.groups != &Groups::actor && groups.size() > 1)
        out += groups_panel(kind.name, groups, report.chance.uar, charts);
    }
    out += reliability_panel(model.probabilities, charts) + "</div>\n" + mistakes_panel(model, report);
  }
  for (const HeadReport& head : model.heads) out += head_section(head);
  return out;
}

}  // namespace serval::report
