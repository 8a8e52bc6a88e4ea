#include "trial.h"

#include <algorithm>
#include <charconv>
#include <filesystem>

#include "serval/core/error.h"
#include "serval/core/hash.h"
#include "serval/core/parallel.h"
#include "serval/core/settings_io.h"
#include "serval/experiment/resolve.h"

#include "checked_line.h"

namespace serval::experiment {
namespace fs = std::filesystem;

namespace {

// Raised when the same experiment shall count as another trial.
constexpr int kTrialVersion = 1;

}  // namespace

ExperimentSettings trial_settings(const JsonValue& experiment, const Point& point,
                                  std::vector<std::string>& errors) {
  try {
    ExperimentSettings settings = read_experiment(override_experiment_json(experiment, point), errors);
    if (errors.empty() && !folds::may_validate(settings.folds, settings.protocol)) {
      errors.push_back(cat("folds: nobody validates, and a sweep selects by validation scores; ",
                           folds::how_to_validate(settings.folds)));
    }
    return settings;
  } catch (const ConfigError& error) {
    errors.emplace_back(error.what());
    return {};
  }
}

std::string trial_id(const ExperimentSettings& settings) {
  ExperimentSettings what = settings;
  const ExperimentSettings defaults;
  what.name = what.description = what.store = "";
  what.tried = defaults.tried;
  what.store_shard_mib = defaults.store_shard_mib;
  what.train.checkpoint_every_s = defaults.train.checkpoint_every_s;
  what.train.parallel_models = defaults.train.parallel_models;
  return Hasher().integer(kTrialVersion).text(write_json(resolved_json(what))).hex().substr(0, 16);
}

std::string selection_model(const SweepSettings& sweep, const ExperimentSettings& settings) {
  std::vector<std::string> names;
  for (const auto& [name, model] : settings.models) names.push_back(name);
  const std::string& wanted = sweep.select.model;
  if (wanted.empty() && names.size() == 1) return names.front();
  if (std::find(names.begin(), names.end(), wanted) != names.end()) return wanted;
  if (wanted.empty())
    throw ConfigError(
        cat("select.model: the experiment has the models {", join(names, ", "), "}; name one of them"));
  throw ConfigError(cat("select.model: \"", wanted, "\" is not one of {", join(names, ", "), "}"));
}

void make_paths_absolute(JsonValue& raw, const JsonValue& resolved) {
  if (raw.kind == JsonValue::Kind::kText) {
    const bool changed = resolved.kind == JsonValue::Kind::kText && resolved.text != raw.text;
    if (changed) raw.text = fs::absolute(resolved.text).lexically_normal().string();
    if (resolved.kind != JsonValue::Kind::kObject || !raw.text.ends_with(".json")) return;
    std::string missing;
    const std::string expanded = expand_environment(raw.text, missing);
    if (missing.empty()) raw.text = fs::absolute(path_beside(raw, expanded)).lexically_normal().string();
    return;
  }
  for (auto& [key, value] : raw.members) {
    if (const JsonValue* other = resolved.find(key)) make_paths_absolute(value, *other);
  }
  const bool same_list = resolved.kind == JsonValue::Kind::kList && raw.items.size() == resolved.items.size();
  for (std::size_t i = 0; same_list && i < raw.items.size(); ++i)
    make_paths_absolute(raw.items[i], resolved.items[i]);
}

const JsonValue* value_at_path(const JsonValue& json, const std::string& path) {
  const JsonValue* at = &json;
  for (std::size_t from = 0; at != nullptr;) {
    const std::size_t dot = path.find('.', from);
    const std::string key = path.substr(from, dot - from);
    if (at->kind == JsonValue::Kind::kList) {
      std::size_t index = 0;
      const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), index);
      const bool there = error == std::errc{} && end == key.data() + key.size() && index < at->items.size();
      at = there ? &at->items[index] : nullptr;
    } else {
      at = at->find(key);
    }
    if (dot == std::string::npos) return at;
    from = dot + 1;
  }
  return nullptr;
}

std::vector<Trial> make_trials(const JsonValue& experiment, std::vector<Point> points, std::int64_t first,
                               std::vector<std::string>& errors) {
  std::vector<Trial> out(points.size());
  std::vector<std::vector<std::string>> wrong(points.size());
  parallel_for(points.size(), hardware_threads(), [&](std::size_t i) {
    Point& point = points[i];
    const ExperimentSettings settings = trial_settings(experiment, point, wrong[i]);
    if (!wrong[i].empty()) return;
    const JsonValue resolved = resolved_json(settings);
    for (auto& [path, value] : point) {
      if (const JsonValue* there = value_at_path(resolved, path)) make_paths_absolute(value, *there);
    }
    out[i] = {trial_id(settings), first + static_cast<std::int64_t>(i), std::move(point)};
  });
  for (const auto& of_one : wrong) errors.insert(errors.end(), of_one.begin(), of_one.end());
  return out;
}

std::string point_text(const Point& point) {
  std::vector<std::string> parts;
  for (const auto& [path, value] : point) parts.push_back(path + "=" + one_line(value));
  return join(parts, " ");
}

}  // namespace serval::experiment
