#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <set>

#include "serval/core/error.h"
#include "serval/core/settings_io.h"

namespace serval {

namespace {

std::string range_text(double min, double max, bool above_min) {
  const auto number = [](double value) {
    if (value == std::numeric_limits<double>::infinity()) return std::string("inf");
    if (value == -std::numeric_limits<double>::infinity()) return std::string("-inf");
    return cat(value);
  };
  return cat(above_min ? "(" : "[", number(min), ", ", number(max), "]");
}

class Reader : public SettingsVisitor {
 public:
  Reader(const JsonValue& object, std::string path, std::vector<std::string>& errors)
      : object_(object), path_(std::move(path)), errors_(errors) {}

  void check(bool holds, const char* name, const std::string& message) override {
    if (holds) return;
    const JsonValue* value = *name == '\0' ? nullptr : object_.find(name);
    report(value == nullptr ? object_ : *value, *name == '\0' ? path_ : child(name), message);
  }

  void report_unknown() const {
    if (object_.kind != JsonValue::Kind::kObject) return;
    for (const auto& [key, value] : object_.members) {
      if (known_.count(key) > 0) continue;
      const std::vector<std::string> known(known_.begin(), known_.end());
      const std::string guess = nearest_word(key, known);
      report(value, child(key.c_str()),
             guess.empty() ? cat("unknown key; known here: ", join(known, ", "))
                           : cat("unknown key; did you mean \"", guess, "\"?"));
    }
  }

 protected:
  void visit_integer(const char* name, std::int64_t& value, IntRange range, Help help) override {
    const JsonValue* found = take(name, help);
    if (found == nullptr) return;
    if (found->kind != JsonValue::Kind::kInteger) return wrong_kind(*found, name, "an integer");
    if (found->integer < range.min || found->integer > range.max) {
      return report(*found, child(name),
                    cat(found->integer, " is out of range [", range.min, ", ", range.max, "]"));
    }
    value = found->integer;
  }

  void visit_real(const char* name, double& value, RealRange range, Help help) override {
    const JsonValue* found = take(name, help);
    if (found != nullptr) read_real(*found, name, value, range);
  }

  void visit_optional_real(const char* name, std::optional<double>& value, RealRange range,
                           Help help) override {
    const JsonValue* found = take(name, help);
    if (found == nullptr) return;
    if (found->kind == JsonValue::Kind::kNull) {
      value.reset();
      return;
    }
    double number = value.value_or(0);
    if (read_real(*found, name, number, range)) value = number;
  }

  void visit_interval(const char* name, Interval& value, RealRange range, Help help) override {
    const JsonValue* found = take(name, help);
    if (found == nullptr) return;
    if (found->kind != JsonValue::Kind::kList) {
      double number = 0;
      if (read_real(*found, name, number, range)) value = {number, number};
      return;
    }
    if (found->items.size() != 2) {
      return report(*found, child(name), cat("must be [low, high], not ", found->items.size(), " values"));
    }
    Interval both;
    // Both are read, so that the mistakes of both are reported.
    const bool low = read_real(found->items[0], cat(name, "[0]").c_str(), both.low, range);
    const bool high = read_real(found->items[1], cat(name, "[1]").c_str(), both.high, range);
    if (low && high && both.low > both.high) {
      return report(*found, child(name), cat("[", both.low, ", ", both.high, "]: low is above high"));
    }
    if (low && high) value = both;
  }

  void visit_flag(const char* name, bool& value, Help help) override {
    const JsonValue* found = take(name, help);
    if (found == nullptr) return;
    if (found->kind != JsonValue::Kind::kBool) return wrong_kind(*found, name, "true or false");
    value = found->boolean;
  }

  void visit_text(const char* name, std::string& value, Help help) override {
    const JsonValue* found = take(name, help);
    if (found == nullptr) return;
    if (found->kind != JsonValue::Kind::kText) return wrong_kind(*found, name, "text in quotes");
    if (help.need == Need::kRequired && found->text.empty())
      return report(*found, child(name), "must not be empty");
    value = found->text;
  }

  void visit_path(const char* name, std::string& value, Help help) override {
    const JsonValue* found = take(name, help);
    if (found == nullptr) return;
    if (found->kind != JsonValue::Kind::kText) return wrong_kind(*found, name, "a path in quotes");
    std::string missing;
    const std::string expanded = expand_environment(found->text, missing);
    if (!missing.empty()) {
      return report(*found, child(name), cat("the environment variable ", missing, " is not set"));
    }
    value = expanded.empty() ? expanded : path_beside(*found, expanded);
  }

