#include "report_files.h"

#include "serval/core/files.h"

namespace serval::experiment {

RunOutcome write_report_files(const report::RunReport& report, const std::string& folder) {
  const auto write = [&](const char* name, const std::string& content) {
    write_atomically(folder + "/" + name, content);
  };
  RunOutcome out;
  out.folder = folder;
  out.results_text = report::results_text(report);
  out.results_json = report::results_json(report);
  write("predictions.csv", report::predictions_csv(report));
  write("validation_predictions.csv", report::validation_predictions_csv(report));
  write("results.csv", report::results_csv(report));
  write("groups.csv", report::groups_csv(report));
  if (const std::string heads = report::heads_csv(report); !heads.empty()) {
    write("heads.csv", heads);
    write("head_predictions.csv", report::head_predictions_csv(report));
  }
  write("report.html", report::results_html(report));
  write("results.txt", out.results_text);
  write("results.json", out.results_json);
  return out;
}

}  // namespace serval::experiment
