#include "serval/report/sweep_page.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>
#include <optional>
#include <set>

#include "serval/core/error.h"

#include "page_parts.h"

namespace serval::report {

namespace {

constexpr std::size_t kMostGroups = 8;  // values that are groups of their own, where they are numbers
constexpr std::size_t kQuarters = 4;
constexpr std::size_t kMostLines = 400;  // that the picture shows
constexpr std::size_t kMostRows = 100;   // of the table
constexpr double kLogRatio = 30;         // numbers that span more are drawn on a logarithmic axis

constexpr int kWidth = 1000, kHeight = 380, kTop = 60, kBottom = 340, kLeft = 90, kRight = 910;

std::optional<double> number_of(const std::string& text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// [trial]
std::vector<std::size_t> groups_of(const std::vector<std::string>& values) {
  std::set<std::string> different(values.begin(), values.end());
  std::vector<std::size_t> out(values.size());
  const bool numbers = std::all_of(values.begin(), values.end(), [](const std::string& v) {
    return v.empty() || number_of(v).has_value();
  });
  if (!numbers || different.size() <= kMostGroups) {
    for (std::size_t i = 0; i < values.size(); ++i)
      out[i] = static_cast<std::size_t>(std::distance(different.begin(), different.find(values[i])));
    return out;
  }
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const auto key = [&](std::size_t i) {
    return number_of(values[i]).value_or(-std::numeric_limits<double>::infinity());
  };
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return key(a) < key(b); });
  for (std::size_t place = 0; place < order.size(); ++place)
    out[order[place]] = place * kQuarters / order.size();
  return out;
}

// Where values of one axis stand, 0 below to 1 above, and what is written beside it.
class Scale {
 public:
  explicit Scale(const std::vector<std::string>& values) {
    std::vector<double> numbers;
    bool all = true;
    for (const std::string& value : values) {
      if (value.empty()) continue;
      if (const auto number = number_of(value))
        numbers.push_back(*number);
      else
        all = false;
      if (std::find(names_.begin(), names_.end(), value) == names_.end()) names_.push_back(value);
    }
    numeric_ = all && !numbers.empty();
    if (!numeric_) return;
    low_ = *std::min_element(numbers.begin(), numbers.end());
    high_ = *std::max_element(numbers.begin(), numbers.end());
    logarithmic_ = low_ > 0 && high_ / low_ > kLogRatio;
  }
  double place(const std::string& value) const {
    if (!numeric_) {
      const auto at = std::find(names_.begin(), names_.end(), value) - names_.begin();
      return names_.size() < 2 ? 0.5 : static_cast<double>(at) / static_cast<double>(names_.size() - 1);
    }
    const double number = number_of(value).value_or(low_);
    if (high_ <= low_) return 0.5;
    return logarithmic_ ? std::log(number / low_) / std::log(high_ / low_) : (number - low_) / (high_ - low_);
  }
  // Place and text.
  std::vector<std::pair<double, std::string>> ticks() const {
    std::vector<std::pair<double, std::string>> out;
    constexpr std::size_t kMostTicks = 9;
    if (names_.size() <= kMostTicks) {
      for (const std::string& name : names_) out.emplace_back(place(name), name);
    } else if (numeric_) {
      for (const double share : {0.0, 0.25, 0.5, 0.75, 1.0}) {
        const double value =
            logarithmic_ ? low_ * std::pow(high_ / low_, share) : low_ + share * (high_ - low_);
        char text[32];
        std::snprintf(text, sizeof text, "%.3g", value);
        out.emplace_back(share, text);
      }
    }
    return out;
  }
  bool logarithmic() const { return logarithmic_; }

