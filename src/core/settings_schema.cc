#include <cmath>

#include "serval/core/error.h"
#include "serval/core/settings_io.h"

namespace serval {

namespace {

// Describes one object. A field met again under another variant widens what is known of it: the schema
// accepts the fields of every variant and leaves "this field does not belong to that type" to the program.
class SchemaWriter : public SettingsVisitor {
 public:
  void check(bool, const char*, const std::string&) override {}

  JsonValue finish() {
    JsonValue out = JsonValue::object();
    out.set("type", JsonValue::of("object"));
    out.set("properties", std::move(properties_));
    if (!required_.empty()) out.set("required", JsonValue::of(required_));
    out.set("additionalProperties", JsonValue::of(false));
    return out;
  }

 protected:
  void visit_integer(const char* name, std::int64_t& value, IntRange range, Help help) override {
    JsonValue field = typed("integer");
    if (range.min != IntRange{}.min) field.set("minimum", JsonValue::of(range.min));
    if (range.max != IntRange{}.max) field.set("maximum", JsonValue::of(range.max));
    add(name, std::move(field), JsonValue::of(value), help);
  }
  void visit_real(const char* name, double& value, RealRange range, Help help) override {
    JsonValue field = typed("number");
    add_range(field, range);
    add(name, std::move(field), JsonValue::of(value), help);
  }
  void visit_optional_real(const char* name, std::optional<double>& value, RealRange range,
                           Help help) override {
    JsonValue field = JsonValue::object();
    field.set("type", JsonValue::of(std::vector<std::string>{"number", "null"}));
    add_range(field, range);
    add(name, std::move(field), value ? JsonValue::of(*value) : JsonValue{}, help);
  }
  void visit_interval(const char* name, Interval& value, RealRange range, Help help) override {
    JsonValue number = typed("number");
    add_range(number, range);
    JsonValue both = list_of(number);
    both.set("minItems", JsonValue::of(2));
    both.set("maxItems", JsonValue::of(2));
    JsonValue either = JsonValue::list();
    either.items = {std::move(number), std::move(both)};
    JsonValue field = JsonValue::object();
    field.set("anyOf", std::move(either));
    JsonValue defaults = JsonValue::list();
    defaults.items = {JsonValue::of(value.low), JsonValue::of(value.high)};
    add(name, std::move(field), std::move(defaults), help);
  }
  void visit_flag(const char* name, bool& value, Help help) override {
    add(name, typed("boolean"), JsonValue::of(value), help);
  }
  void visit_text(const char* name, std::string& value, Help help) override {
    add(name, typed("string"), JsonValue::of(value), help);
  }
  void visit_path(const char* name, std::string& value, Help help) override { visit_text(name, value, help); }
  void visit_integers(const char* name, std::vector<std::int64_t>& values, IntRange, Help help) override {
    JsonValue defaults = JsonValue::list();
    for (const std::int64_t value : values) defaults.items.push_back(JsonValue::of(value));
    JsonValue field = JsonValue::object();
    field.set("type", JsonValue::of(std::vector<std::string>{"integer", "array"}));
    field.set("items", typed("integer"));
    add(name, std::move(field), std::move(defaults), help);
  }
  void visit_word_or_integers(const char* name, const std::vector<std::string>& words, std::size_t& word,
                              std::vector<std::int64_t>& values, IntRange, Help help) override {
    JsonValue named = JsonValue::object();
    named.set("enum", JsonValue::of(words));
    JsonValue numbers = JsonValue::object();
    numbers.set("type", JsonValue::of(std::vector<std::string>{"integer", "array"}));
    numbers.set("items", typed("integer"));
    JsonValue either = JsonValue::list();
    either.items = {std::move(named), std::move(numbers)};
    JsonValue field = JsonValue::object();
    field.set("anyOf", std::move(either));
    JsonValue defaults = JsonValue::of(words[word]);
    if (!values.empty()) {
      defaults = JsonValue::list();
      for (const std::int64_t value : values) defaults.items.push_back(JsonValue::of(value));
    }
    add(name, std::move(field), std::move(defaults), help);
  }
  void visit_texts(const char* name, std::vector<std::string>& values, Help help) override {
    JsonValue field = JsonValue::object();
    field.set("type", JsonValue::of(std::vector<std::string>{"string", "array"}));
    field.set("items", typed("string"));
    add(name, std::move(field), JsonValue::of(values), help);
  }
  void visit_json_values(const char* name, std::vector<JsonValue>& values, Help help) override {
    JsonValue defaults = JsonValue::list();
    defaults.items = values;
    add(name, typed("array"), std::move(defaults), help);
  }
  void visit_text_map(const char* name, NamedList<std::string>&, Help help) override {
    JsonValue field = typed("object");
    JsonValue inner = JsonValue::object();
    inner.set("type", JsonValue::of(std::vector<std::string>{"string", "null"}));
    field.set("additionalProperties", std::move(inner));
    add(name, std::move(field), JsonValue{}, help);
  }
  void visit_variants(const char* name, const std::vector<std::string>& options, std::size_t index, Help help,
                      const std::function<void(std::size_t, SettingsVisitor&)>& body) override {
    JsonValue field = JsonValue::object();
    field.set("enum", JsonValue::of(options));
    add(name, std::move(field), JsonValue::of(options[index]), help);
    for (std::size_t i = 0; i < options.size(); ++i) body(i, *this);
    body(index, *this);
  }
  void visit_object(const char* name, Help help, const Body& body) override {
    SchemaWriter inner;
    body(inner);
    add(name, inner.finish(), JsonValue{}, help);
  }
  void visit_optional_object(const char* name, Help help, bool present, const std::function<void()>& make,
                             const Body& body) override {
    if (!present) make();
    visit_object(name, help, body);
  }
  void visit_items(const char* name, bool named, Help help, const ItemsAccess& items) override {
    const std::size_t before = items.size();
    if (before == 0) items.append("");
    SchemaWriter inner;
    items.describe(0, inner);
    JsonValue field = typed(named ? "object" : "array");
    field.set(named ? "additionalProperties" : "items", inner.finish());
    add(name, std::move(field), JsonValue{}, help);
  }