  void visit_integers(const char* name, std::vector<std::int64_t>& values, IntRange range,
                      Help help) override {
    const JsonValue* found = take(name, help);
    if (found == nullptr) return;
    const auto read = [&](const JsonValue& item, const std::string& at) {
      if (item.kind != JsonValue::Kind::kInteger) {
        wrong_kind(item, at.c_str(), "an integer");
      } else if (item.integer < range.min || item.integer > range.max) {
        report(item, child(at.c_str()),
               cat(item.integer, " is out of range [", range.min, ", ", range.max, "]"));
      } else {
        values.push_back(item.integer);
      }
    };
    if (found->kind == JsonValue::Kind::kInteger) {
      values.clear();
      return read(*found, name);
    }
    if (found->kind != JsonValue::Kind::kList)
      return wrong_kind(*found, name, "an integer or a list of integers");
    values.clear();
    for (std::size_t i = 0; i < found->items.size(); ++i) read(found->items[i], cat(name, "[", i, "]"));
  }

  void visit_word_or_integers(const char* name, const std::vector<std::string>& words, std::size_t& word,
                              std::vector<std::int64_t>& values, IntRange range, Help help) override {
    const JsonValue* found = object_.find(name);
    if (found == nullptr || found->kind == JsonValue::Kind::kInteger ||
        found->kind == JsonValue::Kind::kList) {
      visit_integers(name, values, range, help);
      if (found != nullptr && found->kind == JsonValue::Kind::kList && found->items.empty())
        report(*found, child(name), "must not be empty");
      return;
    }
    take(name, help);
    const auto match = std::find(words.begin(), words.end(), found->text);
    if (found->kind != JsonValue::Kind::kText || match == words.end()) {
      const std::string what =
          found->kind == JsonValue::Kind::kText ? json_text(found->text) : to_string(found->kind);
      return report(
          *found, child(name),
          cat("must be one of {", join(words, ", "), "}, an integer or a list of integers, not ", what));
    }
    word = static_cast<std::size_t>(match - words.begin());
    values.clear();
  }

  void visit_texts(const char* name, std::vector<std::string>& values, Help help) override {
    const JsonValue* found = take(name, help);
    if (found == nullptr) return;
    if (found->kind == JsonValue::Kind::kText) {
      values = {found->text};
      return;
    }
    if (found->kind != JsonValue::Kind::kList)
      return wrong_kind(*found, name, "text in quotes or a list of them");
    values.clear();
    for (std::size_t i = 0; i < found->items.size(); ++i) {
      const JsonValue& item = found->items[i];
      if (item.kind != JsonValue::Kind::kText) {
        wrong_kind(item, cat(name, "[", i, "]").c_str(), "text in quotes");
      } else {
        values.push_back(item.text);
      }
    }
  }

  void visit_json_values(const char* name, std::vector<JsonValue>& values, Help help) override {
    if (const JsonValue* found = take_list(name, help, "a list")) values = found->items;
  }

  void visit_text_map(const char* name, NamedList<std::string>& values, Help help) override {
    const JsonValue* found = take_object(name, help);
    if (found == nullptr) return;
    values.clear();
    for (const auto& [key, value] : found->members) {
      // null stands for "": a label map drops a label that way.
      if (value.kind != JsonValue::Kind::kText && value.kind != JsonValue::Kind::kNull) {
        wrong_kind(value, cat(name, ".", key).c_str(), "text in quotes or null");
      } else {
        values.emplace_back(key, value.text);
      }
    }
  }

  void visit_variants(const char* name, const std::vector<std::string>& options, std::size_t index, Help help,
                      const std::function<void(std::size_t, SettingsVisitor&)>& body) override {
    const JsonValue* found = take(name, help);
    if (found != nullptr) {
      const auto match = std::find(options.begin(), options.end(), found->text);
      if (found->kind != JsonValue::Kind::kText) {
        wrong_kind(*found, name, cat("one of {", join(options, ", "), "}"));
      } else if (match == options.end()) {
        const std::string guess = nearest_word(found->text, options);
        report(*found, child(name),
               cat(json_text(found->text), " is not one of {", join(options, ", "), "}",
                   guess.empty() ? "" : cat("; did you mean \"", guess, "\"?")));
        unsure_ = true;  // the other fields cannot be judged without it
      } else {
        index = static_cast<std::size_t>(match - options.begin());
      }
    }
    body(index, *this);
  }

  void visit_object(const char* name, Help help, const Body& body) override {
    const JsonValue* found = take_object(name, help);
    if (found != nullptr) descend(*found, child(name), body);
  }

