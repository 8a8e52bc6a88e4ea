// Visitors over settings: read from JSON, write as JSON, write as JSON Schema.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "serval/core/json.h"
#include "serval/core/settings.h"

namespace serval {

// Collects every error; messages look like
//   experiments/x.json:23:18: features.logmel.n_mel: unknown key; did you mean "n_mels"?
// Appends to `errors` and leaves the defaults where a value is unusable.
void read_settings(const JsonValue& value, const std::function<void(SettingsVisitor&)>& describe_root,
                   std::vector<std::string>& errors);

// Every setting with its value, defaults included.
JsonValue described_to_json(const std::function<void(SettingsVisitor&)>& describe_root);

// JSON Schema (draft 2020-12) of the settings; defaults come from a default-constructed struct.
JsonValue settings_schema(const std::function<void(SettingsVisitor&)>& describe_root);

// ${NAME} replaced from the environment; `missing` gets the name of a variable that is not set.
std::string expand_environment(const std::string& text, std::string& missing);
// `path` as seen from the folder of the file that `value` stands in (or from the working folder).
std::string path_beside(const JsonValue& value, const std::string& path);

template <class T>
T read_settings(const JsonValue& value, std::vector<std::string>& errors) {
  T settings;
  read_settings(
      value, [&settings](SettingsVisitor& v) { describe(v, settings); }, errors);
  return settings;
}
template <class T>
JsonValue settings_to_json(const T& settings) {
  T copy = settings;
  return described_to_json([&copy](SettingsVisitor& v) { describe(v, copy); });
}

}  // namespace serval
