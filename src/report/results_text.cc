#include <algorithm>
#include <cmath>
#include <cstdio>

#include "serval/core/error.h"
#include "serval/report/run_report.h"

#include "results_heads.h"

namespace serval::report {

namespace {

std::string percent(double fraction) {
  char text[32];
  if (std::isnan(fraction)) return "    -";
  std::snprintf(text, sizeof text, "%5.1f", 100 * fraction);
  return text;
}

std::string right(const std::string& text, std::size_t width) {
  return text.size() >= width ? text : std::string(width - text.size(), ' ') + text;
}

std::string fold_rows(const ModelReport& model) {
  std::string out = "  fold  seed    UAR     WA  macro-F1     n  test actors\n";
  for (const evaluate::FoldScores& fold : model.folds) {
    out += cat("  ", right(cat(fold.fold + 1), 4), right(cat(fold.seed), 6), "  ", percent(fold.scores.uar),
               "  ", percent(fold.scores.wa), "     ", percent(fold.scores.macro_f1),
               right(cat(fold.scores.count), 6), "  ", join(fold.test_actors, " "), "\n");
  }
  return out;
}

std::string total_rows(const ModelReport& model) {
  const evaluate::Summary& summary = model.summary;
  const evaluate::Intervals& ci = model.intervals;
  const auto row = [](const char* name, double uar, double wa, double f1) {
    return cat("  ", padded(name, 10), "  ", percent(uar), "  ", percent(wa), "     ", percent(f1), "\n");
  };
  return row("mean", summary.uar.mean, summary.wa.mean, summary.macro_f1.mean) +
         row("95 % from", ci.uar.low, ci.wa.low, ci.macro_f1.low) +
         row("95 % to", ci.uar.high, ci.wa.high, ci.macro_f1.high) +
         row("std folds", summary.uar.std_folds, summary.wa.std_folds, summary.macro_f1.std_folds) +
         row("std seeds", summary.uar.std_seeds, summary.wa.std_seeds, summary.macro_f1.std_seeds) +
         row("pooled", summary.pooled.uar, summary.pooled.wa, summary.pooled.macro_f1);
}

std::string confusion_rows(const evaluate::Scores& pooled, const std::vector<std::string>& classes) {
  std::size_t width = 6;
  for (const std::string& name : classes) width = std::max(width, name.size());
  width = std::max(width + 2, std::string("true \\ predicted").size() + 1);
  std::string out = cat("  ", padded("true \\ predicted", width), "recall");
  for (const std::string& name : classes) out += right(name.substr(0, 8), 9);
  out += "\n";
  for (std::size_t c = 0; c < classes.size(); ++c) {
    out += cat("  ", padded(classes[c], width), " ", percent(pooled.recall[c]));
    for (const std::int64_t count : pooled.confusion[c]) out += right(cat(count), 9);
    out += "\n";
  }
  return out;
}

std::string probability_row(const ModelReport& model) {
  char text[160];
  std::snprintf(text, sizeof text,
                "  weighted F1 %s, top two %s, log loss %.3f, expected calibration error %s\n",
                percent(model.summary.pooled.weighted_f1).c_str(), percent(model.probabilities.top2).c_str(),
                model.probabilities.log_loss, percent(model.probabilities.calibration_error).c_str());
  return text;
}

std::string group_rows(const Groups& groups) {
  std::string out;
  const evaluate::GroupScores* worst = evaluate::worst_group(groups.actor);
  const evaluate::GroupScores* best = evaluate::best_group(groups.actor);
  if (worst != nullptr) {
    out += cat("  worst actor ", worst->name, ": UAR ", percent(worst->scores.uar), ", best actor ",
               best->name, ": UAR ", percent(best->scores.uar), "\n");
  }
  const evaluate::GenderGap gap = evaluate::gender_gap(groups.gender);
  if (!std::isnan(gap.absolute))
    out += cat("  UAR of women minus that of men: ", percent(gap.female_minus_male), "\n");
  return out;
}

std::string fusion_text(const FusionReport& fusion) {
  std::string out = cat("  fused by ", fusion.rule, ": ", join(fusion.models, ", "),
                        fusion.seeds == "together" ? ", each a mean over seeds first" : "", "\n");
  const std::vector<double> weights = fusion.mean_weights();
  for (std::size_t m = 0; m < weights.size(); ++m)
    out += cat(m == 0 ? "  mean weights: " : ", ", fusion.models[m], " ", formatted("%.2f", weights[m]));
  return out + (weights.empty() ? "\n" : "\n\n");
}

}  // namespace

std::string results_text(const RunReport& report) {
  std::string out;
  for (const ModelReport& model : report.models) {
    out += cat(report.name, ", model ", model.name, ": ", model.parameters, " parameters",
               model.has_classes() ? cat(", ", report.classes.size(), " classes; figures in %\n") : "\n");
    if (model.has_classes()) {
      out += fold_rows(model) + total_rows(model) + "\n" +
             confusion_rows(model.summary.pooled, report.classes) + "\n" + probability_row(model) +
             group_rows(model.groups) + "\n";
    }
    out += heads_text(model);
    if (report.fusion && &model == &report.models.front()) out += fusion_text(*report.fusion);
  }
  out += cat("  chance: UAR ", percent(report.chance.uar), ", always the largest class: WA ",
             percent(report.chance.majority_wa), "\n");
  if (report.configurations > 1)
    out += cat("  configurations tried: ", report.configurations,
               "; the best of them looks better than it is, unless validation chose it\n");
  out += cat("  leak audit: ", report.audit.passed() ? report.audit.verdict() : "FAILED", "\n");
  for (const std::string& stamp : report.stamps) out += cat("  note: ", stamp, "\n");
  return out;
}

}  // namespace serval::report