  void visit_optional_object(const char* name, Help help, bool, const std::function<void()>& make,
                             const Body& body) override {
    const JsonValue* found = take(name, help);
    if (found == nullptr || found->kind == JsonValue::Kind::kNull) return;
    if (found->kind != JsonValue::Kind::kObject) return wrong_kind(*found, name, "an object");
    make();
    descend(*found, child(name), body);
  }

  void visit_items(const char* name, bool named, Help help, const ItemsAccess& items) override {
    const JsonValue* found = named ? take_object(name, help) : take_list(name, help, "a list");
    if (found == nullptr) return;
    const auto add = [&](const std::string& key, const JsonValue& value, const std::string& at) {
      items.append(key);
      const std::size_t last = items.size() - 1;
      if (value.kind != JsonValue::Kind::kObject) return wrong_kind(value, at.c_str(), "an object");
      descend(value, child(at.c_str()), [&](SettingsVisitor& v) { items.describe(last, v); });
    };
    for (const auto& [key, value] : found->members) add(key, value, cat(name, ".", key));
    for (std::size_t i = 0; i < found->items.size(); ++i) add("", found->items[i], cat(name, "[", i, "]"));
  }

 private:
  std::string child(const char* name) const { return path_.empty() ? name : path_ + "." + name; }
  void report(const JsonValue& value, const std::string& path, const std::string& message) const {
    errors_.push_back(cat(to_string(value.place), ": ", path, path.empty() ? "" : ": ", message));
  }
  void wrong_kind(const JsonValue& value, const char* name, const std::string& expected) const {
    report(value, child(name), cat("must be ", expected, ", not ", to_string(value.kind)));
  }

  const JsonValue* take(const char* name, Help help) {
    known_.insert(name);
    const JsonValue* found = object_.find(name);
    if (found == nullptr && help.need == Need::kRequired) {
      report(object_, child(name), cat("is missing (", help.text, ")"));
    }
    return found;
  }
  const JsonValue* take_list(const char* name, Help help, const char* expected) {
    const JsonValue* found = take(name, help);
    if (found == nullptr || found->kind == JsonValue::Kind::kList) return found;
    wrong_kind(*found, name, expected);
    return nullptr;
  }
  const JsonValue* take_object(const char* name, Help help) {
    const JsonValue* found = take(name, help);
    if (found == nullptr || found->kind == JsonValue::Kind::kObject) return found;
    wrong_kind(*found, name, "an object");
    return nullptr;
  }

  bool read_real(const JsonValue& found, const char* name, double& value, RealRange range) const {
    if (found.kind != JsonValue::Kind::kReal && found.kind != JsonValue::Kind::kInteger) {
      wrong_kind(found, name, "a number");
      return false;
    }
    const double number = found.real;
    if (number < range.min || number > range.max || (range.above_min && number == range.min)) {
      report(found, child(name),
             cat(number, " is out of range ", range_text(range.min, range.max, range.above_min)));
      return false;
    }
    value = number;
    return true;
  }

  void descend(const JsonValue& value, const std::string& path, const Body& body) const {
    Reader inner(value, path, errors_);
    body(inner);
    if (!inner.unsure_) inner.report_unknown();
  }

  const JsonValue& object_;
  std::string path_;
  std::vector<std::string>& errors_;
  std::set<std::string> known_;
  bool unsure_ = false;
};

}  // namespace

std::string expand_environment(const std::string& text, std::string& missing) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t open = text.find("${", at);
    const std::size_t close = open == std::string::npos ? open : text.find('}', open);
    if (close == std::string::npos) {
      out += text.substr(at);
      break;
    }
    out += text.substr(at, open - at);
    const std::string name = text.substr(open + 2, close - open - 2);
    const char* value = std::getenv(name.c_str());
    if (value == nullptr) {
      missing = name;
    } else {
      out += value;
    }
    at = close + 1;
  }
  return out;
}

std::string path_beside(const JsonValue& value, const std::string& path) {
  namespace fs = std::filesystem;
  const bool in_file = value.place.file && value.place.line > 0;
  const fs::path folder = in_file ? fs::path(*value.place.file).parent_path() : fs::path();
  return fs::absolute(folder / path).lexically_normal().string();
}

void read_settings(const JsonValue& value, const std::function<void(SettingsVisitor&)>& describe_root,
                   std::vector<std::string>& errors) {
  if (value.kind != JsonValue::Kind::kObject) {
    errors.push_back(cat(to_string(value.place), ": must be an object, not ", to_string(value.kind)));
    return;
  }
  Reader reader(value, "", errors);
  describe_root(reader);
  reader.report_unknown();
}

}  // namespace serval
