#include "serval/core/json.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <iterator>
#include <limits>
#include <string_view>

#include <nlohmann/json.hpp>

#include "serval/core/error.h"
#include "serval/core/files.h"

namespace serval {

namespace {

constexpr std::size_t kMaxDepth = 64;
constexpr std::uintmax_t kMaxFileBytes = 16u << 20;

// Counts what the parser has consumed; the library itself tells no positions.
class CountingIterator {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  CountingIterator(const char* at, std::size_t* consumed) : at_(at), consumed_(consumed) {}
  reference operator*() const { return *at_; }
  CountingIterator& operator++() {
    ++at_;
    ++*consumed_;
    return *this;
  }
  CountingIterator operator++(int) {
    CountingIterator before = *this;
    ++*this;
    return before;
  }
  friend bool operator==(const CountingIterator& a, const CountingIterator& b) { return a.at_ == b.at_; }

 private:
  const char* at_;
  std::size_t* consumed_;
};

// Builds the tree from the library's events.
class TreeBuilder : public nlohmann::json_sax<nlohmann::json> {
 public:
  TreeBuilder(const std::string& content, const std::string& name)
      : content_(content), file_(std::make_shared<const std::string>(name)) {
    for (std::size_t i = 0; i < content.size(); ++i) {
      if (content[i] == '\n') line_starts_.push_back(i + 1);
    }
  }

  std::size_t* consumed() { return &consumed_; }
  JsonValue& root() { return root_; }
  std::vector<std::string>& errors() { return errors_; }

  bool null() override { return scalar(JsonValue::Kind::kNull, token_start(4)) != nullptr; }
  bool boolean(bool value) override {
    JsonValue* out = scalar(JsonValue::Kind::kBool, token_start(value ? 4 : 5));
    if (out != nullptr) out->boolean = value;
    return out != nullptr;
  }
  bool number_integer(number_integer_t value) override { return integer(value); }
  bool number_unsigned(number_unsigned_t value) override {
    if (value > static_cast<number_unsigned_t>(std::numeric_limits<std::int64_t>::max())) {
      error(number_start(), cat(value, " is too large for a 64-bit integer"));
      return integer(0);
    }
    return integer(static_cast<std::int64_t>(value));
  }
  bool number_float(number_float_t value, const string_t&) override {
    JsonValue* out = scalar(JsonValue::Kind::kReal, number_start());
    if (out != nullptr) out->real = value;
    return out != nullptr;
  }
  bool string(string_t& value) override {
    JsonValue* out = scalar(JsonValue::Kind::kText, string_start());
    if (out != nullptr) out->text = value;
    return out != nullptr;
  }
  bool binary(binary_t&) override { return false; }
  bool start_object(std::size_t) override { return open(JsonValue::Kind::kObject); }
  bool end_object() override { return close(); }
  bool start_array(std::size_t) override { return open(JsonValue::Kind::kList); }
  bool end_array() override { return close(); }
  bool key(string_t& value) override {
    if (stack_.back()->find(value) != nullptr) error(string_start(), cat("duplicate key \"", value, "\""));
    key_ = value;
    return true;
  }
  bool parse_error(std::size_t position, const std::string& last_token,
                   const nlohmann::detail::exception& exception) override {
    std::string what = exception.what();
    // "[json.exception.parse_error.101] parse error at line 3, column 5: ..." -> "..."
    const std::size_t colon = what.find("column ");
    const std::size_t text = colon == std::string::npos ? what.find("] ") : what.find(": ", colon);
    if (text != std::string::npos) what = what.substr(text + 2);
    std::size_t at = std::min(position > 0 ? position - 1 : 0, content_.size());
    if (exception.id == 406) {
      at = number_start();
      what = "this number does not fit a 64-bit floating-point value";
    } else if (!last_token.empty() && (last_token.back() == '}' || last_token.back() == ']')) {
      std::size_t before = at;
      while (before > 0 && std::isspace(static_cast<unsigned char>(content_[before - 1]))) --before;
      if (before > 0 && content_[before - 1] == ',') {
        at = before - 1;
        what = "a comma before the closing bracket; remove it";
      }
    }
    if (what.size() > 300) what = what.substr(0, 300) + " ...";
    error(at, "not valid JSON: " + what);
    return false;
  }

