// JSON on one line, as files and streams of JSON lines have it.
#pragma once

#include <string>

#include "serval/core/json.h"

namespace serval {

std::string write_json_line(const JsonValue& value);  // with the line's end

}  // namespace serval
