// What a finished trial leaves: one file, made of its run's directory, which says all that a leaderboard needs.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "serval/core/error.h"
#include "serval/evaluate/actor_table.h"
#include "serval/evaluate/bootstrap.h"
#include "serval/experiment/settings.h"

#include "sampler.h"

namespace serval::experiment {

struct ScoreAndInterval {
  double mean = 0, low = 0, high = 0;
};

// The mean over folds and seeds, with its interval over actors.
struct SideScores {
  ScoreAndInterval uar, wa, macro_f1;
  evaluate::ActorTable table{1};
};

struct TrialResult {
  std::string id;
  Point point;
  std::string model;
  SideScores validation, test;
  std::string manifest;  // hash of the recordings and labels that it was made of
  std::int64_t parameters = 0;
  std::vector<std::string> stamps, devices;  // devices name the type of the processor
  double seconds = 0;
  std::int64_t peak_bytes = 0;
};

evaluate::Headline part_scores(const evaluate::ActorTable::Part& part, int classes);  // of one fold and seed
SideScores scores_of_table(evaluate::ActorTable table);
// The one that selects, of whatever has all three.
template <class Scores>
const auto& score_of(const Scores& scores, SelectionScore score) {
  switch (score) {
    case SelectionScore::kUar:
      return scores.uar;
    case SelectionScore::kWa:
      return scores.wa;
    case SelectionScore::kMacroF1:
      return scores.macro_f1;
  }
  throw InternalError("no such score");
}

// Of a finished run. `model` is one of its models. Throws DataError where the run has no validation scores of it.
TrialResult trial_result(const std::string& run_folder, const std::string& model);

std::string write_trial_result(const TrialResult& result);  // a checked line
TrialResult read_trial_result(const std::string& path);     // throws DataError

}  // namespace serval::experiment
