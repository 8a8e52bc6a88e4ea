// JSON documents on one line each, with their checksum in front: "<32 hexadecimal digits> {...}".
#pragma once

#include <optional>
#include <string>

#include "serval/core/json.h"

namespace serval::experiment {

std::string one_line(const JsonValue& json);      // without a line end
std::string checked_line(const JsonValue& json);  // with one

// None where the line is not what was written. `name` is how errors call it.
std::optional<JsonValue> read_checked_line(const std::string& line, const std::string& name);

// A file of one such line, whole or absent. Throws DataError where it was changed after it was written.
JsonValue read_checked_file(const std::string& path);

}  // namespace serval::experiment