 private:
  static JsonValue typed(const char* type) {
    JsonValue out = JsonValue::object();
    out.set("type", JsonValue::of(type));
    return out;
  }
  static JsonValue list_of(JsonValue item) {
    JsonValue out = typed("array");
    out.set("items", std::move(item));
    return out;
  }
  static void add_range(JsonValue& field, const RealRange& range) {
    if (std::isfinite(range.min)) {
      field.set(range.above_min ? "exclusiveMinimum" : "minimum", JsonValue::of(range.min));
    }
    if (std::isfinite(range.max)) field.set("maximum", JsonValue::of(range.max));
  }
  void add(const char* name, JsonValue field, JsonValue default_value, Help help) {
    if (properties_.find(name) != nullptr) return;
    const std::string unit = *help.unit == '\0' ? "" : cat(" [", help.unit, "]");
    field.set("description", JsonValue::of(cat(help.text, unit)));
    const bool has_default = default_value.kind != JsonValue::Kind::kNull && help.need == Need::kOptional;
    if (has_default) field.set("default", std::move(default_value));
    if (help.need == Need::kRequired) required_.emplace_back(name);
    properties_.set(name, std::move(field));
  }

  JsonValue properties_ = JsonValue::object();
  std::vector<std::string> required_;
};

}  // namespace

JsonValue settings_schema(const std::function<void(SettingsVisitor&)>& describe_root) {
  SchemaWriter writer;
  describe_root(writer);
  JsonValue out = JsonValue::object();
  out.set("$schema", JsonValue::of("https://json-schema.org/draft/2020-12/schema"));
  JsonValue body = writer.finish();
  for (auto& [key, value] : body.members) out.set(key, std::move(value));
  return out;
}

}  // namespace serval
