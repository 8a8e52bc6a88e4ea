#include "serval/experiment/resolve.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <iterator>

#include "serval/core/error.h"
#include "serval/core/settings_io.h"

namespace serval::experiment {

namespace {

constexpr int kMaxParents = 16;

JsonValue* find_member(JsonValue& object, const std::string& key) {
  for (auto& [name, value] : object.members) {
    if (name == key) return &value;
  }
  return nullptr;
}

void remove_member(JsonValue& object, const std::string& key) {
  std::erase_if(object.members, [&](const auto& member) { return member.first == key; });
}

// `child` over `parent`; null removes what the parent has, and stays null where the parent has nothing.
JsonValue merge(JsonValue parent, const JsonValue& child) {
  if (parent.kind != JsonValue::Kind::kObject || child.kind != JsonValue::Kind::kObject) return child;
  for (const auto& [key, value] : child.members) {
    JsonValue* own = find_member(parent, key);
    if (own == nullptr) {
      parent.members.emplace_back(key, value);
    } else if (value.kind == JsonValue::Kind::kNull) {
      remove_member(parent, key);
    } else {
      *own = merge(std::move(*own), value);
    }
  }
  parent.place = child.place;
  return parent;
}

// The path that `value` names, from the folder of the file that it stands in.
std::string named_path(const JsonValue& value) {
  std::string missing;
  const std::string expanded = expand_environment(value.text, missing);
  if (!missing.empty()) {
    throw ConfigError(cat(to_string(value.place), ": the environment variable ", missing, " is not set"));
  }
  return path_beside(value, expanded);
}

// A file with its parents merged in, and the patches for its quick size, in the order in which they are laid over it.
struct Loaded {
  JsonValue json;
  std::vector<JsonValue> quick;
};

Loaded load_with_parents(const std::string& path, int depth);

// All that `extends` names, each over those before it.
Loaded load_parents(const JsonValue& extends, int depth) {
  const bool list = extends.kind == JsonValue::Kind::kList;
  Loaded out;
  out.json = JsonValue::object();
  for (const JsonValue& parent : list ? extends.items : std::vector<JsonValue>{extends}) {
    if (parent.kind != JsonValue::Kind::kText) {
      throw ConfigError(cat(to_string(parent.place),
                            ": extends: must be a path in quotes or a list of them, not ",
                            to_string(parent.kind)));
    }
    if (depth >= kMaxParents) {
      throw ConfigError(cat(to_string(parent.place), ": extends: more than ", kMaxParents,
                            " files deep; does a file extend itself?"));
    }
    Loaded loaded = load_with_parents(named_path(parent), depth + 1);
    out.json = merge(std::move(out.json), loaded.json);
    std::move(loaded.quick.begin(), loaded.quick.end(), std::back_inserter(out.quick));
  }
  return out;
}

Loaded load_with_parents(const std::string& path, int depth) {
  Loaded out{parse_json_file(path), {}};
  if (out.json.kind != JsonValue::Kind::kObject)
    throw ConfigError(cat(path, ": must be an object, not ", to_string(out.json.kind)));
  std::vector<JsonValue> own_quick;
  if (const JsonValue* quick = out.json.find("quick"); quick != nullptr) {
    if (quick->kind != JsonValue::Kind::kObject) {
      throw ConfigError(
          cat(to_string(quick->place), ": quick: must be an object, not ", to_string(quick->kind)));
    }
    own_quick.push_back(*quick);
    remove_member(out.json, "quick");
  }
  if (const JsonValue* extends = out.json.find("extends"); extends != nullptr) {
    Loaded parents = load_parents(*extends, depth);
    remove_member(out.json, "extends");
    out.json = merge(std::move(parents.json), out.json);
    out.quick = std::move(parents.quick);
  }
  std::move(own_quick.begin(), own_quick.end(), std::back_inserter(out.quick));
  return out;
}

// "network": "file.json" stands for the file's content.
void read_network_files(JsonValue& json) {
  JsonValue* models = find_member(json, "models");
  if (models == nullptr || models->kind != JsonValue::Kind::kObject) return;
  for (auto& [name, model] : models->members) {
    JsonValue* network = find_member(model, "network");
    if (network == nullptr || network->kind != JsonValue::Kind::kText) continue;
    try {
      *network = parse_json_file(named_path(*network));
    } catch (const ConfigError& error) {
      throw ConfigError(cat(to_string(network->place), ": models.", name, ".network: ", error.what()));
    }
    remove_member(*network, "$schema");
  }
}

void make_quick(Loaded& loaded, const std::string& path) {
  if (loaded.quick.empty())
    throw ConfigError(cat(path, ": has no \"quick\", so there is no quick size of it"));
  read_network_files(loaded.json);  // so that a patch may reach into them
  for (const JsonValue& patch : loaded.quick) loaded.json = merge(std::move(loaded.json), patch);
  if (JsonValue* name = find_member(loaded.json, "name");
      name != nullptr && name->kind == JsonValue::Kind::kText)
    name->text += "-quick";
}

JsonValue parse_override_value(const std::string& text, const std::string& name) {
  const bool bare = !text.empty() && std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '_' || c == '-' || c == '.' || c == '/';
  });
  const bool starts_text = bare && (std::isalpha(static_cast<unsigned char>(text.front())) != 0 ||
                                    text.front() == '/' || text.front() == '.');
  const bool word = starts_text && text != "true" && text != "false" && text != "null";
  JsonValue value = parse_json(word ? "\"" + text + "\"" : text, name);
  value.place = JsonPlace{value.place.file, 0, 0};
  return value;
}

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts{""};
  for (const char c : text) {
    if (c == separator) {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  return parts;
}

// `name` is how errors call the path.
void set_at_path(JsonValue& root, const std::string& path, JsonValue value, const std::string& name) {
  JsonValue* at = &root;
  for (const std::string& key : split(path, '.')) {
    if (at->kind == JsonValue::Kind::kList) {
      std::size_t index = 0;
      const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), index);
      if (error != std::errc{} || end != key.data() + key.size() || index >= at->items.size()) {
        throw ConfigError(
            cat(name, ": \"", key, "\" is not one of the ", at->items.size(), " items, counted from 0"));
      }
      at = &at->items[index];
      continue;
    }
    if (at->kind != JsonValue::Kind::kObject) {
      if (at->kind != JsonValue::Kind::kNull)
        throw ConfigError(cat(name, ": nothing can be set inside ", to_string(at->kind)));
      at->kind = JsonValue::Kind::kObject;
    }
    JsonValue* next = find_member(*at, key);
    if (next == nullptr) {
      at->set(key, JsonValue{});
      next = &at->members.back().second;
      next->place = value.place;
    }
    at = next;
  }
  *at = std::move(value);
}

