// Fields of a JSON file that Serval itself wrote: what is missing or of another kind is a DataError naming file and place.
#pragma once

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "serval/core/error.h"
#include "serval/core/json.h"

namespace serval::experiment {

// A file that is there and is JSON.
inline JsonValue read_json_data(const std::string& path) {
  try {
    return parse_json_file(path);
  } catch (const ConfigError& error) {
    throw DataError(error.what());
  }
}

inline const JsonValue& field(const JsonValue& object, const char* key, JsonValue::Kind kind) {
  const JsonValue& value = need_member(object, key, "; was it written by another version of Serval?");
  if (value.kind != kind)
    throw DataError(cat(to_string(value.place), ": ", key, " is ", to_string(value.kind), " instead of ",
                        to_string(kind)));
  return value;
}
inline const std::string& text_field(const JsonValue& object, const char* key) {
  return field(object, key, JsonValue::Kind::kText).text;
}
inline std::int64_t integer_field(const JsonValue& object, const char* key) {
  return field(object, key, JsonValue::Kind::kInteger).integer;
}
// null is NaN, as JsonValue::of(double) writes it.
inline double number_value(const JsonValue& value, const std::string& what) {
  if (value.kind == JsonValue::Kind::kNull) return std::numeric_limits<double>::quiet_NaN();
  if (value.kind != JsonValue::Kind::kReal && value.kind != JsonValue::Kind::kInteger)
    throw DataError(
        cat(to_string(value.place), ": ", what, " is ", to_string(value.kind), " instead of a number"));
  return value.real;
}
inline double number_field(const JsonValue& object, const char* key) {
  return number_value(need_member(object, key), key);
}
inline std::vector<std::string> texts_field(const JsonValue& object, const char* key) {
  std::vector<std::string> out;
  for (const JsonValue& item : field(object, key, JsonValue::Kind::kList).items) {
    if (item.kind != JsonValue::Kind::kText)
      throw DataError(
          cat(to_string(item.place), ": ", key, " holds ", to_string(item.kind), " instead of text"));
    out.push_back(item.text);
  }
  return out;
}

}  // namespace serval::experiment
