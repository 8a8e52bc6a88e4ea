// Pieces that report.html is made of.
#pragma once

#include <string>
#include <vector>

#include "serval/core/error.h"
#include "serval/core/json.h"
#include "serval/report/run_report.h"

namespace serval::report {

std::string escaped(const std::string& text);  // for HTML, between tags or in quotes
std::string percent(double fraction);          // "61.2"; a dash for NaN
std::string number_text(double value, int digits);

template <class... Cells>
std::string row(const char* tag, const Cells&... cells) {
  std::string out = "<tr>";
  ((out += cat("<", tag, ">", cells, "</", tag, ">")), ...);
  return out + "</tr>\n";
}

// What the page's script draws: a list of charts, each for the canvas that add() returns.
class PageCharts {
 public:
  // `chart` says its kind and figures, as page.js reads them.
  std::string add(JsonValue chart, int height_px);
  bool empty() const { return charts_.items.empty(); }
  // JSON that no text can end early inside a script element.
  std::string data() const;

 private:
  JsonValue charts_ = JsonValue::list();
};

std::string panel(const std::string& content);
std::string card(const std::string& name, const std::string& figure, const std::string& note);
std::string stamp(const std::string& text,
                  const char* kind = "");  // kind: "passed", "failed"; texts are escaped

// The whole document around what lies in its main part. `title` is a plain text.
std::string page(const std::string& title, const std::string& main, const PageCharts& charts);

std::string mistakes_panel(const ModelReport& model, const RunReport& report);
std::string correlations_section(const RunReport& report, PageCharts& charts);  // "" where there are none

// All of one model: scores, confusion, actors, folds, curves, groups, calibration, mistakes, further outputs.
std::string model_section(const ModelReport& model, const RunReport& report, PageCharts& charts);

}  // namespace serval::report
