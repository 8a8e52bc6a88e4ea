// A run's directory: whose it is, and what is in it.
#pragma once

#include <string>

#include "serval/experiment/settings.h"

namespace serval::experiment {

// Where a run keeps what one training leaves: models/<model>/fold-03_seed-1 in the run's folder. Folds count from 0.
std::string model_folder(const std::string& run_folder, const std::string& model, int fold,
                         std::uint64_t seed);

class RunDirectory {
 public:
  // Makes the folder or takes over one of the same experiment. Holds a lock against a second process.
  RunDirectory(const std::string& folder, const ExperimentSettings& settings);
  ~RunDirectory();
  RunDirectory(const RunDirectory&) = delete;
  RunDirectory& operator=(const RunDirectory&) = delete;

  bool finished() const;  // results.json is there: it is written last
  std::string file(const std::string& name) const { return folder_ + "/" + name; }
  const std::string& folder() const { return folder_; }

 private:
  void lock();
  void claim(const ExperimentSettings& settings) const;

  std::string folder_;
  int lock_ = -1;
};

}  // namespace serval::experiment
