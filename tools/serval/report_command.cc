#include <algorithm>
#include <iostream>

#include "serval/core/error.h"
#include "serval/core/files.h"
#include "serval/core/log.h"
#include "serval/experiment/finished_run.h"
#include "serval/report/comparison.h"

#include "commands.h"

namespace serval::cli {

namespace {

void rewrite_page(const Common& common, const ReportArguments& arguments) {
  const experiment::RunName name = experiment::run_name(arguments.runs.front());
  if (!name.model.empty())
    throw ConfigError(
        cat(arguments.runs.front(), ": the page of a run shows all its models; name the folder alone"));
  experiment::FinishedRun run = experiment::read_finished_run(name.folder);
  experiment::read_curves(run);
  if (arguments.audio) experiment::add_exhibits(run);
  const std::string folder = arguments.out.empty() ? name.folder : arguments.out;
  make_folder(folder);
  write_atomically(folder + "/report.html", report::results_html(run.report));
  if (common.json)
    std::cout << read_text(name.folder + "/results.json");
  else
    std::cout << report::results_text(run.report) << "  report: " << folder << "/report.html\n";
}

void compare(const Common& common, const ReportArguments& arguments) {
  std::vector<experiment::RunName> names;
  std::vector<experiment::FinishedRun> runs;  // each folder once
  for (const std::string& text : arguments.runs) names.push_back(experiment::run_name(text));
  const auto find = [&](const std::string& folder) {
    return std::find_if(runs.begin(), runs.end(), [&](const auto& run) { return run.folder == folder; });
  };
  for (const experiment::RunName& name : names) {
    if (find(name.folder) == runs.end()) runs.push_back(experiment::read_finished_run(name.folder));
  }
  std::vector<report::ComparisonInput> inputs;
  for (const experiment::RunName& name : names) {
    const experiment::FinishedRun& run = *find(name.folder);
    inputs.push_back({&run.report, &experiment::chosen_model(run, name.model), run.folder, &run.contents});
  }
  const report::Comparison comparison =
      report::compare_runs(inputs, {arguments.all_pairs, arguments.unpaired});
  if (!arguments.out.empty()) {
    make_folder(arguments.out);
    const std::string stem = arguments.out + "/comparison";
    write_atomically(stem + ".json", report::comparison_json(comparison));
    write_atomically(stem + ".csv", report::comparison_csv(comparison));
    write_atomically(stem + ".md", report::comparison_markdown(comparison));
    write_atomically(stem + ".tex", report::comparison_latex(comparison));
    write_atomically(stem + ".html", report::comparison_html(comparison));
  }
  std::cout << (common.json ? report::comparison_json(comparison) : report::comparison_text(comparison));
  if (!common.json && !arguments.out.empty())
    std::cout << "  comparison: " << arguments.out << "/comparison.html, .md, .tex, .csv, .json\n";
}

}  // namespace

void report(const Common& common, const ReportArguments& arguments) {
  set_quiet(common.quiet);
  if (arguments.runs.size() > 1) {
    if (arguments.audio) throw ConfigError("--audio is for the page of one run");
    return compare(common, arguments);
  }
  if (arguments.all_pairs || arguments.unpaired)
    throw ConfigError("--all-pairs and --unpaired are for several runs");
  rewrite_page(common, arguments);
}

}  // namespace serval::cli
