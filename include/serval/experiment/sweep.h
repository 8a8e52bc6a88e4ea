// A sweep: many trials of one experiment, planned as files in one folder that any number of workers on any number of
// machines share. Nothing else coordinates them: no server, no database, no locks. docs/sweeps.md has the whole picture.
//
//   sweep.json              the sweep's settings with every default, for people
//   plan.jsonl              settings and experiment, as workers read them
//   batch-000.jsonl ...     the trials: id, number, values. Batches after the first belong to halving and tpe
//   claims/<trial>.<n>      who works on a trial (sweep/claims.h)
//   trials/<trial>.json     a finished trial's scores
//   journal/<worker>.jsonl  what each worker did, appended line by line
//   runs/<trial>            directories of runs under way (keep "runs": of all)
//   leaderboard.*, selected.json   written by collect
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "serval/core/json.h"
#include "serval/core/tensor.h"
#include "serval/experiment/sweep_settings.h"

namespace serval::experiment {

struct Trial {
  std::string id;           // of the resolved experiment: equal ones are one trial
  std::int64_t number = 0;  // from 1, in the order of the plan
  Point point;
};

struct SweepPlan {
  SweepSettings settings;
  JsonValue experiment;  // as files and overrides say, with absolute paths, before anything varies
  std::vector<Trial> first_batch;
};

// Throws ConfigError with every mistake of the sweep file, of its experiment, and of what the axes make of it.
SweepPlan load_sweep(const std::string& path);

JsonValue sweep_schema();

// Makes the sweep's folder, or plans anew in one that is there: finished trials that belong to the new plan stay finished.
// Throws ConfigError where the folder holds something else, or a sweep of another version of Serval's folders.
void begin_sweep(const SweepPlan& plan, const std::string& folder);

struct WorkOptions {
  Device device;
  int threads = 1;
  std::int64_t most_trials = 0;  // end after so many; 0: no such limit
  bool wait = true;              // for trials that others have, to take over those of workers that die
};

// Runs trials until none is left, as one of any number of workers. Trials that fail are noted, and the next one is run.
// Throws InterruptedError and DiskError, which leave the trial for others, and DeviceError, which does so too.
void work_on_sweep(const std::string& folder, const WorkOptions& options);

enum class TrialState { kWaiting, kRunning, kFinished, kFailed };

struct TrialStatus {
  std::string id;
  std::int64_t number = 0;
  TrialState state = TrialState::kWaiting;
  std::vector<std::pair<std::string, JsonValue>> point;
  // Of a running one: whose, and how long ago it gave a sign of life.
  std::string writer;
  double silent_s = 0;
  // Of a failed one:
  std::string error;
  int code = 0;
  std::vector<std::string> last_lines;
};

struct SweepStatus {
  std::string name;
  std::vector<TrialStatus> trials;  // each experiment once
  bool more_to_come = false;        // further batches may follow
  bool cancelled = false;
  double spent_hours = 0, hours = 0;  // hours 0: no such budget
  double mean_trial_s = 0;            // of finished ones
  std::vector<std::string> warnings;  // clocks that differ

  std::int64_t count(TrialState state) const;
};

SweepStatus sweep_status(const std::string& folder);
std::string status_text(const SweepStatus& status);
JsonValue status_json(const SweepStatus& status);

// Workers stop soon, and their trials can be continued; none starts until the sweep is begun again or retried.
void cancel_sweep(const std::string& folder);
// Failed trials wait again, and a cancelled sweep goes on. How many they were.
int retry_sweep(const std::string& folder);

// What a sweep will take, reckoned from the trials that are finished.
struct SweepEstimate {
  std::int64_t trials = 0, measured = 0;
  int workers = 1;
  double mean_s = 0, least_s = 0, most_s = 0;  // of a trial
  double left_s = 0;                           // with so many workers, each trial taking the mean
  std::int64_t worker_bytes = 0;               // of memory
  std::int64_t folder_bytes = 0;               // of scores, when all are finished
  std::int64_t store_bytes = 0;                // in the folder of stores, which other experiments may share
};
// Throws DataError where no trial is finished.
SweepEstimate estimate_sweep(const std::string& folder, int workers);
std::string estimate_text(const SweepEstimate& estimate);
JsonValue estimate_json(const SweepEstimate& estimate);

struct Leaderboard {
  std::string text, csv;
  JsonValue json;
};
// Ranks the finished trials by their validation scores and writes leaderboard.{txt,csv,json} and selected.json. What it
// writes depends on the trials' scores alone. Throws DataError where none is finished, or a file was changed.
Leaderboard collect_sweep(const std::string& folder);

}  // namespace serval::experiment