 private:
  std::vector<std::string> names_;  // different ones, as they come
  bool numeric_ = false, logarithmic_ = false;
  double low_ = 0, high_ = 0;
};

std::string shortened(const std::string& text, std::size_t most) {
  return text.size() <= most ? text : "..." + text.substr(text.size() - most + 3);
}

std::string text_at(double x, double y, const char* anchor, const std::string& text) {
  return cat("<text x=\"", number_text(x, 1), "\" y=\"", number_text(y, 1), "\" text-anchor=\"", anchor,
             "\">", escaped(text), "</text>\n");
}

// A line a trial through its values; the score is the last axis.
std::string parallel_coordinates(const SweepPage& sweep) {
  std::vector<Scale> scales;
  std::vector<std::string> scores;
  for (std::size_t a = 0; a < sweep.axes.size(); ++a) {
    std::vector<std::string> values;
    for (const SweptTrial& trial : sweep.trials) values.push_back(trial.values[a]);
    scales.emplace_back(values);
  }
  for (const SweptTrial& trial : sweep.trials)
    scores.push_back(std::isnan(trial.score) ? "" : number_text(100 * trial.score, 1));
  scales.emplace_back(scores);
  const auto x_of = [&](std::size_t axis) {
    return kLeft + static_cast<double>(axis) * (kRight - kLeft) / static_cast<double>(scales.size() - 1);
  };
  const auto y_of = [&](double place) { return kBottom - place * (kBottom - kTop); };

  std::string out =
      cat("<svg viewBox=\"0 0 ", kWidth, " ", kHeight,
          "\" style=\"width:100%;height:auto;font:12px system-ui,sans-serif;fill:currentColor\" "
          "role=\"img\" aria-label=\"trials in parallel coordinates\">\n");
  const std::size_t lines = std::min(kMostLines, sweep.trials.size());
  for (std::size_t i = lines; i-- > 0;) {  // the best on top
    const SweptTrial& trial = sweep.trials[i];
    std::string path;
    bool on = false;
    for (std::size_t a = 0; a < scales.size(); ++a) {
      const std::string& value = a < sweep.axes.size() ? trial.values[a] : scores[i];
      if (value.empty()) {  // a condition leaves the axis out
        on = false;
        continue;
      }
      path += cat(on ? "L" : "M", number_text(x_of(a), 1), " ", number_text(y_of(scales[a].place(value)), 1));
      on = true;
    }
    const double better = 1 - static_cast<double>(i) / static_cast<double>(std::max<std::size_t>(1, lines));
    out += cat("<path d=\"", path, "\" fill=\"none\" stroke=\"var(--", i == 0 ? "warn" : "accent",
               ")\" stroke-width=\"", i == 0 ? "3" : "1.2", "\" opacity=\"",
               number_text(i == 0 ? 1 : 0.08 + 0.6 * better * better, 2), "\"><title>trial ", trial.number,
               ": ", scores[i], "</title></path>\n");
  }
  for (std::size_t a = 0; a < scales.size(); ++a) {
    const double x = x_of(a);
    out += cat("<line x1=\"", number_text(x, 1), "\" x2=\"", number_text(x, 1), "\" y1=\"", kTop, "\" y2=\"",
               kBottom, "\" stroke=\"currentColor\"/>\n");
    const std::string name = a < sweep.axes.size() ? sweep.axes[a] : "validation " + sweep.score + " (%)";
    // Names take turns above each other, so that long ones have room.
    const char* anchor = a == 0 ? "start" : a + 1 == scales.size() ? "end" : "middle";
    const double name_x = a == 0 ? 4 : a + 1 == scales.size() ? kWidth - 4 : x;
    out += text_at(name_x, a % 2 == 0 ? 20 : 38, anchor,
                   shortened(name, 60) + (scales[a].logarithmic() ? " (log)" : ""));
    for (const auto& [place, text] : scales[a].ticks())
      out += text_at(x + (a + 1 == scales.size() ? 7 : -7), y_of(place) + 4,
                     a + 1 == scales.size() ? "start" : "end", shortened(text, 16));
  }
  out += "</svg>\n";
  std::string note =
      "<p class=\"muted\">A line is a trial; the thick one is the selected trial, and better ones are "
      "darker.";
  if (lines < sweep.trials.size())
    note += cat(" The best ", lines, " of ", sweep.trials.size(), " are drawn.");
  return panel("<h3>Trials</h3>\n" + out + note + "</p>\n");
}

std::string importance_panel(const SweepPage& sweep) {
  std::vector<double> scores;
  for (const SweptTrial& trial : sweep.trials) scores.push_back(trial.score);
  std::string rows;
  for (std::size_t a = 0; a < sweep.axes.size(); ++a) {
    std::vector<std::string> values;
    for (const SweptTrial& trial : sweep.trials) values.push_back(trial.values[a]);
    const AxisImportance importance = axis_importance(values, scores);
    const double share = std::isnan(importance.share) ? 0 : importance.share;
    rows += cat("<tr><td>", escaped(sweep.axes[a]), "</td><td>", importance.groups, "</td><td>",
                percent(importance.share), "</td><td>", percent(importance.by_chance),
                "</td><td style=\"width:45%\"><div "
                "style=\"height:.8em;border-radius:2px;background:var(--accent);width:",
                number_text(100 * share, 1), "%\"></div></td></tr>\n");
  }
  return panel("<h3>How much each axis matters</h3>\n<div class=\"scroll\"><table style=\"width:100%\">\n" +
               row("th", "axis", "groups", "share of variance (%)", "by chance (%)", "") + rows +
               "</table></div>\n<p class=\"muted\">Share of variance: trials are grouped by the axis' value "
               "(of more than 8 "
               "different numbers: into quarters by size); it is the sum over groups of n<sub>g</sub> "
               "(m<sub>g</sub> &minus; "
               "m)&sup2; over the sum over trials of (s &minus; m)&sup2;, with the scores s, their mean m, "
               "and the mean "
               "m<sub>g</sub> of a group's n<sub>g</sub> trials. An axis without influence has on average "
               "(groups &minus; 1) / "
               "(trials &minus; 1), which stands under &ldquo;by chance&rdquo;; shares close to it mean "
               "nothing. Each axis "
               "stands for itself: what two do together is in neither, and samplers that seek good trials "
               "look at some values "
               "more often.</p>\n");
}

std::string interval_text(const SweptTrial& trial) {
  return std::isnan(trial.low) ? "-" : cat(percent(trial.low), " to ", percent(trial.high));
}

std::string ranking(const SweepPage& sweep) {
  std::string out =
      "<h2>Ranking</h2>\n<div class=\"panel scroll tall\"><table>\n<tr><th>rank</th><th>trial</th><th>" +
      escaped(sweep.score) + " (%)</th><th>95 %</th>";
  for (const std::string& axis : sweep.axes) out += "<th class=\"words\">" + escaped(axis) + "</th>";
  out += "</tr>\n";
  for (std::size_t i = 0; i < std::min(kMostRows, sweep.trials.size()); ++i) {
    const SweptTrial& trial = sweep.trials[i];
    out += cat("<tr><td>", i + 1, "</td><td>", trial.number, "</td><td>", percent(trial.score), "</td><td>",
               interval_text(trial), "</td>");
    for (const std::string& value : trial.values) out += "<td class=\"words\">" + escaped(value) + "</td>";
    out += "</tr>\n";
  }
  out += "</table></div>\n";
  if (sweep.trials.size() > kMostRows)
    out += cat("<p class=\"muted\">and ", sweep.trials.size() - kMostRows, " more in leaderboard.csv</p>\n");
  return out;
}

}  // namespace

