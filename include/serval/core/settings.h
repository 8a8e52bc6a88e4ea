// Settings: each one is declared once, with its name, type, unit, default, range and help.
//
// A settings struct holds plain members with in-class defaults and has one free function beside it:
//   void describe(SettingsVisitor& v, TrimSettings& s) {
//     v.real("trim_db", s.trim_db, {.min = 0, .max = 120}, {"silence threshold below the peak", "dB"});
//   }
// Reading JSON, writing the resolved JSON, the JSON Schema and the reference page are all visitors over that
// function (core/settings_io.h). A reader collects every error and goes on; it never stops at the first.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace serval {

struct JsonValue;

struct IntRange {
  std::int64_t min = std::numeric_limits<std::int64_t>::min();
  std::int64_t max = std::numeric_limits<std::int64_t>::max();
};
struct RealRange {
  double min = -std::numeric_limits<double>::infinity();
  double max = std::numeric_limits<double>::infinity();
  bool above_min = false;  // min itself is excluded
};
// Where a number may be drawn from: low to high, both included.
struct Interval {
  double low = 0;
  double high = 0;
  friend bool operator==(const Interval&, const Interval&) = default;
};
enum class Need { kOptional, kRequired };
struct Help {
  const char* text = "";
  const char* unit = "";
  Need need = Need::kOptional;
};

// A list of structs, or an ordered map of named structs, seen without its element type.
class SettingsVisitor;
struct ItemsAccess {
  std::function<std::size_t()> size;
  std::function<void(const std::string& name)> append;  // name is "" in a list
  std::function<std::string(std::size_t)> name;
  std::function<void(std::size_t, SettingsVisitor&)> describe;
};

template <class E>
using Options = std::vector<std::pair<const char*, E>>;
// The name of one of them; "" where it has none.
template <class E>
const char* name_of(const Options<E>& options, E value) {
  for (const auto& [name, known] : options) {
    if (known == value) return name;
  }
  return "";
}
// A map keeps the order of the file.
template <class T>
using NamedList = std::vector<std::pair<std::string, T>>;

class SettingsVisitor {
 public:
  virtual ~SettingsVisitor() = default;

  template <class Int>
  void integer(const char* name, Int& value, IntRange range, Help help) {
    if (range.max > static_cast<std::int64_t>(std::numeric_limits<Int>::max())) {
      range.max = static_cast<std::int64_t>(std::numeric_limits<Int>::max());
    }
    std::int64_t wide = static_cast<std::int64_t>(value);
    visit_integer(name, wide, range, help);
    value = static_cast<Int>(wide);
  }
  void real(const char* name, double& value, RealRange range, Help help) {
    visit_real(name, value, range, help);
  }
  // null or absent: none
  void optional_real(const char* name, std::optional<double>& value, RealRange range, Help help) {
    visit_optional_real(name, value, range, help);
  }
  // [low, high], or one number for both
  void interval(const char* name, Interval& value, RealRange range, Help help) {
    visit_interval(name, value, range, help);
  }
  void flag(const char* name, bool& value, Help help) { visit_flag(name, value, help); }
  void text(const char* name, std::string& value, Help help) { visit_text(name, value, help); }
  // A file or folder: ${NAME} is replaced from the environment, and a relative path starts at the folder of
  // the JSON file that names it.
  void path(const char* name, std::string& value, Help help) { visit_path(name, value, help); }
  // A list of one may be written as the number alone.
  void integers(const char* name, std::vector<std::int64_t>& values, IntRange range, Help help) {
    visit_integers(name, values, range, help);
  }
  // One of a few words, or integers as above, which then are not empty.
  template <class E>
  void word_or_integers(const char* name, E& word, const Options<E>& options,
                        std::vector<std::int64_t>& values, IntRange range, Help help) {
    std::vector<std::string> words;
    std::size_t index = 0;
    for (std::size_t i = 0; i < options.size(); ++i) {
      words.emplace_back(options[i].first);
      if (options[i].second == word) index = i;
    }
    visit_word_or_integers(name, words, index, values, range, help);
    word = options[index].second;
  }
  // A list of one may be written as the text alone.
  void texts(const char* name, std::vector<std::string>& values, Help help) {
    visit_texts(name, values, help);
  }
  // Values of any kind, as the file has them.
  void json_values(const char* name, std::vector<JsonValue>& values, Help help) {
    visit_json_values(name, values, help);
  }
  void text_map(const char* name, NamedList<std::string>& values, Help help) {
    visit_text_map(name, values, help);
  }

