// JSON text with the place of every value, for messages that a person can act on.
// Comments (// and /* */) are allowed. Duplicate keys and trailing commas are errors, as are numbers that no
// 64-bit type holds; several errors in one file are reported together where the grammar allows going on.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace serval {

struct JsonPlace {
  std::shared_ptr<const std::string> file;  // path, or "--set" and the like
  int line = 0;
  int column = 0;
};
std::string to_string(const JsonPlace& place);  // "experiments/x.json:23:18"

struct JsonValue {
  enum class Kind { kNull, kBool, kInteger, kReal, kText, kList, kObject };
  Kind kind = Kind::kNull;
  bool boolean = false;
  std::int64_t integer = 0;
  double real = 0;  // also set for integers
  std::string text;
  std::vector<JsonValue> items;                            // list
  std::vector<std::pair<std::string, JsonValue>> members;  // object, in file order
  JsonPlace place;

  // Written out and defined in json.cc, where the pair of a name and this type is complete.
  JsonValue();
  JsonValue(const JsonValue&);
  JsonValue(JsonValue&&) noexcept;
  JsonValue& operator=(const JsonValue&);
  JsonValue& operator=(JsonValue&&) noexcept;
  ~JsonValue();

  const JsonValue* find(const std::string& key) const;

  // For building documents to write.
  static JsonValue of(bool value);
  static JsonValue of(std::int64_t value);
  static JsonValue of(int value) { return of(static_cast<std::int64_t>(value)); }
  static JsonValue of(double value);  // not finite: null
  static JsonValue of(const std::string& value);
  static JsonValue of(const char* value) { return of(std::string(value)); }
  static JsonValue of(const std::vector<std::string>& values);
  static JsonValue object();
  static JsonValue list();
  // Adds a member and returns *this.
  JsonValue& set(const std::string& key, JsonValue value);
};
// Throws DataError naming the object's place where it has no such member; `hint` follows the message.
const JsonValue& need_member(const JsonValue& object, const char* key, const std::string& hint = "");
// "null", "boolean", "integer", "number", "text", "list", "object"
const char* to_string(JsonValue::Kind kind);

// Throws ConfigError listing what is wrong, each with its place. `name` appears in the messages.
JsonValue parse_json(const std::string& content, const std::string& name);
JsonValue parse_json_file(const std::string& path);

// Indented JSON text. Numbers print with the fewest digits that read back equal.
std::string write_json(const JsonValue& value);
std::string json_number(double value);
std::string json_text(const std::string& value);  // quoted and escaped

}  // namespace serval
