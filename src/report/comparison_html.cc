// The page of a comparison, in the form of report.html.
#include <algorithm>
#include <cmath>

#include "serval/core/error.h"

#include "comparison_tables.h"
#include "page_parts.h"

namespace serval::report {

namespace {

std::string cells(const char* tag, const std::vector<std::string>& texts) {
  std::string out = "<tr>";
  for (const std::string& text : texts)
    out += cat("<", tag, ">", with_plus_minus(escaped(text)), "</", tag, ">");
  return out + "</tr>\n";
}

std::string table_html(const PlainTable& table) {
  std::string out = "<div class=\"scroll\"><table>\n" + cells("th", table.columns);
  for (const auto& row : table.rows) out += cells("td", row);
  return out + "</table></div>\n<p class=\"muted\">" + escaped(table.caption) + "</p>\n";
}

class IntervalChart {
 public:
  void add(const std::string& name, double value, const evaluate::ConfidenceInterval& interval) {
    names_.items.push_back(JsonValue::of(name));
    values_.items.push_back(JsonValue::of(value));
    low_.items.push_back(JsonValue::of(interval.low));
    high_.items.push_back(JsonValue::of(interval.high));
  }
  std::string draw(const char* unit, double reference, bool zero, PageCharts& charts) {
    const int height_px = 70 + 34 * static_cast<int>(names_.items.size());
    JsonValue chart = JsonValue::object();
    chart.set("kind", JsonValue::of("intervals")).set("unit", JsonValue::of(unit));
    chart.set("reference", JsonValue::of(reference)).set("zero", JsonValue::of(zero));
    chart.set("names", std::move(names_)).set("values", std::move(values_));
    chart.set("low", std::move(low_)).set("high", std::move(high_));
    return charts.add(std::move(chart), height_px);
  }

