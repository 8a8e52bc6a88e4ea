#include <cmath>
#include <cstdio>

#include "serval/core/error.h"
#include "serval/report/run_report.h"

namespace serval::report {

namespace {

std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string percent(double fraction) {
  char text[32];
  if (std::isnan(fraction)) return "&ndash;";
  std::snprintf(text, sizeof text, "%.1f", 100 * fraction);
  return text;
}

template <class... Cells>
std::string row(const char* tag, const Cells&... cells) {
  std::string out = "<tr>";
  ((out += cat("<", tag, ">", cells, "</", tag, ">")), ...);
  return out + "</tr>\n";
}

constexpr const char* kStyle =
    "body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1d2733}"
    "h1{font-size:1.5rem}h2{font-size:1.15rem;margin-top:2rem}"
    "table{border-collapse:collapse;font-variant-numeric:tabular-nums}"
    "th,td{padding:.25rem .7rem;text-align:right;border-bottom:1px solid #dde3ea}"
    "th{font-weight:600}th:first-child,td:first-child{text-align:left}"
    ".figure{font-size:2.2rem;font-weight:600}.muted{color:#5b6b7c}"
    ".stamp{background:#fff3cd;border-left:4px solid #e0a800;padding:.5rem .8rem;margin:.4rem 0}"
    ".failed{background:#f8d7da;border-left-color:#c0392b}";

std::string folds_table(const ModelReport& model) {
  std::string out =
      "<table>\n" + row("th", "fold", "seed", "UAR", "WA", "macro-F1", "recordings", "test actors");
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
  return out + "</table>\n";
}

std::string confusion_table(const evaluate::Scores& pooled, const std::vector<std::string>& classes) {
  std::string out = "<table>\n<tr><th>true \\ predicted</th>";
  for (const std::string& name : classes) out += "<th>" + escaped(name) + "</th>";
  out += "<th>recall</th><th>precision</th></tr>\n";
  for (std::size_t c = 0; c < classes.size(); ++c) {
    std::int64_t total = 0;
    for (const std::int64_t count : pooled.confusion[c]) total += count;
    out += "<tr><td>" + escaped(classes[c]) + "</td>";
    for (const std::int64_t count : pooled.confusion[c]) {
      const double share = total > 0 ? static_cast<double>(count) / static_cast<double>(total) : 0;
      char shade[48];
      std::snprintf(shade, sizeof shade, "background:rgba(31,111,235,%.2f)", 0.6 * share);
      out += cat("<td style=\"", shade, "\">", count, "</td>");
    }
    out += cat("<td>", percent(pooled.recall[c]), "</td><td>", percent(pooled.precision[c]), "</td></tr>\n");
  }
  return out + "</table>\n";
}

std::string number_text(double value, int digits) {
  char text[32];
  if (std::isnan(value)) return "&ndash;";
  std::snprintf(text, sizeof text, "%.*f", digits, value);
  return text;
}

std::string head_section(const HeadReport& head) {
  std::string out =
      cat("<h2>Output ", escaped(head.name), ", target ", escaped(head.target), "</h2>\n<table>\n");
  if (!head.numbers) {
    out += row("th", "fold", "seed", "UAR", "WA", "macro-F1", "recordings");
    for (const evaluate::FoldScores& fold : head.folds) {
      out += row("td", fold.fold + 1, fold.seed, percent(fold.scores.uar), percent(fold.scores.wa),
                 percent(fold.scores.macro_f1), fold.scores.count);
    }
    const evaluate::Summary& s = head.summary;
    return out +
           row("th", "mean", "", percent(s.uar.mean), percent(s.wa.mean), percent(s.macro_f1.mean), "") +
           "</table>\n";
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
  return out + "</table>\n";
}

std::string audit_section(const audit::Audit& audit) {
  std::string out = "<h2>Leak audit</h2>\n<table>\n" + row("th", "check", "verdict", "evidence");
  for (const audit::Check& check : audit.checks) {
    out += row("td", escaped(check.name), check.passed ? "passed" : "FAILED",
               escaped(join(check.evidence, "; ")));
  }
  return out + "</table>\n";
}

}  // namespace

std::string results_html(const RunReport& report) {
  std::string out =
      cat("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>", escaped(report.name),
          "</title><style>", kStyle, "</style></head><body>\n<h1>", escaped(report.name), "</h1>\n");
  for (const std::string& stamp : report.stamps) out += "<p class=\"stamp\">" + escaped(stamp) + "</p>\n";
  if (!report.audit.passed())
    out += "<p class=\"stamp failed\">The leak audit failed: these figures prove nothing.</p>\n";
  const evaluate::Summary& headline = report.models.front().summary;
  if (report.models.front().has_classes())
    out += cat("<p><span class=\"figure\">", percent(headline.uar.mean),
               " % UAR</span> <span class=\"muted\">&plusmn; ", percent(headline.uar.std_folds),
               " over folds, &plusmn; ", percent(headline.uar.std_seeds), " over seeds; WA ",
               percent(headline.wa.mean), " %; chance ", percent(report.chance.uar), " % UAR, ",
               percent(report.chance.majority_wa), " % WA</span></p>\n");
  for (const ModelReport& model : report.models) {
    out += cat("<h2>Model ", escaped(model.name), "</h2>\n<p class=\"muted\">", model.parameters,
               " parameters</p>\n");
    if (model.has_classes()) {
      out += folds_table(model) + "<h2>Confusion, all folds and seeds</h2>\n" +
             confusion_table(model.summary.pooled, report.classes);
    }
    for (const HeadReport& head : model.heads) out += head_section(head);
  }
  out += audit_section(report.audit);
  out += "<h2>Made from</h2>\n<table>\n" + row("th", "corpus", "recordings", "actors", "speech");
  for (const CorpusCount& corpus : report.corpora) {
    out += row("td", escaped(corpus.corpus), corpus.recordings, corpus.actors,
               corpus.synthetic ? "synthetic" : "recorded");
  }
  out += "</table>\n<p class=\"muted\">" + escaped(join(report.devices, "; "));
  for (const auto& [name, version] : report.versions) out += "; " + escaped(name + " " + version);
  for (const auto& [stage, seconds] : report.seconds) {
    char text[32];
    std::snprintf(text, sizeof text, "%.1f s", seconds);
    out += cat("; ", escaped(stage), " ", text);
  }
  return out + "</p>\n</body></html>\n";
}

}  // namespace serval::report
