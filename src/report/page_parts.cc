#include "src/report/page_parts.h"

#include <cmath>
#include <cstdio>

#include "src/report/page_assets.h"

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

std::string panel(const std::string& content) { return "<div class=\"panel\">" + content + "</div>\n"; }

std::string card(const std::string& name, const std::string& figure, const std::string& note) {
  return cat("<div class=\"card\"><div class=\"name\">", name, "</div><div class=\"figure\">", figure,
             "</div><div class=\"note\">", note, "</div></div>\n");
}

std::string stamp(const std::string& text, const char* kind) {
  return cat("<p class=\"stamp", *kind == '\0' ? "" : " ", kind, "\">", escaped(text), "</p>\n");
}

std::string page(const std::string& title, const std::string& main, const PageCharts& charts) {
  std::string out =
      cat("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
          "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta "
          "name=\"color-scheme\" content=\"light dark\">\n<title>",
          escaped(title), "</title>\n<link rel=\"icon\" href=\"data:,\">\n<style>\n", kPageCss,
          "</style></head><body><main>\n<h1>", escaped(title), "</h1>\n", main, "</main>\n");
  if (!charts.empty()) {
    out += cat("<script type=\"application/json\" id=\"data\">", charts.data(), "</script>\n<script>",
               kChartJs, "</script>\n<script>\n", kPageJs, "</script>\n");
  }
  return out + "</body></html>\n";
}

}  // namespace serval::report
