#include "src/report/page_parts.h"

#include <cmath>
#include <cstdio>

namespace serval::report {

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

std::string number_text(double value, int digits) {
  char text[32];
  if (std::isnan(value)) return "&ndash;";
  std::snprintf(text, sizeof text, "%.*f", digits, value);
  return text;
}

std::string PageCharts::add(JsonValue chart, int height_px) {
  const std::string id = cat("chart-", charts_.items.size() + 1);
  chart.set("id", JsonValue::of(id));
  charts_.items.push_back(std::move(chart));
  return cat("<div class=\"chart\" style=\"height:", height_px, "px\"><canvas id=\"", id,
             "\"></canvas></div>\n");
}

std::string PageCharts::data() const {
  std::string out;
  for (const char c : write_json(charts_)) {
    if (c == '<')
      out += "\\u003c";
    else
      out += c;
  }
  return out;
}

}  // namespace serval::report