 private:
  JsonPlace place(std::size_t offset) const {
    const auto line = std::upper_bound(line_starts_.begin(), line_starts_.end(), offset);
    return {file_, static_cast<int>(line - line_starts_.begin()), static_cast<int>(offset - *(line - 1)) + 1};
  }
  void error(std::size_t offset, const std::string& message) {
    errors_.push_back(to_string(place(offset)) + ": " + message);
  }

  std::size_t token_start(std::size_t length) const { return consumed_ >= length ? consumed_ - length : 0; }
  // A string token holds no unescaped quote: its opening quote is the nearest unescaped one before its end.
  std::size_t string_start() const {
    std::size_t at = consumed_ >= 2 ? consumed_ - 2 : 0;
    for (; at > 0; --at) {
      if (content_[at] != '"') continue;
      std::size_t slashes = 0;
      while (slashes < at && content_[at - 1 - slashes] == '\\') ++slashes;
      if (slashes % 2 == 0) break;
    }
    return at;
  }
  // The lexer has read one character past a number, except at the end of the text.
  std::size_t number_start() const {
    const auto in_number = [](char c) {
      return std::isdigit(static_cast<unsigned char>(c)) ||
             std::string_view("+-.eE").find(c) != std::string_view::npos;
    };
    std::size_t at = std::min(consumed_, content_.size());
    if (at > 0 && !in_number(content_[at - 1])) --at;
    while (at > 0 && in_number(content_[at - 1])) --at;
    return at;
  }

  JsonValue* add(JsonValue::Kind kind, std::size_t offset) {
    JsonValue value;
    value.kind = kind;
    value.place = place(offset);
    if (stack_.empty()) {
      root_ = std::move(value);
      return &root_;
    }
    JsonValue& parent = *stack_.back();
    if (parent.kind == JsonValue::Kind::kList) return &parent.items.emplace_back(std::move(value));
    return &parent.members.emplace_back(key_, std::move(value)).second;
  }
  JsonValue* scalar(JsonValue::Kind kind, std::size_t offset) { return add(kind, offset); }
  bool integer(std::int64_t value) {
    JsonValue* out = scalar(JsonValue::Kind::kInteger, number_start());
    out->integer = value;
    out->real = static_cast<double>(value);
    return true;
  }
  bool open(JsonValue::Kind kind) {
    if (stack_.size() >= kMaxDepth) {
      error(token_start(1), cat("nested more than ", kMaxDepth, " deep"));
      return false;
    }
    // Pointers on the stack stay valid: a parent gains no sibling of an open child before the child closes.
    stack_.push_back(add(kind, token_start(1)));
    return true;
  }
  bool close() {
    stack_.pop_back();
    return true;
  }

