#include "serval/core/error.h"
#include "serval/core/settings_io.h"

namespace serval {

namespace {

class Writer : public SettingsVisitor {
 public:
  explicit Writer(JsonValue& object) : object_(object) {}
  void check(bool, const char*, const std::string&) override {}

 protected:
  void visit_integer(const char* name, std::int64_t& value, IntRange, Help) override {
    object_.set(name, JsonValue::of(value));
  }
  void visit_real(const char* name, double& value, RealRange, Help) override {
    object_.set(name, JsonValue::of(value));
  }
  void visit_optional_real(const char* name, std::optional<double>& value, RealRange, Help) override {
    object_.set(name, value ? JsonValue::of(*value) : JsonValue{});
  }
  void visit_interval(const char* name, Interval& value, RealRange, Help) override {
    JsonValue both = JsonValue::list();
    both.items = {JsonValue::of(value.low), JsonValue::of(value.high)};
    object_.set(name, std::move(both));
  }
  void visit_flag(const char* name, bool& value, Help) override { object_.set(name, JsonValue::of(value)); }
  void visit_text(const char* name, std::string& value, Help) override {
    object_.set(name, JsonValue::of(value));
  }
  void visit_path(const char* name, std::string& value, Help) override {
    object_.set(name, JsonValue::of(value));
  }
  void visit_integers(const char* name, std::vector<std::int64_t>& values, IntRange, Help) override {
    JsonValue list = JsonValue::list();
    for (const std::int64_t value : values) list.items.push_back(JsonValue::of(value));
    object_.set(name, std::move(list));
  }
  void visit_word_or_integers(const char* name, const std::vector<std::string>& words, std::size_t& word,
                              std::vector<std::int64_t>& values, IntRange range, Help help) override {
    if (!values.empty()) return visit_integers(name, values, range, help);
    object_.set(name, JsonValue::of(words[word]));
  }
  void visit_texts(const char* name, std::vector<std::string>& values, Help) override {
    object_.set(name, JsonValue::of(values));
  }
  void visit_json_values(const char* name, std::vector<JsonValue>& values, Help) override {
    JsonValue list = JsonValue::list();
    list.items = values;
    object_.set(name, std::move(list));
  }
  void visit_text_map(const char* name, NamedList<std::string>& values, Help) override {
    JsonValue map = JsonValue::object();
    for (const auto& [key, value] : values) map.set(key, value.empty() ? JsonValue{} : JsonValue::of(value));
    object_.set(name, std::move(map));
  }
  void visit_variants(const char* name, const std::vector<std::string>& options, std::size_t index, Help,
                      const std::function<void(std::size_t, SettingsVisitor&)>& body) override {
    object_.set(name, JsonValue::of(options[index]));
    body(index, *this);
  }
  void visit_object(const char* name, Help, const Body& body) override {
    JsonValue inner = JsonValue::object();
    Writer writer(inner);
    body(writer);
    object_.set(name, std::move(inner));
  }
  void visit_optional_object(const char* name, Help help, bool present, const std::function<void()>&,
                             const Body& body) override {
    if (present) visit_object(name, help, body);
  }
  void visit_items(const char* name, bool named, Help, const ItemsAccess& items) override {
    JsonValue all = named ? JsonValue::object() : JsonValue::list();
    for (std::size_t i = 0; i < items.size(); ++i) {
      JsonValue inner = JsonValue::object();
      Writer writer(inner);
      items.describe(i, writer);
      if (named) {
        all.set(items.name(i), std::move(inner));
      } else {
        all.items.push_back(std::move(inner));
      }
    }
    object_.set(name, std::move(all));
  }

 private:
  JsonValue& object_;
};

}  // namespace

JsonValue described_to_json(const std::function<void(SettingsVisitor&)>& describe_root) {
  JsonValue out = JsonValue::object();
  Writer writer(out);
  describe_root(writer);
  return out;
}

}  // namespace serval
