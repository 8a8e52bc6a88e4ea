#include <algorithm>
#include <filesystem>
#include <optional>
#include <set>

#include "serval/core/error.h"
#include "serval/core/settings_io.h"
#include "serval/experiment/resolve.h"
#include "serval/experiment/sweep.h"

#include "trial.h"

namespace serval::experiment {
namespace fs = std::filesystem;

namespace {

// Mistakes, each once: the same value may be part of many trials.
class Mistakes {
 public:
  void add(const std::vector<std::string>& errors) {
    for (const std::string& error : errors) {
      // Without its place: an unknown path is one mistake, whatever its values.
      const std::size_t blank = error.find(": ");
      if (seen_.insert(blank == std::string::npos ? error : error.substr(blank)).second)
        all_.push_back(error);
    }
  }
  bool any() const { return !all_.empty(); }
  void throw_if_any() const {
    if (!any()) return;
    throw ConfigError(cat(join(all_, "\n"), "\n", all_.size(), all_.size() == 1 ? " error" : " errors",
                          "; nothing was run"));
  }

 private:
  std::vector<std::string> all_;
  std::set<std::string> seen_;
};

// The ends of every range and every listed value once, beside the beginnings of the other axes.
std::vector<Point> points_to_check(const SweepSettings& settings) {
  constexpr double kEnd = 1 - 0x1p-32;
  std::vector<Point> out;
  const std::size_t axes = settings.axes.size();
  for (std::size_t k = 0; k < axes; ++k) {
    const AxisSettings& axis = settings.axes[k].second;
    std::vector<double> places{0.0, kEnd};
    for (std::size_t i = 0; i < axis.values.size(); ++i) places.push_back(place_of(axis, axis.values[i]));
    for (const double place : places) {
      std::vector<double> u(axes, 0.0);
      u[k] = place;
      // Without its condition the axis would not be there.
      for (std::size_t on = k; settings.axes[on].second.when;) {
        const ConditionSettings& when = *settings.axes[on].second.when;
        for (std::size_t c = 0; c < on; ++c) {
          if (settings.axes[c].first != when.axis) continue;
          const AxisSettings& other = settings.axes[c].second;
          for (const JsonValue& wanted : when.in) {
            for (const JsonValue& value : other.values) {
              if (write_json(value) == write_json(wanted)) u[c] = place_of(other, value);
            }
          }
          on = c;
          break;
        }
      }
      out.push_back(point_at(settings, u));
    }
  }
  return out;
}

// An axis named `train.epoch` is a mistake even where no trial has it.
void need_reachable(const SweepSettings& settings, const std::vector<Point>& points, const JsonValue& json,
                    Mistakes& mistakes) {
  std::set<std::string> there;
  for (const Point& point : points) {
    for (const auto& [path, value] : point) there.insert(path);
  }
  for (const auto& [path, axis] : settings.axes) {
    if (there.count(path) > 0) continue;
    mistakes.add({cat(to_string(json.find("axes")->find(path)->place), ": axes.", path,
                      ".when: never holds, so the axis is in no trial")});
  }
}

// Drawn values stand nowhere in the file; their axes do.
void give_places(std::vector<Point>& points, const JsonValue& json) {
  for (Point& point : points) {
    for (auto& [axis, value] : point) {
      const JsonValue* where = json.find("axes")->find(axis);
      if (value.place.file == nullptr) value.place = where == nullptr ? json.place : where->place;
    }
  }
}

void check_selection(const SweepSettings& sweep, const ExperimentSettings& experiment,
                     const std::string& path, Mistakes& mistakes) {
  try {
    selection_model(sweep, experiment);
  } catch (const ConfigError& error) {
    mistakes.add({cat(path, ": ", error.what())});
  }
}

}  // namespace

SweepPlan load_sweep(const std::string& path) {
  // From the root, so that paths in it are, too.
  JsonValue json = parse_json_file(fs::absolute(path).lexically_normal().string());
  std::erase_if(json.members, [](const auto& member) { return member.first == "$schema"; });
  Mistakes mistakes;
  std::vector<std::string> errors;
  SweepPlan plan;
  plan.settings = read_settings<SweepSettings>(json, errors);
  const SweepSettings& settings = plan.settings;
  const bool axes_sound = std::none_of(errors.begin(), errors.end(), [](const std::string& error) {
    return error.find(": axes") != std::string::npos;
  });
  const bool sound = errors.empty();
  mistakes.add(errors);
  if (settings.experiment.empty()) mistakes.throw_if_any();
  std::optional<ExperimentSettings> base;
  try {
    plan.experiment =
        load_experiment_json(fs::absolute(settings.experiment).lexically_normal().string(), settings.set,
                             settings.quick ? ExperimentSize::kQuick : ExperimentSize::kFull);
    errors.clear();
    base = read_experiment(plan.experiment, errors);
    mistakes.add(errors);
  } catch (const ConfigError& error) {
    errors = {error.what()};
    mistakes.add(errors);
  }
  if (!errors.empty()) mistakes.throw_if_any();
  check_selection(settings, *base, path, mistakes);
  make_paths_absolute(plan.experiment, resolved_json(*base));
  if (!axes_sound) mistakes.throw_if_any();
  std::vector<Point> points = points_to_check(settings);
  need_reachable(settings, points, json, mistakes);
  give_places(points, json);
  errors.clear();
  make_trials(plan.experiment, std::move(points), 1, errors);
  mistakes.add(errors);
  if (!sound) mistakes.throw_if_any();
  points = make_sampler(settings)->ask({});
  give_places(points, json);
  errors.clear();
  plan.first_batch = make_trials(plan.experiment, std::move(points), 1, errors);
  mistakes.add(errors);
  mistakes.throw_if_any();
  return plan;
}

JsonValue sweep_schema() {
  SweepSettings settings;
  JsonValue schema = settings_schema([&](SettingsVisitor& v) { describe(v, settings); });
  JsonValue text = JsonValue::object();
  text.set("type", JsonValue::of("string"));
  for (auto& [key, value] : schema.members) {
    if (key == "properties") value.set("$schema", text);
  }
  return schema;
}

}  // namespace serval::experiment
