// A sweep's folder: its plan, its batches of trials, and what is finished.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "serval/experiment/sweep.h"

#include "claims.h"
#include "trial.h"

namespace serval::experiment {

class SweepDirectory {
 public:
  // Reads plan and batches. Throws ConfigError where the folder holds no sweep or one of another version, DataError where a
  // file is not what was written.
  explicit SweepDirectory(const std::string& folder);

  const std::string& folder() const { return folder_; }
  const SweepSettings& settings() const { return plan_.settings; }
  const JsonValue& experiment() const { return plan_.experiment; }
  const std::vector<std::vector<Trial>>& batches() const { return batches_; }
  std::vector<Trial> trials() const;  // each experiment once, in the order of the plan

  std::string trial_file(const std::string& id) const { return folder_ + "/trials/" + id + ".json"; }
  std::string run_folder(const std::string& id) const { return folder_ + "/runs/" + id; }
  std::string journals() const { return folder_ + "/journal"; }
  ClaimFolder claims() const;
  std::set<std::string> finished() const;  // ids, by one look into the folder of trials

  bool cancelled() const;
  void set_cancelled(bool on) const;

  // Plans the next batch from the scores of those before it, all of which must be finished or failed. False where the sweep
  // ends with what there is. Whoever calls it, the batch is the same; others may have planned it by now.
  bool extend();

 private:
  void read_batches();
  std::vector<std::vector<Told>> told() const;

  std::string folder_;
  std::string key_;  // of the plan: batches of another one do not count
  SweepPlan plan_;
  std::vector<std::vector<Trial>> batches_;
};

}  // namespace serval::experiment