  const std::string& content_;
  std::shared_ptr<const std::string> file_;
  std::vector<std::size_t> line_starts_{0};
  std::size_t consumed_ = 0;
  JsonValue root_;
  std::vector<JsonValue*> stack_;
  std::string key_;
  std::vector<std::string> errors_;
};

void write(const JsonValue& value, int indent, std::string& out) {
  const std::string inner(static_cast<std::size_t>(indent) + 2, ' ');
  const std::string outer(static_cast<std::size_t>(indent), ' ');
  switch (value.kind) {
    case JsonValue::Kind::kNull:
      out += "null";
      return;
    case JsonValue::Kind::kBool:
      out += value.boolean ? "true" : "false";
      return;
    case JsonValue::Kind::kInteger:
      out += std::to_string(value.integer);
      return;
    case JsonValue::Kind::kReal:
      out += json_number(value.real);
      return;
    case JsonValue::Kind::kText:
      out += json_text(value.text);
      return;
    case JsonValue::Kind::kList: {
      const bool flat = std::all_of(value.items.begin(), value.items.end(), [](const JsonValue& item) {
        return item.kind != JsonValue::Kind::kList && item.kind != JsonValue::Kind::kObject;
      });
      out += "[";
      for (std::size_t i = 0; i < value.items.size(); ++i) {
        if (i > 0) out += flat ? ", " : ",";
        if (!flat) out += "\n" + inner;
        write(value.items[i], indent + 2, out);
      }
      out += flat ? "]" : "\n" + outer + "]";
      return;
    }
    case JsonValue::Kind::kObject:
      out += "{";
      for (std::size_t i = 0; i < value.members.size(); ++i) {
        out += (i > 0 ? ",\n" : "\n") + inner + json_text(value.members[i].first) + ": ";
        write(value.members[i].second, indent + 2, out);
      }
      out += value.members.empty() ? "}" : "\n" + outer + "}";
      return;
  }
}

}  // namespace

std::string to_string(const JsonPlace& place) {
  if (!place.file) return "?";
  return place.line > 0 ? cat(*place.file, ":", place.line, ":", place.column) : *place.file;
}

const JsonValue* JsonValue::find(const std::string& key) const {
  for (const auto& [name, value] : members) {
    if (name == key) return &value;
  }
  return nullptr;
}

const JsonValue& need_member(const JsonValue& object, const char* key, const std::string& hint) {
  const JsonValue* value = object.find(key);
  if (value == nullptr) throw DataError(cat(to_string(object.place), ": \"", key, "\" is missing", hint));
  return *value;
}

JsonValue::JsonValue() = default;
JsonValue::JsonValue(const JsonValue&) = default;
JsonValue::JsonValue(JsonValue&&) noexcept = default;
JsonValue& JsonValue::operator=(const JsonValue&) = default;
JsonValue& JsonValue::operator=(JsonValue&&) noexcept = default;
JsonValue::~JsonValue() = default;

JsonValue JsonValue::of(bool value) {
  JsonValue out;
  out.kind = Kind::kBool;
  out.boolean = value;
  return out;
}

JsonValue JsonValue::of(std::int64_t value) {
  JsonValue out;
  out.kind = Kind::kInteger;
  out.integer = value;
  out.real = static_cast<double>(value);
  return out;
}

JsonValue JsonValue::of(double value) {
  JsonValue out;
  out.kind = std::isfinite(value) ? Kind::kReal : Kind::kNull;
  out.real = value;
  return out;
}

JsonValue JsonValue::of(const std::string& value) {
  JsonValue out;
  out.kind = Kind::kText;
  out.text = value;
  return out;
}

JsonValue JsonValue::of(const std::vector<std::string>& values) {
  JsonValue out = list();
  for (const std::string& value : values) out.items.push_back(of(value));
  return out;
}

JsonValue JsonValue::object() {
  JsonValue out;
  out.kind = Kind::kObject;
  return out;
}

JsonValue JsonValue::list() {
  JsonValue out;
  out.kind = Kind::kList;
  return out;
}

JsonValue& JsonValue::set(const std::string& key, JsonValue value) {
  members.emplace_back(key, std::move(value));
  return *this;
}

const char* to_string(JsonValue::Kind kind) {
  constexpr std::array<const char*, 7> kNames{"null", "boolean", "integer", "number",
                                              "text", "list",    "object"};
  return kNames[static_cast<std::size_t>(kind)];
}

JsonValue parse_json(const std::string& content, const std::string& name) {
  TreeBuilder builder(content, name);
  const char* data = content.data();
  const CountingIterator begin(data, builder.consumed());
  const CountingIterator end(data + content.size(), builder.consumed());
  nlohmann::json::sax_parse(begin, end, &builder, nlohmann::json::input_format_t::json, true, true);
  if (!builder.errors().empty()) throw ConfigError(join(builder.errors(), "\n"));
  return std::move(builder.root());
}

JsonValue parse_json_file(const std::string& path) {
  std::error_code error;
  const std::uintmax_t bytes = std::filesystem::file_size(path, error);
  if (error) throw ConfigError(cat(path, ": cannot be read: ", error.message()));
  if (bytes > kMaxFileBytes) {
    throw ConfigError(cat(path, ": ", bytes, " bytes; a JSON file here has at most ", kMaxFileBytes));
  }
  return parse_json(read_text(path), path);
}

std::string json_number(double value) {
  if (!std::isfinite(value)) return "null";
  std::array<char, 32> text{};
  const auto [end, error] = std::to_chars(text.data(), text.data() + text.size(), value);
  std::string out(text.data(), end);
  // Keeps a real a real when it is read back.
  if (out.find_first_of(".eE") == std::string::npos) out += ".0";
  return out;
}

std::string json_text(const std::string& value) {
  return nlohmann::json(value).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string write_json(const JsonValue& value) {
  std::string out;
  write(value, 0, out);
  return out + "\n";
}

}  // namespace serval
