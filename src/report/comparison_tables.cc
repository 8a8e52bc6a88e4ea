#include "comparison_tables.h"

#include <algorithm>
#include <cmath>

#include "serval/core/error.h"
#include "serval/core/text.h"

namespace serval::report {

namespace {

std::vector<std::string> distinct_stamps(const Comparison& comparison) {
  std::vector<std::string> out;
  for (const ComparedRun& run : comparison.runs) {
    for (const std::string& stamp : run.stamps) {
      if (std::find(out.begin(), out.end(), stamp) == out.end()) out.push_back(stamp);
    }
  }
  return out;
}

PlainTable runs_table(const Comparison& comparison, const std::vector<std::string>& names) {
  PlainTable out;
  out.title = "Runs";
  out.columns = {"run",    "UAR",    "95 %",       "+- folds",      "+- seeds", "WA",   "macro-F1",
                 "chance", "actors", "recordings", "folds x seeds", "tried",    "audit"};
  for (std::size_t i = 0; i < comparison.runs.size(); ++i) {
    const ComparedRun& run = comparison.runs[i];
    const evaluate::Summary& s = run.summary;
    out.rows.push_back({names[i], points(s.uar.mean), points_interval(run.intervals.uar),
                        points(s.uar.std_folds), points(s.uar.std_seeds), points(s.wa.mean),
                        points(s.macro_f1.mean), points(run.chance.uar), cat(run.actors), cat(run.recordings),
                        cat(run.folds, " x ", run.seeds), cat(run.configurations), run.audit});
  }
  out.caption =
      "Means over folds and seeds in %, with 95 % intervals from a bootstrap over actors; deviations over "
      "folds "
      "and over seeds; tried: configurations of the experiment.";
  return out;
}

PlainTable pairs_table(const Comparison& comparison, const std::vector<std::string>& names) {
  PlainTable out;
  out.title = only_baseline(comparison) ? "Differences from " + names.front() : "Differences";
  out.columns = {only_baseline(comparison) ? "run" : "second - first",
                 "UAR",
                 "95 %",
                 "WA",
                 "95 % of WA",
                 "p",
                 "Holm",
                 "BH",
                 "t-test p",
                 "McNemar p"};
  for (const PairedDifference& pair : comparison.pairs) {
    out.rows.push_back({pair_name(comparison, names, pair), points(pair.uar),
                        points_interval(pair.intervals.uar), points(pair.wa),
                        points_interval(pair.intervals.wa), p_text(pair.permutation.p),
                        p_text(pair.permutation.holm), p_text(pair.permutation.benjamini_hochberg),
                        p_text(pair.t_test_p.p), p_text(pair.mcnemar_p.p)});
  }
  out.caption =
      "Differences of the means in percentage points, with 95 % intervals from a paired bootstrap over "
      "actors. "
      "p: permutation over actors, the one to quote; corrected for all comparisons of this table by Holm and "
      "by "
      "Benjamini-Hochberg (BH). The t-test is over folds, corrected for overlapping training sides; "
      "McNemar's is "
      "over recordings and too sure of itself.";
  return out;
}

}  // namespace

std::string points(double fraction) {
  if (std::isnan(fraction)) return "-";
  const std::string text = formatted("%.1f", 100 * fraction);
  return text == "-0.0" ? "0.0" : text;
}

std::string points_interval(const evaluate::ConfidenceInterval& interval) {
  return std::isnan(interval.low) ? "-" : cat("[", points(interval.low), ", ", points(interval.high), "]");
}

std::string p_text(double p) {
  if (std::isnan(p)) return "-";
  return p < 0.001 ? "<0.001" : formatted("%.3f", p);
}

std::string with_plus_minus(std::string text) {
  if (text.starts_with("+-")) text.replace(0, 2, "\u00b1");
  return text;
}

std::vector<std::string> marked_names(const Comparison& comparison) {
  const std::vector<std::string> stamps = distinct_stamps(comparison);
  std::vector<std::string> out;
  for (const ComparedRun& run : comparison.runs) {
    std::vector<std::string> marks;
    for (const std::string& stamp : run.stamps)
      marks.push_back(cat(1 + (std::find(stamps.begin(), stamps.end(), stamp) - stamps.begin())));
    out.push_back(marks.empty() ? run.name : cat(run.name, " [", join(marks, ","), "]"));
  }
  return out;
}

bool only_baseline(const Comparison& comparison) {
  return std::all_of(comparison.pairs.begin(), comparison.pairs.end(),
                     [](const PairedDifference& pair) { return pair.first == 0; });
}

std::string pair_name(const Comparison& comparison, const std::vector<std::string>& names,
                      const PairedDifference& pair) {
  if (only_baseline(comparison)) return names[pair.second];
  return cat(names[pair.second], " - ", names[pair.first]);
}

ComparisonTables comparison_tables(const Comparison& comparison) {
  ComparisonTables out;
  const std::vector<std::string> names = marked_names(comparison);
  out.tables.push_back(runs_table(comparison, names));
  if (!comparison.pairs.empty()) out.tables.push_back(pairs_table(comparison, names));
  out.stamps = distinct_stamps(comparison);
  for (const std::string& why : comparison.why_unpaired) out.remarks.push_back(why);
  if (!comparison.why_unpaired.empty())
    out.remarks.emplace_back(
        "UNPAIRED: these runs did not test the same, so there are no differences and no tests");
  const bool leaks = std::any_of(comparison.runs.begin(), comparison.runs.end(),
                                 [](const ComparedRun& run) { return !run.leaks.empty(); });
  if (leaks)
    out.remarks.emplace_back("LEAKS: some of these figures come from a protocol that leaks; see its stamp");
  out.remarks.push_back(cat(comparison.configurations, " configurations were tried in these runs together, ",
                            comparison.pairs.size(),
                            " comparisons made; the best of many looks better than it is"));
  return out;
}

}  // namespace serval::report
