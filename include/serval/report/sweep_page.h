// The page of a sweep: its trials in parallel coordinates, how much each axis matters, the ranking.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace serval::report {

struct SweptTrial {
  std::int64_t number = 0;
  double score = 0, low = 0, high = 0;  // of validation, with its interval
  std::vector<std::string> values;      // [axis], as JSON; "" where the trial has none
};

struct SweepPage {
  std::string name;
  std::string score;               // "uar"
  std::vector<std::string> axes;   // paths
  std::vector<SweptTrial> trials;  // the best first
  std::string test;                // a line about the selected trial's test scores
  std::string fold_by_fold;        // a line about the scores chosen fold by fold; "": none
  std::int64_t open = 0;           // trials that have not ended
  std::vector<std::string> stamps;
  std::vector<std::string> failed;  // a text each
};

// How much of the scores' variance goes with one axis: eta squared, the variance of the groups' means over that of all trials. A
// group is a value of the axis; of more than 8 different numbers, a quarter of the trials in the order of the value.
struct AxisImportance {
  double share = 0;      // 0 to 1; NaN where all scores are the same
  double by_chance = 0;  // what an axis without any influence has on average: (groups - 1) / (trials - 1)
  int groups = 0;
};
AxisImportance axis_importance(const std::vector<std::string>& values, const std::vector<double>& scores);

std::string sweep_html(const SweepPage& sweep);

}  // namespace serval::report
