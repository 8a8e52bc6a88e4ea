#include "merged_report.h"

#include <algorithm>

#include "serval/core/error.h"
#include "serval/core/version.h"

namespace serval::experiment {

namespace {

void add_new(std::vector<std::string>& to, const std::vector<std::string>& more) {
  for (const std::string& text : more) {
    if (std::find(to.begin(), to.end(), text) == to.end()) to.push_back(text);
  }
}

void add_audit(audit::Audit& to, const audit::Audit& from, const std::string& run) {
  for (const audit::Check& check : from.checks) {
    const auto same = [&](const audit::Check& other) { return other.name == check.name; };
    auto at = std::find_if(to.checks.begin(), to.checks.end(), same);
    if (at == to.checks.end())
      at = to.checks.insert(to.checks.end(), audit::Check{.name = check.name, .evidence = {}});
    at->passed = at->passed && check.passed;
    at->allowed = at->allowed || check.allowed;
    for (const std::string& evidence : check.evidence) at->evidence.push_back(cat(run, ": ", evidence));
  }
  for (audit::Statistic statistic : from.statistics) {
    statistic.name = cat(run, ": ", statistic.name);
    to.statistics.push_back(std::move(statistic));
  }
}

}  // namespace

report::RunReport merged_report(const std::vector<const FinishedRun*>& runs) {
  const report::RunReport& first = runs.front()->report;
  report::RunReport out;
  out.classes = first.classes;
  out.corpora = first.corpora;
  out.chance = first.chance;
  out.fold_sizes = first.fold_sizes;
  out.device = first.device;
  out.versions = {{"serval", kVersion}};
  out.configurations = 0;
  for (const FinishedRun* run : runs) {
    const report::RunReport& report = run->report;
    out.configurations += report.configurations;
    add_new(out.stamps, report.stamps);
    add_new(out.leaks, report.leaks);
    add_new(out.devices, report.devices);
    if (report.device != out.device) out.device = "cpu and cuda";
    add_audit(out.audit, report.audit, run->folder);
    for (report::FoldSize& fold : out.fold_sizes) {
      for (const report::FoldSize& other : report.fold_sizes) {
        if (other.fold == fold.fold && other.train < fold.train) fold = other;
      }
    }
    for (const auto& [stage, seconds] : report.seconds) {
      const auto same = [&stage = stage](const auto& entry) { return entry.first == stage; };
      const auto at = std::find_if(out.seconds.begin(), out.seconds.end(), same);
      if (at == out.seconds.end())
        out.seconds.emplace_back(stage, seconds);
      else
        at->second += seconds;
    }
  }
  return out;
}

}  // namespace serval::experiment
