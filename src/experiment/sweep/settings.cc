#include <algorithm>
#include <cctype>
#include <cmath>
#include <set>

#include "serval/core/error.h"
#include "serval/experiment/sweep_settings.h"

namespace serval::experiment {

namespace {

const Options<Strategy>& strategies() {
  static const Options<Strategy> options{{"grid", Strategy::kGrid},
                                         {"random", Strategy::kRandom},
                                         {"sobol", Strategy::kSobol},
                                         {"halving", Strategy::kHalving},
                                         {"tpe", Strategy::kTpe}};
  return options;
}

const Options<SelectionScore>& selection_scores() {
  static const Options<SelectionScore> options{
      {"uar", SelectionScore::kUar}, {"wa", SelectionScore::kWa}, {"macro_f1", SelectionScore::kMacroF1}};
  return options;
}

bool plain_name(const std::string& name) {
  return name.empty() || name.front() != '.' && std::all_of(name.begin(), name.end(), [](unsigned char c) {
                           return std::isalnum(c) != 0 || c == '_' || c == '-' || c == '.';
                         });
}

void check_axes(SettingsVisitor& v, const SweepSettings& s) {
  std::set<std::string> before;
  for (const auto& [path, axis] : s.axes) {
    v.check(!axis.when || before.count(axis.when->axis) > 0, "axes",
            cat(path, ".when.axis: \"", axis.when ? axis.when->axis : "", "\" is no axis before this one"));
    v.check(s.strategy != Strategy::kGrid || axis.listed() || !axis.low, "axes",
            cat(path, ": a grid needs values; a range of numbers is for random, sobol, halving and tpe"));
    before.insert(path);
  }
  v.check(!s.axes.empty(), "axes", "at least one axis is needed");
}

}  // namespace

const char* to_string(Strategy strategy) { return name_of(strategies(), strategy); }
const char* to_string(SelectionScore score) { return name_of(selection_scores(), score); }

void describe(SettingsVisitor& v, ConditionSettings& s) {
  v.text("axis", s.axis, {"path of an axis before this one", "", Need::kRequired});
  v.json_values("in", s.in, {"values of that axis with which this one exists", "", Need::kRequired});
}

void describe(SettingsVisitor& v, AxisSettings& s) {
  v.json_values("values", s.values, {"JSON values, one of which a trial has"});
  v.optional_real("low", s.low, {}, {"lowest number, instead of values"});
  v.optional_real("high", s.high, {}, {"highest number; low and high can both be drawn"});
  v.choice("scale", s.scale, {{"linear", Scale::kLinear}, {"log", Scale::kLog}},
           {"how numbers are spread between low and high"});
  v.flag("integer", s.integer, {"whole numbers only"});
  v.optional_object("when", s.when, {"the axis exists only beside some values of another one"});
  v.check(s.listed() != (s.low.has_value() || s.high.has_value()), "",
          "needs values, or low and high, and not both");
  if (s.listed()) return;
  v.check(s.low.has_value() == s.high.has_value(), "", "needs both low and high");
  if (!s.low || !s.high) return;
  v.check(*s.low < *s.high, "low", cat(*s.low, " must be below high, ", *s.high));
  v.check(s.scale == Scale::kLinear || *s.low > 0, "low", "must be above 0 on a logarithmic scale");
  v.check(!s.integer || std::floor(*s.low) == *s.low && std::floor(*s.high) == *s.high, "integer",
          "needs whole numbers as low and high");
}

void describe(SettingsVisitor& v, ResourceSettings& s) {
  v.text("path", s.path, {"the setting that grows from rung to rung"});
  v.integer("low", s.low, {.min = 1}, {"its value on the first rung"});
  v.integer("high", s.high, {.min = 1}, {"its value on the last rung"});
  v.integer("factor", s.factor, {.min = 2, .max = 64},
            {"one of so many trials is continued, with so many times as much"});
  v.check(s.low < s.high, "low", cat(s.low, " must be below high, ", s.high));
}

void describe(SettingsVisitor& v, BudgetSettings& s) {
  v.word_or_integers("trials", s.all, {{"all", Every::kPoint}}, s.trials, {.min = 1, .max = 1'000'000},
                     {"trials at most; of halving, on its first rung"});
  v.optional_real("hours", s.hours, {.min = 0, .above_min = true},
                  {"no trial starts once all workers together have spent so many", "h"});
  v.check(s.trials.size() < 2, "trials", "must be one number");
}

void describe(SettingsVisitor& v, SelectSettings& s) {
  v.choice("score", s.score, selection_scores(), {"score of the validation recordings"});
  v.text("model", s.model, {"whose scores; may be left out where the experiment has one model"});
}

void describe(SettingsVisitor& v, SweepSettings& s) {
  v.text("name", s.name, {"names the sweep's folder", "", Need::kRequired});
  v.text("description", s.description, {"a line for people"});
  v.path("experiment", s.experiment, {"the experiment file that varies", "", Need::kRequired});
  v.flag("quick", s.quick, {"the experiment at its quick size"});
  v.texts("set", s.set, {"overrides of the experiment that hold for all trials: key.path=JSON"});
  v.map("axes", s.axes, {"what varies: a dotted path into the experiment each", "", Need::kRequired});
  v.variants("strategy", s.strategy, strategies(), {"which points of the axes are tried"},
             [&s](SettingsVisitor& inner) {
               if (s.strategy == Strategy::kHalving)
                 inner.optional_object("resource", s.resource, {"what grows from rung to rung"});
               if (s.strategy == Strategy::kTpe) {
                 inner.integer("batch", s.batch, {.min = 1, .max = 4096},
                               {"trials that are chosen at a time, and can run side by side"});
                 inner.integer("startup", s.startup, {.min = 1, .max = 1 << 20},
                               {"trials that are drawn at random before that"});
               }
             });
  v.object("budget", s.budget, {"how much is tried"});
  v.integer("seed", s.seed, {.min = 0}, {"of the points that are drawn"});
  v.object("select", s.select, {"by what the best trial is chosen"});
  v.choice("keep", s.keep, {{"scores", Keep::kScores}, {"runs", Keep::kRuns}},
           {"of finished trials: one small file each, or the whole directory of the run besides"});
  v.word_or_integers("pack", s.pack_auto, {{"auto", PackSize::kAuto}}, s.pack, {.min = 1, .max = 1024},
                     {"trials of the same features and folds that a worker runs as one: they are loaded once "
                      "and all models train side by side"});
  v.real("lease_s", s.lease_s, {.min = 1, .max = 86400},
         {"a worker on another machine that gives no sign of life for so long has lost its trial", "s"});
  v.integer("most_crashes", s.most_crashes, {.min = 1, .max = 1000},
            {"a trial whose process died so often counts as failed"});
  v.check(s.pack.size() < 2, "pack", "must be one number");
  v.check(plain_name(s.name), "name", "may hold letters, digits, '_', '-' and '.' only");
  v.check(s.strategy == Strategy::kGrid || !s.budget.trials.empty() || s.budget.hours.has_value(), "budget",
          cat("trials or hours are needed with strategy \"", to_string(s.strategy), "\""));
  check_axes(v, s);
}

}  // namespace serval::experiment
