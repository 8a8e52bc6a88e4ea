#include <algorithm>
#include <cmath>
#include <iomanip>
#include <sstream>

#include "serval/core/error.h"
#include "serval/core/text.h"

#include "checked_line.h"
#include "directory.h"
#include "journal.h"

namespace serval::experiment {

namespace {

constexpr double kClockTolerance_s = 5;
constexpr std::size_t kMostFailed = 20;  // that the text shows

const char* to_string(TrialState state) {
  switch (state) {
    case TrialState::kWaiting:
      return "waiting";
    case TrialState::kRunning:
      return "running";
    case TrialState::kFinished:
      return "finished";
    case TrialState::kFailed:
      return "failed";
  }
  return "";
}

void read_claim(const ClaimFolder& claims, int generation, TrialStatus& trial) {
  const ClaimInfo info = claims.read(trial.id, generation);
  if (info.state == ClaimState::kReleased) return;
  if (info.state == ClaimState::kRunning) {
    trial.state = TrialState::kRunning;
    trial.writer = info.writer;
    trial.silent_s = claims.silent_s(trial.id, generation);
    return;
  }
  trial.state = TrialState::kFailed;
  trial.error = info.error;
  trial.code = info.code;
  trial.last_lines = info.last_lines;
}

void add_journals(const SweepDirectory& directory, SweepStatus& status) {
  int finished = 0;
  std::map<std::string, double> ahead_s;  // of the file server's clock, by host
  for (const JournalEntry& entry : read_journals(directory.journals())) {
    ahead_s[entry.host] = entry.ahead_s;
    status.spent_hours += entry.seconds / 3600;
    if (entry.event != "finished") continue;
    ++finished;
    status.mean_trial_s += (entry.seconds - status.mean_trial_s) / finished;
  }
  for (const auto& [host, seconds] : ahead_s) {
    if (std::abs(seconds) < kClockTolerance_s) continue;
    status.warnings.push_back(
        cat("the clock of ", host, " is ", formatted("%.0f", std::abs(seconds)), " s ",
            seconds > 0 ? "ahead of" : "behind",
            " that of the sweep's folder; times differ by that, claims do not use them"));
  }
}

}  // namespace

std::int64_t SweepStatus::count(TrialState state) const {
  return std::count_if(trials.begin(), trials.end(), [&](const auto& trial) { return trial.state == state; });
}

SweepStatus sweep_status(const std::string& folder) {
  const SweepDirectory directory(folder);
  SweepStatus out;
  out.name = directory.settings().name;
  out.cancelled = directory.cancelled();
  out.hours = directory.settings().budget.hours.value_or(0);
  const std::set<std::string> finished = directory.finished();
  const ClaimFolder claims = directory.claims();
  const std::map<std::string, int> generations = claims.generations();
  for (const Trial& trial : directory.trials()) {
    TrialStatus& status = out.trials.emplace_back();
    status.id = trial.id;
    status.number = trial.number;
    status.point = trial.point;
    if (finished.count(trial.id) > 0) {
      status.state = TrialState::kFinished;
    } else if (const auto at = generations.find(trial.id); at != generations.end()) {
      read_claim(claims, at->second, status);
    }
  }
  const bool adaptive =
      directory.settings().strategy == Strategy::kHalving || directory.settings().strategy == Strategy::kTpe;
  const bool open = out.count(TrialState::kWaiting) + out.count(TrialState::kRunning) > 0;
  out.more_to_come = adaptive && open;
  add_journals(directory, out);
  return out;
}

std::string status_text(const SweepStatus& s) {
  std::ostringstream out;
  out << s.name << ": " << s.count(TrialState::kFinished) << " of " << s.trials.size() << " trials finished, "
      << s.count(TrialState::kRunning) << " running, " << s.count(TrialState::kWaiting) << " waiting, "
      << s.count(TrialState::kFailed) << " failed" << (s.more_to_come ? "; more may follow" : "")
      << (s.cancelled ? "; cancelled" : "") << '\n';
  out << "  " << formatted("%.2f", s.spent_hours) << " h spent";
  if (s.hours > 0) out << " of " << formatted("%.2f", s.hours);
  if (s.mean_trial_s > 0) out << ", " << formatted("%.1f", s.mean_trial_s) << " s a finished trial";
  out << '\n';
  for (const std::string& warning : s.warnings) out << "  warning: " << warning << '\n';
  std::size_t failed = 0;
  for (const TrialStatus& trial : s.trials) {
    if (trial.state == TrialState::kRunning)
      out << "  running  " << trial.number << "  " << trial.id << "  " << trial.writer
          << ", last sign of life " << formatted("%.0f", std::max(0.0, trial.silent_s)) << " s ago\n";
    if (trial.state != TrialState::kFailed || ++failed > kMostFailed) continue;
    out << "  failed   " << trial.number << "  " << trial.id << "  " << point_text(trial.point) << "\n    "
        << trial.error << '\n';
    for (const std::string& line : trial.last_lines) out << "    | " << line << '\n';
  }
  if (failed > kMostFailed) out << "  and " << failed - kMostFailed << " more failed\n";
  return out.str();
}

JsonValue status_json(const SweepStatus& s) {
  JsonValue trials = JsonValue::list();
  for (const TrialStatus& trial : s.trials) {
    JsonValue point = JsonValue::object();
    for (const auto& [path, value] : trial.point) point.set(path, value);
    JsonValue item = JsonValue::object()
                         .set("id", JsonValue::of(trial.id))
                         .set("number", JsonValue::of(trial.number))
                         .set("state", JsonValue::of(to_string(trial.state)))
                         .set("set", std::move(point));
    if (trial.state == TrialState::kRunning) {
      item.set("worker", JsonValue::of(trial.writer));
      item.set("silent_s", JsonValue::of(trial.silent_s));
    }
    if (trial.state == TrialState::kFailed) {
      item.set("error", JsonValue::of(trial.error));
      item.set("exit_code", JsonValue::of(trial.code));
      item.set("last_lines", JsonValue::of(trial.last_lines));
    }
    trials.items.push_back(std::move(item));
  }
  return JsonValue::object()
      .set("name", JsonValue::of(s.name))
      .set("finished", JsonValue::of(s.count(TrialState::kFinished)))
      .set("running", JsonValue::of(s.count(TrialState::kRunning)))
      .set("waiting", JsonValue::of(s.count(TrialState::kWaiting)))
      .set("failed", JsonValue::of(s.count(TrialState::kFailed)))
      .set("more_to_come", JsonValue::of(s.more_to_come))
      .set("cancelled", JsonValue::of(s.cancelled))
      .set("spent_hours", JsonValue::of(s.spent_hours))
      .set("mean_trial_s", JsonValue::of(s.mean_trial_s))
      .set("warnings", JsonValue::of(s.warnings))
      .set("trials", std::move(trials));
}

void cancel_sweep(const std::string& folder) { SweepDirectory(folder).set_cancelled(true); }

int retry_sweep(const std::string& folder) {
  const SweepDirectory directory(folder);
  const ClaimFolder claims = directory.claims();
  const std::set<std::string> finished = directory.finished();
  int reopened = 0;
  for (const Trial& trial : directory.trials()) {
    if (finished.count(trial.id) == 0 && claims.reopen(trial.id)) ++reopened;
  }
  directory.set_cancelled(false);
  return reopened;
}

}  // namespace serval::experiment