  template <class E>
  void choice(const char* name, E& value, const Options<E>& options, Help help) {
    variants(name, value, options, help, [](SettingsVisitor&) {});
  }
  // A choice on which the fields described by `body` depend; `body` reads the chosen value itself.
  template <class E, class Body>
  void variants(const char* name, E& value, const Options<E>& options, Help help, Body body) {
    std::vector<std::string> names;
    std::size_t index = 0;
    for (std::size_t i = 0; i < options.size(); ++i) {
      names.emplace_back(options[i].first);
      if (options[i].second == value) index = i;
    }
    visit_variants(name, names, index, help, [&](std::size_t chosen, SettingsVisitor& v) {
      value = options[chosen].second;
      body(v);
    });
  }

  // A nested object whose fields `describe(visitor, value)` declares.
  template <class T>
  void object(const char* name, T& value, Help help) {
    visit_object(name, help, [&value](SettingsVisitor& v) { describe(v, value); });
  }
  // An object that may be left out, or null.
  template <class T>
  void optional_object(const char* name, std::optional<T>& value, Help help) {
    visit_optional_object(
        name, help, value.has_value(), [&value] { value.emplace(); },
        [&value](SettingsVisitor& v) { describe(v, *value); });
  }
  template <class T>
  void list(const char* name, std::vector<T>& items, Help help) {
    visit_items(name, false, help,
                {[&] { return items.size(); }, [&](const std::string&) { items.emplace_back(); },
                 [](std::size_t) { return std::string(); },
                 [&](std::size_t i, SettingsVisitor& v) { describe(v, items[i]); }});
  }
  // Items that start as a copy of `prototype` instead of the defaults of their struct.
  template <class T, class U>
  void list_like(const char* name, std::vector<T>& items, const U& prototype, Help help) {
    visit_items(name, false, help,
                {[&] { return items.size(); }, [&](const std::string&) { items.emplace_back(prototype); },
                 [](std::size_t) { return std::string(); },
                 [&](std::size_t i, SettingsVisitor& v) { describe(v, items[i]); }});
  }
  template <class T>
  void map(const char* name, NamedList<T>& items, Help help) {
    visit_items(name, true, help,
                {[&] { return items.size(); }, [&](const std::string& key) { items.emplace_back(key, T{}); },
                 [&](std::size_t i) { return items[i].first; },
                 [&](std::size_t i, SettingsVisitor& v) { describe(v, items[i].second); }});
  }

  // A rule across fields, reported at the field `name` of the current object ("" for the object itself).
  virtual void check(bool holds, const char* name, const std::string& message) = 0;

 protected:
  using Body = std::function<void(SettingsVisitor&)>;
  virtual void visit_integer(const char* name, std::int64_t& value, IntRange range, Help help) = 0;
  virtual void visit_real(const char* name, double& value, RealRange range, Help help) = 0;
  virtual void visit_optional_real(const char* name, std::optional<double>& value, RealRange range,
                                   Help help) = 0;
  virtual void visit_interval(const char* name, Interval& value, RealRange range, Help help) = 0;
  virtual void visit_flag(const char* name, bool& value, Help help) = 0;
  virtual void visit_text(const char* name, std::string& value, Help help) = 0;
  virtual void visit_path(const char* name, std::string& value, Help help) = 0;
  virtual void visit_integers(const char* name, std::vector<std::int64_t>& values, IntRange range,
                              Help help) = 0;
  virtual void visit_word_or_integers(const char* name, const std::vector<std::string>& words,
                                      std::size_t& word, std::vector<std::int64_t>& values, IntRange range,
                                      Help help) = 0;
  virtual void visit_texts(const char* name, std::vector<std::string>& values, Help help) = 0;
  virtual void visit_json_values(const char* name, std::vector<JsonValue>& values, Help help) = 0;
  virtual void visit_text_map(const char* name, NamedList<std::string>& values, Help help) = 0;
  virtual void visit_variants(const char* name, const std::vector<std::string>& options, std::size_t index,
                              Help help, const std::function<void(std::size_t, SettingsVisitor&)>& body) = 0;
  virtual void visit_object(const char* name, Help help, const Body& body) = 0;
  // `body` describes the value once `make` has made one, or when it is `present`.
  virtual void visit_optional_object(const char* name, Help help, bool present,
                                     const std::function<void()>& make, const Body& body) = 0;
  virtual void visit_items(const char* name, bool named, Help help, const ItemsAccess& items) = 0;
};

}  // namespace serval
