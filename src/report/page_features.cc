// How the columns of feature sets go together.
#include <algorithm>
#include <cmath>

#include "page_parts.h"

namespace serval::report {

namespace {

constexpr std::size_t kPairs = 12;

struct Pair {
  std::size_t first, second;
  float r;
};

std::string pairs_table(const FeatureCorrelation& c) {
  const std::size_t n = c.names.size();
  std::vector<Pair> pairs;
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t k = i + 1; k < n; ++k) {
      if (!std::isnan(c.values[i * n + k])) pairs.push_back({i, k, c.values[i * n + k]});
    }
  }
  std::stable_sort(pairs.begin(), pairs.end(),
                   [](const Pair& a, const Pair& b) { return std::abs(a.r) > std::abs(b.r); });
  pairs.resize(std::min(pairs.size(), kPairs));
  std::string out = "<details><summary>Strongest pairs</summary><div class=\"scroll\"><table>\n" +
                    row("th", "column", "column", "r");
  for (const Pair& pair : pairs)
    out += row("td", escaped(c.names[pair.first]), escaped(c.names[pair.second]),
               number_text(static_cast<double>(pair.r), 3));
  return out + "</table></div></details>\n";
}

}  // namespace

std::string correlations_section(const RunReport& report, PageCharts& charts) {
  if (report.correlations.empty()) return "";
  std::string out = "<h2>Features</h2>\n<div class=\"pair\">";
  for (const FeatureCorrelation& c : report.correlations) {
    const std::size_t n = c.names.size();
    JsonValue rows = JsonValue::list();
    for (std::size_t i = 0; i < n; ++i) {
      JsonValue line = JsonValue::list();
      for (std::size_t k = 0; k < n; ++k)
        line.items.push_back(JsonValue::of(static_cast<double>(c.values[i * n + k])));
      rows.items.push_back(std::move(line));
    }
    JsonValue chart = JsonValue::object();
    chart.set("kind", JsonValue::of("matrix"))
        .set("names", JsonValue::of(c.names))
        .set("values", std::move(rows));
    const std::string shown = n < static_cast<std::size_t>(c.columns)
                                  ? cat(n, " of ", c.columns, " columns, at even distances")
                                  : cat(n, " columns");
    out += panel(cat("<h3>Correlation of features ", escaped(c.features), "</h3><p class=\"muted\">", shown,
                     ", over all recordings: <span class=\"key positive\">together</span>, <span class=\"key "
                     "negative\">opposite</span></p>\n",
                     charts.add(std::move(chart), 420), pairs_table(c)));
  }
  return out + "</div>\n";
}

}  // namespace serval::report
