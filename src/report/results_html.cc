// The page of a run: one file that needs no other, and no network.
#include <algorithm>
#include <cmath>

#include "serval/core/error.h"
#include "serval/report/run_report.h"

#include "src/report/page_parts.h"

namespace serval::report {

namespace {

std::string interval_text(const evaluate::ConfidenceInterval& interval) {
  if (std::isnan(interval.low)) return "";
  return cat("95 % interval ", percent(interval.low), " to ", percent(interval.high));
}

// What of it there is: one fold, one seed or few actors spread over nothing.
std::string spread_text(const evaluate::Spread& spread, const evaluate::ConfidenceInterval& interval) {
  std::vector<std::string> out;
  if (!std::isnan(interval.low)) out.push_back(interval_text(interval));
  if (!std::isnan(spread.std_folds))
    out.push_back(cat("&plusmn; ", percent(spread.std_folds), " over folds"));
  if (!std::isnan(spread.std_seeds))
    out.push_back(cat("&plusmn; ", percent(spread.std_seeds), " over seeds"));
  return join(out, "; ");
}

std::string cards(const RunReport& report) {
  const ModelReport& model = report.models.front();
  const evaluate::Summary& s = model.summary;
  std::string out = "<div class=\"cards\">\n";
  out += card(cat("UAR, model ", escaped(model.name)), percent(s.uar.mean) + " %",
              spread_text(s.uar, model.intervals.uar));
  out += card("WA", percent(s.wa.mean) + " %", interval_text(model.intervals.wa));
  out += card("macro-F1", percent(s.macro_f1.mean) + " %", interval_text(model.intervals.macro_f1));
  out += card("chance", percent(report.chance.uar) + " %",
              cat("UAR; the most frequent class always: WA ", percent(report.chance.majority_wa), " %"));
  if (const auto* worst = evaluate::worst_group(model.groups.actor))
    out += card("worst actor", percent(worst->scores.uar) + " %", "UAR of " + escaped(worst->name));
  if (const auto* best = evaluate::best_group(model.groups.actor))
    out += card("best actor", percent(best->scores.uar) + " %", "UAR of " + escaped(best->name));
  return out + "</div>\n";
}

std::string fusion_section(const FusionReport& fusion) {
  std::string out = cat("<h2>How they were fused</h2>\n<p>", escaped(fusion.rule), " of ",
                        escaped(join(fusion.models, ", ")),
                        fusion.seeds == "together" ? ", each a mean over its seeds first" : "", ".</p>\n");
  const std::vector<double> mean = fusion.mean_weights();
  if (mean.empty()) return out;
  const auto weights_row = [&](const char* cell, const std::string& fold, const std::string& seed,
                               const std::vector<double>& weights) {
    std::string line = cat("<tr><", cell, ">", fold, "</", cell, "><", cell, ">", seed, "</", cell, ">");
    for (const double weight : weights) line += cat("<td>", number_text(weight, 2), "</td>");
    return line + "</tr>\n";
  };
  out += "<div class=\"panel scroll\"><table>\n<tr><th>fold</th><th>seed</th>";
  for (const std::string& model : fusion.models) out += cat("<th>", escaped(model), "</th>");
  out += "</tr>\n" + weights_row("th", "mean weight", "", mean);
  for (const FusionReport::Fold& fold : fusion.folds)
    out += weights_row("td", cat(fold.fold + 1), cat(fold.seed), fold.weights);
  return out + "</table></div>\n";
}

std::string audit_stamp(const audit::Audit& audit) {
  if (!audit.passed()) return stamp("The leak audit failed: these figures prove nothing.", "failed");
  return audit.leaks() ? stamp("Leak audit: this protocol leaks, as it says.", "failed")
                       : stamp("Leak audit: passed.", "passed");
}

std::string audit_section(const audit::Audit& audit) {
  std::string out =
      "<h2>Leak audit</h2>\n<div class=\"panel scroll\"><table>\n"
      "<tr><th>check</th><th class=\"words\">verdict</th><th class=\"words\">evidence</th></tr>\n";
  for (const audit::Check& check : audit.checks) {
    out += cat("<tr><td>", escaped(check.name), "</td><td class=\"words\"><span class=\"",
               check.passed ? "ok" : "no", "\">", check.passed || check.allowed ? check.verdict() : "FAILED",
               "</span></td><td class=\"words\">", escaped(join(check.evidence, "; ")), "</td></tr>\n");
  }
  return out + "</table></div>\n";
}

std::string origin_section(const RunReport& report) {
  std::string out = "<h2>Made from</h2>\n<div class=\"pair\"><div class=\"panel scroll\"><table>\n" +
                    row("th", "corpus", "recordings", "actors", "speech");
  for (const CorpusCount& corpus : report.corpora) {
    out += row("td", escaped(corpus.corpus), corpus.recordings, corpus.actors,
               corpus.synthetic ? "synthetic" : "recorded");
  }
  out += "</table></div><div class=\"panel scroll\"><table>\n" +
         row("th", "stage", "seconds", "most memory so far (MiB)");
  for (const auto& [name, seconds] : report.seconds) {
    const std::string& stage = name;  // older compilers capture no part of a structured binding
    const auto at = std::find_if(report.peak_bytes.begin(), report.peak_bytes.end(),
                                 [&](const auto& peak) { return peak.first == stage; });
    const bool known = at != report.peak_bytes.end() && at->second > 0;
    out += row("td", escaped(stage), number_text(seconds, 1), known ? cat(at->second >> 20) : "&ndash;");
  }
  out += "</table></div></div>\n";
  if (!report.experiment.empty()) {
    out += "<details class=\"panel\"><summary>The experiment, with every default</summary><pre>" +
           escaped(report.experiment) + "</pre></details>\n";
  }
  out += "<p class=\"muted\">" + escaped(join(report.devices, "; "));
  bool first = report.devices.empty();
  for (const auto& [name, version] : report.versions) {
    out += (first ? "" : "; ") + escaped(name + " " + version);
    first = false;
  }
  return out + "</p>\n";
}

}  // namespace

std::string results_html(const RunReport& report) {
  std::string out;
  for (const std::string& text : report.stamps) out += stamp(text);
  if (report.configurations > 1) {
    out += stamp(
        cat(report.configurations,
            " configurations were tried: the best of them looks better than it is, unless validation chose "
            "it."));
  }
  out += audit_stamp(report.audit);
  if (report.models.front().has_classes()) out += cards(report);
  PageCharts charts;
  for (const ModelReport& model : report.models) out += model_section(model, report, charts);
  if (report.fusion) out += fusion_section(*report.fusion);
  out += correlations_section(report, charts) + audit_section(report.audit) + origin_section(report);
  return page(report.name, out, charts);
}

}  // namespace serval::report
