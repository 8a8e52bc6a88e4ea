#include <optional>

#include "serval/core/error.h"
#include "serval/nn/network.h"

#include "layer_body.h"
#include "network_plan.h"

namespace serval::nn {

LayerSettings::LayerSettings() : body(layer_types().front().second()) {}
LayerSettings::LayerSettings(const LayerSettings& other)
    : name(other.name),
      input(other.input),
      weights_of(other.weights_of),
      frozen(other.frozen),
      body(other.body->clone()) {}
LayerSettings::LayerSettings(LayerSettings&&) noexcept = default;
LayerSettings& LayerSettings::operator=(LayerSettings other) noexcept {
  name.swap(other.name);
  input.swap(other.input);
  weights_of.swap(other.weights_of);
  frozen = other.frozen;
  body.swap(other.body);
  return *this;
}
LayerSettings::~LayerSettings() = default;

void describe(SettingsVisitor& v, LayerSettings& s) {
  MakeLayerBody make = nullptr;
  for (const auto& [name, other] : layer_types()) {
    if (std::string(name) == s.body->type()) make = other;
  }
  v.variants("type", make, layer_types(), {.text = "kind of layer", .need = Need::kRequired},
             [&s, &make](SettingsVisitor& fields) {
               std::unique_ptr<LayerBody> fresh = make();
               if (std::string(fresh->type()) != s.body->type()) s.body = std::move(fresh);
               s.body->describe(fields);
             });
  v.text("name", s.name, {"what other layers call it; layer<number> when left out"});
  v.texts("input", s.input, {"the inputs or layers that it reads; the layer before when left out"});
  v.text("weights_of", s.weights_of, {"an equal layer before this one whose weights it shares"});
  v.flag("frozen", s.frozen, {"keeps the weights that it starts with"});
}

void describe(SettingsVisitor& v, InputSettings& s) {
  v.choice(
      "kind", s.kind,
      Options<InputKind>{
          {"sequence", InputKind::kSequence}, {"image", InputKind::kImage}, {"vector", InputKind::kVector}},
      {"sequence: steps, of which each recording has its own number; image: [channel, height, width]; "
       "vector: one feature vector a recording"});
  v.integers("shape", s.shape, {.min = 1, .max = 1 << 20},
             {"of a step, image or vector; as the data has it when left out"});
  v.check(s.shape.empty() || s.kind != InputKind::kImage || s.shape.size() == 3, "shape",
          "an image has three sizes: [channel, height, width]");
  v.check(s.shape.empty() || s.kind != InputKind::kVector || s.shape.size() == 1, "shape",
          "a vector has one size");
  v.check(s.shape.empty() || s.kind != InputKind::kSequence || s.shape.size() == 1 || s.shape.size() == 3,
          "shape", "a step is a vector with one size, or an image with three");
}

namespace {

// Sizes that stand for any; none where an image would have to be invented.
std::optional<NetworkSizes> any_sizes(const NetworkSettings& settings) {
  constexpr std::int64_t kLong = 1 << 16;
  NetworkSizes sizes;
  sizes.classes = settings.classes > 0 ? settings.classes : 7;
  for (const auto& [name, input] : settings.inputs) {
    if (input.shape.empty() && input.kind == InputKind::kImage) return {};
    InputSizes size{.item = input.shape.empty() ? Shape{64} : Shape{}, .max_time = kLong};
    for (const std::int64_t dim : input.shape) size.item.append(dim);
    sizes.inputs.push_back(size);
  }
  if (settings.inputs.empty()) sizes.inputs.push_back({Shape{64}, kLong});
  return sizes;
}

bool all_declared(const NetworkSettings& settings) {
  for (const auto& [name, input] : settings.inputs) {
    if (input.shape.empty()) return false;
  }
  return !settings.inputs.empty();
}

// Whether the layers fit together, as far as can be told without the data.
std::string problem_without_data(const NetworkSettings& settings) {
  const std::optional<NetworkSizes> sizes = any_sizes(settings);
  if (!sizes) return "";
  try {
    plan_network(settings, *sizes);
    return "";
  } catch (const SizeError& error) {
    return all_declared(settings) ? error.what() : "";
  } catch (const ConfigError& error) {
    return error.what();
  }
}

}  // namespace

std::string classifier_problem(const NetworkSettings& settings, const NetworkSizes& sizes) {
  return classifier_problem(settings, sizes, false);
}
std::string classifier_problem(const NetworkSettings& settings) {
  std::optional<NetworkSizes> sizes = any_sizes(settings);
  if (!sizes || !problem_without_data(settings).empty()) return "";  // reported as such
  try {
    const NetworkPlan plan = plan_network(settings, *sizes);
    const std::string problem = classifier_problem(settings, *sizes, true);
    if (!problem.empty() || settings.classes > 0) return problem;
    // Its width must follow the number of classes, or be one that somebody wrote down.
    for (const PlannedNode& node : plan.nodes) {
      if (node.output == plan.outputs.front() && std::string(node.type) == "dense") return "";
    }
    ++sizes->classes;
    const NetworkPlan other = plan_network(settings, *sizes);
    const auto width = [](const NetworkPlan& p) {
      return p.values[static_cast<std::size_t>(p.outputs.front())].type.item[0];
    };
    return width(plan) == width(other) ? classifier_problem(settings, *sizes, false) : "";
  } catch (const SizeError&) {
    return "";
  }
}

std::string layer_name(const NetworkSettings& settings, std::size_t layer) {
  const std::string& name = settings.layers[layer].name;
  return name.empty() ? cat("layer", layer) : name;
}

std::string output_problem(const NetworkSettings& settings, const WantedOutput& output) {
  const std::optional<NetworkSizes> sizes = any_sizes(settings);
  if (!sizes || !problem_without_data(settings).empty()) return "";  // reported as such
  try {
    const NetworkPlan plan = plan_network(settings, *sizes);
    for (const PlannedNode& node : plan.nodes) {  // the width of others may be that of the data
      if (node.output == plan.outputs.front() && std::string(node.type) == "dense")
        return output_problem(settings, *sizes, output);
    }
    return "";
  } catch (const SizeError&) {
    return "";
  }
}

void describe(SettingsVisitor& v, NetworkSettings& s) {
  v.map("inputs", s.inputs, {"what the network reads, by name; one sequence of features when left out"});
  v.list("layers", s.layers, {.text = "each reads layers before it", .need = Need::kRequired});
  v.texts("outputs", s.outputs, {"layers whose results are the network's; the last layer when left out"});
  v.integer("classes", s.classes, {.min = 0, .max = 4096}, {"0: as many as the data has"});
  v.check(s.inputs.size() <= 8, "inputs", "at most 8");
  const std::string problem = problem_without_data(s);
  v.check(problem.empty(), "layers", problem);
}

NetworkSizes sequence_sizes(std::int64_t feature, std::int64_t classes, std::int64_t max_batch,
                            std::int64_t max_time) {
  NetworkSizes sizes;
  sizes.inputs = {{Shape{feature}, max_time}};
  sizes.classes = classes;
  sizes.max_batch = max_batch;
  return sizes;
}

NetworkSizes declared_sizes(const NetworkSettings& settings) {
  NetworkSizes sizes;
  sizes.classes = settings.classes;
  sizes.max_batch = 1;
  if (settings.inputs.empty()) throw ConfigError("inputs.input: its size is that of the data");
  for (const auto& [name, input] : settings.inputs) {
    InputSizes size;
    for (const std::int64_t dim : input.shape) size.item.append(dim);
    if (input.shape.empty()) throw ConfigError(cat("inputs.", name, ": its size is that of the data"));
    size.max_time = 1 << 16;
    sizes.inputs.push_back(size);
  }
  return sizes;
}

}  // namespace serval::nn