 private:
  JsonValue names_ = JsonValue::list(), values_ = JsonValue::list();
  JsonValue low_ = JsonValue::list(), high_ = JsonValue::list();
};

std::string runs_chart(const Comparison& comparison, const std::vector<std::string>& names,
                       PageCharts& charts) {
  IntervalChart chart;
  for (std::size_t i = 0; i < comparison.runs.size(); ++i)
    chart.add(names[i], comparison.runs[i].summary.uar.mean, comparison.runs[i].intervals.uar);
  return panel("<h3>UAR with 95 % intervals</h3><p class=\"muted\">The dashed line is chance.</p>\n" +
               chart.draw("UAR (%)", comparison.runs.front().chance.uar, false, charts));
}

std::string differences_chart(const Comparison& comparison, const std::vector<std::string>& names,
                              PageCharts& charts) {
  IntervalChart chart;
  for (const PairedDifference& pair : comparison.pairs)
    chart.add(pair_name(comparison, names, pair), pair.uar, pair.intervals.uar);
  const std::string from = only_baseline(comparison) ? " from " + escaped(names.front()) : "";
  return panel(cat("<h3>Differences of UAR", from,
                   " with 95 % intervals</h3><p class=\"muted\">The dashed line is no difference.</p>\n",
                   chart.draw("percentage points", 0, true, charts)));
}

std::string cards_of(const Comparison& comparison) {
  std::string out = "<div class=\"cards\">\n";
  const auto best = std::max_element(
      comparison.runs.begin(), comparison.runs.end(),
      [](const ComparedRun& a, const ComparedRun& b) { return a.summary.uar.mean < b.summary.uar.mean; });
  const ComparedRun& baseline = comparison.runs.front();
  const auto interval = [](const ComparedRun& run) {
    return std::isnan(run.intervals.uar.low) ? std::string() : "; 95 % " + points_interval(run.intervals.uar);
  };
  out += card("baseline", points(baseline.summary.uar.mean) + " %",
              "UAR of " + escaped(baseline.name) + interval(baseline));
  out += card("highest UAR", points(best->summary.uar.mean) + " %",
              "of " + escaped(best->name) + interval(*best));
  if (comparison.pairs.size() == 1) {
    const PairedDifference& pair = comparison.pairs.front();
    out += card("difference of UAR", points(pair.uar) + " points",
                "95 % " + points_interval(pair.intervals.uar));
    out += card("p", escaped(p_text(pair.permutation.p)), "permutation over actors, two-sided");
  } else if (!comparison.pairs.empty()) {
    const auto sure =
        std::count_if(comparison.pairs.begin(), comparison.pairs.end(),
                      [](const PairedDifference& pair) { return pair.permutation.holm < 0.05; });
    out += card("differences", cat(sure, " of ", comparison.pairs.size()),
                "have p &lt; 0.05 after Holm's correction");
  }
  out += card("configurations tried", cat(comparison.configurations), "in these runs together");
  return out + "</div>\n";
}

// Of `rows` by run: a first column of names, then a column a run.
std::string by_run(const char* title, const char* what, const std::vector<std::string>& names,
                   const std::vector<std::string>& rows,
                   const std::vector<std::vector<double>>& values) {  // [run][row]
  std::vector<std::string> header = {what};
  header.insert(header.end(), names.begin(), names.end());
  std::string out = cat("<h3>", title, "</h3><div class=\"scroll\"><table>\n", cells("th", header));
  for (std::size_t r = 0; r < rows.size(); ++r) {
    std::vector<std::string> line = {rows[r]};
    for (const auto& of_run : values) line.push_back(r < of_run.size() ? points(of_run[r]) : "-");
    out += cells("td", line);
  }
  return out + "</table></div>\n";
}

std::string details_section(const Comparison& comparison, const std::vector<std::string>& names) {
  const bool same_classes = std::all_of(
      comparison.runs.begin(), comparison.runs.end(),
      [&](const ComparedRun& run) { return run.summary.pooled.recall.size() == comparison.classes.size(); });
  std::vector<std::vector<double>> recalls, folds, actors;
  std::size_t fold_count = 0;
  std::vector<std::string> actor_names;
  for (const auto& [actor, uar] : comparison.runs.front().actor_uar) actor_names.push_back(actor);
  for (const ComparedRun& run : comparison.runs) {
    recalls.push_back(run.summary.pooled.recall);
    folds.push_back(run.fold_uar);
    fold_count = std::max(fold_count, run.fold_uar.size());
    std::vector<double>& of_run = actors.emplace_back();
    for (const auto& [actor, uar] : run.actor_uar) of_run.push_back(uar);
  }
  std::vector<std::string> fold_names;
  for (std::size_t f = 0; f < fold_count; ++f) fold_names.push_back(cat(f + 1));
  std::string out = "<h2>Where they differ</h2>\n<div class=\"pair\">";
  if (same_classes && comparison.why_unpaired.empty())
    out += panel(
        by_run("Recall by class, all folds and seeds (%)", "class", names, comparison.classes, recalls));
  out += panel(by_run("UAR by fold, seeds averaged (%)", "fold", names, fold_names, folds)) + "</div>\n";
  if (comparison.why_unpaired.empty()) {
    out += "<details class=\"panel\"><summary>UAR by actor</summary>" +
           by_run("UAR by actor, all folds and seeds (%)", "actor", names, actor_names, actors) +
           "</details>\n";
  }
  return out;
}

std::string origins(const Comparison& comparison, const std::vector<std::string>& names) {
  std::string out = "<h2>Runs compared</h2>\n<div class=\"panel scroll\"><table>\n" +
                    cells("th", {"run", "folder", "model"});
  for (std::size_t i = 0; i < comparison.runs.size(); ++i) {
    out += cat("<tr><td>", escaped(names[i]), "</td><td class=\"words\">", escaped(comparison.runs[i].folder),
               "</td><td>", escaped(comparison.runs[i].model), "</td></tr>\n");
  }
  return out + "</table></div>\n";
}

}  // namespace

std::string comparison_html(const Comparison& comparison) {
  const ComparisonTables all = comparison_tables(comparison);
  const std::vector<std::string> names = marked_names(comparison);
  std::string out;
  for (std::size_t i = 0; i < all.stamps.size(); ++i) out += stamp(cat("[", i + 1, "] ", all.stamps[i]));
  const bool unpaired = !comparison.why_unpaired.empty();
  for (const std::string& remark : all.remarks) {
    const bool bad = remark.starts_with("LEAKS") || remark.starts_with("UNPAIRED");
    out += stamp(remark, bad ? "failed" : "");
  }
  out += cards_of(comparison);
  PageCharts charts;
  out += "<div class=\"pair\">" + runs_chart(comparison, names, charts);
  if (!unpaired) out += differences_chart(comparison, names, charts);
  out += "</div>\n";
  for (const PlainTable& table : all.tables)
    out += cat("<h2>", escaped(table.title), "</h2>\n", panel(table_html(table)));
  out += details_section(comparison, names) + origins(comparison, names);
  std::string title = cat(comparison.runs.size(), " runs compared");
  if (comparison.runs.size() == 2) title = cat(comparison.runs[1].name, " against ", comparison.runs[0].name);
  return page(title, out, charts);
}

}  // namespace serval::report