AxisImportance axis_importance(const std::vector<std::string>& values, const std::vector<double>& scores) {
  std::vector<std::string> kept_values;
  std::vector<double> kept;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    if (std::isnan(scores[i])) continue;
    kept_values.push_back(values[i]);
    kept.push_back(scores[i]);
  }
  AxisImportance out;
  out.share = out.by_chance = std::numeric_limits<double>::quiet_NaN();
  if (kept.size() < 2) return out;
  const std::vector<std::size_t> groups = groups_of(kept_values);
  const double mean = std::accumulate(kept.begin(), kept.end(), 0.0) / static_cast<double>(kept.size());
  std::map<std::size_t, std::pair<double, double>> of_groups;  // sum, count
  double total = 0;
  for (std::size_t i = 0; i < kept.size(); ++i) {
    auto& [sum, count] = of_groups[groups[i]];
    sum += kept[i];
    count += 1;
    total += (kept[i] - mean) * (kept[i] - mean);
  }
  double between = 0;
  for (const auto& [group, facts] : of_groups) {
    const double distance = facts.first / facts.second - mean;
    between += facts.second * distance * distance;
  }
  out.groups = static_cast<int>(of_groups.size());
  out.by_chance = static_cast<double>(of_groups.size() - 1) / static_cast<double>(kept.size() - 1);
  if (total > 0) out.share = between / total;
  return out;
}

std::string sweep_html(const SweepPage& sweep) {
  const SweptTrial& best = sweep.trials.front();
  std::string main = "<div class=\"cards\">\n";
  main += card("best validation " + escaped(sweep.score), percent(best.score) + " %",
               cat("of trial ", best.number, "; 95 % over actors ", interval_text(best)));
  main += card("trials", cat(sweep.trials.size()),
               cat("finished, ", sweep.failed.size(), " failed, ", sweep.open, " open"));
  main +=
      "</div>\n" + panel("<p>" + escaped(sweep.test) + "</p>\n" +
                         (sweep.fold_by_fold.empty() ? "" : "<p>" + escaped(sweep.fold_by_fold) + "</p>\n"));
  for (const std::string& text : sweep.stamps) main += stamp(text);
  main += parallel_coordinates(sweep) + importance_panel(sweep) + ranking(sweep);
  if (!sweep.failed.empty()) {
    main += "<h2>Failed</h2>\n";
    for (const std::string& text : sweep.failed) main += panel("<pre>" + escaped(text) + "</pre>");
  }
  return page(sweep.name, main, PageCharts());
}

}  // namespace serval::report
