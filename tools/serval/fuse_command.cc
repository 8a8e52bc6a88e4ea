#include <iostream>

#include "serval/core/error.h"
#include "serval/core/log.h"
#include "serval/experiment/fuse_runs.h"

#include "commands.h"

namespace serval::cli {

namespace {

template <class E>
E chosen(const Options<E>& options, const std::string& name, const char* option) {
  std::vector<std::string> known;
  for (const auto& [text, value] : options) {
    if (name == text) return value;
    known.emplace_back(text);
  }
  throw ConfigError(cat(option, ": \"", name, "\" is not one of ", join(known, ", ")));
}

}  // namespace

void fuse(const Common& common, const FuseArguments& arguments) {
  set_quiet(common.quiet);
  experiment::FuseRuns what;
  for (const std::string& text : arguments.runs) what.members.push_back(experiment::run_name(text));
  what.rule = chosen(experiment::fusion_rules(), arguments.rule, "--rule");
  what.seeds = chosen(experiment::fused_seeds(), arguments.seeds, "--seeds");
  what.folder = arguments.out;
  what.name = arguments.name;
  const experiment::RunOutcome outcome = experiment::fuse_runs(what);
  if (common.json)
    std::cout << outcome.results_json;
  else
    std::cout << outcome.results_text << "  report: " << outcome.folder << "/report.html\n";
}

}  // namespace serval::cli
