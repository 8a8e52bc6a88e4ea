#include <algorithm>

#include "serval/core/error.h"
#include "serval/core/log.h"
#include "serval/core/settings_io.h"
#include "serval/core/version.h"
#include "serval/deploy/keras.h"

#include "../bundle_json.h"
#include "../input_batches.h"
#include "../model_graph.h"
#include "layers.h"
#include "names.h"

namespace serval::deploy {

using namespace keras;

namespace {

const char* kind_name(nn::InputKind kind) {
  switch (kind) {
    case nn::InputKind::kSequence:
      return "sequence";
    case nn::InputKind::kImage:
      return "image";
    case nn::InputKind::kVector:
      return "vector";
  }
  throw InternalError("an unknown kind of input");
}

// What a model reads, [{"name", "kind", "features", "shape"}, ...]. Shapes are those of one item in Keras: the time of sequences
// is null, and channels come last.
JsonValue inputs_json(const BundleModel& model, const nn::NetworkGraph& graph) {
  JsonValue out = JsonValue::list();
  for (std::size_t i = 0; i < model.inputs.size(); ++i) {
    const auto& [name, input] = model.inputs[i];
    const nn::InputKind kind = input_kind(model.network, name);
    const Shape& item = graph.values[i].type.item;
    JsonValue shape = JsonValue::list();
    if (kind == nn::InputKind::kSequence) shape.items.emplace_back();
    const int first = kind == nn::InputKind::kImage && item.rank() == 3 ? 1 : 0;
    for (int axis = 0; axis < item.rank(); ++axis)
      shape.items.push_back(JsonValue::of(item[(axis + first) % item.rank()]));
    JsonValue& entry = out.items.emplace_back(JsonValue::object());
    entry.set("name", JsonValue::of(name));
    entry.set("kind", JsonValue::of(kind_name(kind)));
    entry.set("features", JsonValue::of(input.features));
    entry.set("shape", std::move(shape));
  }
  return out;
}

// The layers that give logits of the classes, and their weights in the mean.
JsonValue outputs_json(const BundleModel& model) {
  JsonValue out = JsonValue::list();
  for (const BundleOutput& output : model.outputs) {
    JsonValue& entry = out.items.emplace_back(JsonValue::object());
    entry.set("layer", JsonValue::of(output.layer));
    entry.set("weight", JsonValue::of(output.weight));
  }
  return out;
}

KerasNetwork network_of(const Bundle& bundle, std::size_t place) {
  const BundleMember& member = bundle.members[place];
  const BundleModel& model = bundle.model(member.model);
  const nn::NetworkGraph graph = model_graph(bundle, model);
  KerasNetwork out{.member = place, .layers = {}, .properties = bundle_properties(bundle)};
  for (const nn::GraphStep& step : graph.steps) {
    if (step.blocks.empty()) continue;
    KerasLayer& layer = out.layers.emplace_back();
    layer.serval_name = step.name;
    layer.serval_type = step.type;
    layer.serval_settings = step.settings;
    convert_layer(LayerReader(graph, step, member), layer);
  }
  name_layers(model.network, out.layers);
  out.properties.emplace_back("serval_version", kVersion);
  out.properties.emplace_back("member", member.file);
  out.properties.emplace_back("model", member.model);
  out.properties.emplace_back("network", write_json(settings_to_json(model.network)));
  out.properties.emplace_back("inputs", write_json(inputs_json(model, graph)));
  out.properties.emplace_back("outputs", write_json(outputs_json(model)));
  return out;
}

void warn_of_own_layouts(const std::vector<KerasNetwork>& networks) {
  std::vector<std::string> names;
  for (const KerasNetwork& network : networks) {
    for (const KerasLayer& layer : network.layers) {
      const std::string name = cat(layer.name, " (", layer.serval_type, ")");
      if (!layer.serval_layout.empty() && std::find(names.begin(), names.end(), name) == names.end())
        names.push_back(name);
    }
  }
  if (names.empty()) return;
  log_warning(
      cat("Keras has no layer that computes what ", join(names, ", "), names.size() > 1 ? " do" : " does",
          "; their weights are written in Serval's shapes, which the attribute serval_layout explains"));
}

}  // namespace

std::vector<KerasNetwork> keras_networks(const Bundle& bundle) {
  std::vector<std::string> problems;
  for (const auto& [name, model] : bundle.models) {
    if (model.learner) problems.push_back(cat("model ", name, " is a classical model, which has no layers"));
  }
  if (!problems.empty())
    throw UnsupportedError(cat(bundle.name, " cannot be written for Keras:\n", join(problems, "\n")));
  std::vector<KerasNetwork> out;
  for (std::size_t m = 0; m < bundle.members.size(); ++m) out.push_back(network_of(bundle, m));
  warn_of_own_layouts(out);
  return out;
}

}  // namespace serval::deploy
