// From a point of the axes to the experiment that a trial runs.
#pragma once

#include <string>
#include <vector>

#include "serval/experiment/settings.h"
#include "serval/experiment/sweep.h"

#include "sampler.h"

namespace serval::experiment {

// Appends what is wrong with it to `errors`.
ExperimentSettings trial_settings(const JsonValue& experiment, const Point& point,
                                  std::vector<std::string>& errors);
// 16 hexadecimal digits: a hash of the resolved experiment without what changes no result.
std::string trial_id(const ExperimentSettings& settings);

// The model whose scores count. Throws ConfigError where the sweep must name one.
std::string selection_model(const SweepSettings& sweep, const ExperimentSettings& settings);

// Relative paths in `raw`, where `resolved` has them from the root. Networks named by a file, which are the file's content
// there, get its path from the root.
void make_paths_absolute(JsonValue& raw, const JsonValue& resolved);
const JsonValue* value_at_path(const JsonValue& json, const std::string& path);

// The trials of these points, numbered from `first`. Paths in the points get absolute. What is wrong goes to `errors`.
std::vector<Trial> make_trials(const JsonValue& experiment, std::vector<Point> points, std::int64_t first,
                               std::vector<std::string>& errors);

std::string point_text(const Point& point);  // "train.batch_size=8 train.epochs=5"

}  // namespace serval::experiment
