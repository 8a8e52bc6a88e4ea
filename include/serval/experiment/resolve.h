// From an experiment file to settings: inheritance, overrides, network files, checks.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "serval/core/json.h"
#include "serval/experiment/settings.h"

namespace serval::experiment {

// At its full size, or the small one that a file may have beside it: `serval run --quick`.
enum class ExperimentSize { kFull, kQuick };

// The file with its parents merged in, network files in place of their paths, and overrides applied.
//   "extends": "base.json"   objects merge deeply, lists are replaced, null removes what the parent has;
//              ["a", "b"]    b over a, and the file over both
//   "quick": {...}           for kQuick alone: laid over the whole in the same way, those of parents first, and over
//                            network files' content. The name then ends with "-quick".
//   overrides                "train.epochs=5", "models.m.network.layers.0.hidden=64": a path and a JSON value;
//                            a bare word counts as text
// Throws ConfigError, also where kQuick is asked of a file without "quick".
JsonValue load_experiment_json(const std::string& path, const std::vector<std::string>& overrides,
                               ExperimentSize size = ExperimentSize::kFull);

// Values laid over an experiment at dotted paths, as overrides are; network files that they name are read. Throws ConfigError
// with the value's place where a path leads nowhere.
JsonValue override_experiment_json(JsonValue json,
                                   const std::vector<std::pair<std::string, JsonValue>>& values);

// Appends every mistake to `errors`; the settings mean something only where there is none.
ExperimentSettings read_experiment(const JsonValue& json, std::vector<std::string>& errors);
// Throws ConfigError with every mistake, one a line, and how many there are.
ExperimentSettings read_experiment(const JsonValue& json, const std::string& path);

inline ExperimentSettings load_experiment(const std::string& path, const std::vector<std::string>& overrides,
                                          ExperimentSize size = ExperimentSize::kFull) {
  return read_experiment(load_experiment_json(path, overrides, size), path);
}

// The same experiment with every default explicit; reading it back gives the same settings.
JsonValue resolved_json(const ExperimentSettings& settings);

// A network on its own, as `serval model summary` takes it.
nn::NetworkSettings load_network(const std::string& path);
// The sizes of its inputs and its classes: as the file declares them, else as `inputs` ("mel=1,128,230", or "39" for
// the only one) and `classes` say, else 64 features a step and 8 classes. Throws ConfigError for an input that the file
// does not have, a shape that is none or contradicts the file, and an image without a shape.
nn::NetworkSizes summary_sizes(const nn::NetworkSettings& settings, const std::vector<std::string>& inputs,
                               std::int64_t classes);

JsonValue experiment_schema();

}  // namespace serval::experiment