void apply_override(JsonValue& root, const std::string& override_text) {
  const std::size_t equals = override_text.find('=');
  if (equals == std::string::npos || equals == 0) {
    throw ConfigError(cat("--set ", override_text, ": must look like key.path=value"));
  }
  const std::string path = override_text.substr(0, equals);
  const std::string name = "--set " + path;
  set_at_path(root, path, parse_override_value(override_text.substr(equals + 1), name), name);
}

[[noreturn]] void fail(const std::vector<std::string>& errors) {
  throw ConfigError(cat(join(errors, "\n"), "\n", errors.size(), errors.size() == 1 ? " error" : " errors",
                        "; nothing was run"));
}

}  // namespace

JsonValue load_experiment_json(const std::string& path, const std::vector<std::string>& overrides,
                               ExperimentSize size) {
  Loaded loaded = load_with_parents(path, 0);
  if (size == ExperimentSize::kQuick) make_quick(loaded, path);
  JsonValue json = std::move(loaded.json);
  remove_member(json, "$schema");
  read_network_files(json);
  for (const std::string& text : overrides) apply_override(json, text);
  read_network_files(json);  // an override may name a network file as well
  return json;
}

JsonValue override_experiment_json(JsonValue json,
                                   const std::vector<std::pair<std::string, JsonValue>>& values) {
  for (const auto& [path, value] : values)
    set_at_path(json, path, value, cat(to_string(value.place), ": ", path));
  read_network_files(json);
  return json;
}

ExperimentSettings read_experiment(const JsonValue& json, std::vector<std::string>& errors) {
  auto settings = read_settings<ExperimentSettings>(json, errors);
  settings.store = std::filesystem::absolute(settings.store).lexically_normal().string();
  return settings;
}

ExperimentSettings read_experiment(const JsonValue& json, const std::string&) {
  std::vector<std::string> errors;
  ExperimentSettings settings = read_experiment(json, errors);
  if (!errors.empty()) fail(errors);
  return settings;
}

JsonValue resolved_json(const ExperimentSettings& settings) { return settings_to_json(settings); }

nn::NetworkSettings load_network(const std::string& path) {
  JsonValue json = parse_json_file(path);
  remove_member(json, "$schema");
  std::vector<std::string> errors;
  auto settings = read_settings<nn::NetworkSettings>(json, errors);
  if (!errors.empty()) fail(errors);
  return settings;
}

JsonValue experiment_schema() {
  ExperimentSettings settings;
  JsonValue schema = settings_schema([&](SettingsVisitor& v) { describe(v, settings); });
  JsonValue* properties = find_member(schema, "properties");
  JsonValue& model = *find_member(*find_member(*properties, "models"), "additionalProperties");
  JsonValue& network = *find_member(*find_member(model, "properties"), "network");
  JsonValue text = JsonValue::object();
  text.set("type", JsonValue::of("string"));
  JsonValue either = JsonValue::list();
  either.items = {text, network};
  network = JsonValue::object();
  network.set("anyOf", std::move(either));
  properties->set("$schema", text);
  JsonValue texts = JsonValue::object();
  texts.set("type", JsonValue::of("array"));
  texts.set("items", text);
  JsonValue one_or_more = JsonValue::list();
  one_or_more.items = {text, texts};
  JsonValue extends = JsonValue::object();
  extends.set("description", JsonValue::of("files that this one is laid over, in their order"));
  extends.set("anyOf", std::move(one_or_more));
  properties->set("extends", std::move(extends));
  JsonValue quick = JsonValue::object();
  quick.set("description", JsonValue::of("what the quick size changes: laid over the file by --quick"));
  quick.set("type", JsonValue::of("object"));
  properties->set("quick", std::move(quick));
  // A file that extends another may leave out what the other has.
  remove_member(schema, "required");
  return schema;
}

}  // namespace serval::experiment
