// The sweep file: an experiment, the axes along which it varies, and how much of that is tried.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "serval/core/json.h"
#include "serval/core/settings.h"

namespace serval::experiment {

// Path and value, in the order of the axes; an axis whose condition does not hold is left out.
using Point = std::vector<std::pair<std::string, JsonValue>>;

// An axis exists only in trials in which another one, named before it, has one of these values.
struct ConditionSettings {
  std::string axis;
  std::vector<JsonValue> in;
};
void describe(SettingsVisitor& v, ConditionSettings& settings);

enum class Scale { kLinear, kLog };

// Listed values, or a range of numbers. Its name is a dotted path into the experiment, as --set has it.
struct AxisSettings {
  std::vector<JsonValue> values;
  std::optional<double> low, high;  // both included
  Scale scale = Scale::kLinear;
  bool integer = false;
  std::optional<ConditionSettings> when;

  bool listed() const { return !values.empty(); }
};
void describe(SettingsVisitor& v, AxisSettings& settings);

enum class Strategy { kGrid, kRandom, kSobol, kHalving, kTpe };
const char* to_string(Strategy strategy);
// Whether scores of earlier trials decide which there are later.
inline bool adaptive(Strategy strategy) {
  return strategy == Strategy::kHalving || strategy == Strategy::kTpe;
}

// Halving: trials start with the least of something, usually of epochs, and the best of them get `factor` times as much.
struct ResourceSettings {
  std::string path = "train.epochs";
  std::int64_t low = 1, high = 27, factor = 3;
};
void describe(SettingsVisitor& v, ResourceSettings& settings);

enum class Every { kPoint };  // instead of a number of trials

struct BudgetSettings {
  Every all = Every::kPoint;
  std::vector<std::int64_t> trials;  // one number; none: every point of a grid, or until the hours are over
  std::optional<double> hours;       // of all workers together
};
void describe(SettingsVisitor& v, BudgetSettings& settings);

enum class SelectionScore { kUar, kWa, kMacroF1 };
const char* to_string(SelectionScore score);

// By what the best trial is chosen: the mean over folds and seeds of a score of validation recordings.
struct SelectSettings {
  SelectionScore score = SelectionScore::kUar;
  std::string model;  // "": the experiment's only one
};
void describe(SettingsVisitor& v, SelectSettings& settings);

enum class Keep { kScores, kRuns };

enum class PackSize { kAuto };  // instead of a number of trials

struct SweepSettings {
  std::string name;
  std::string description;
  std::string experiment;  // its file
  bool quick = false;      // at its quick size
  std::vector<std::string> set;
  NamedList<AxisSettings> axes;
  Strategy strategy = Strategy::kGrid;
  std::optional<ResourceSettings> resource;  // halving
  std::int64_t batch = 8, startup = 16;      // TPE
  BudgetSettings budget;
  std::int64_t seed = 1;
  SelectSettings select;
  Keep keep = Keep::kScores;
  PackSize pack_auto = PackSize::kAuto;
  std::vector<std::int64_t>
      pack;  // trials that a worker runs together, one number; none: as many as is worth it
  double lease_s = 300;
  std::int64_t most_crashes = 5;
};
void describe(SettingsVisitor& v, SweepSettings& settings);

}  // namespace serval::experiment
