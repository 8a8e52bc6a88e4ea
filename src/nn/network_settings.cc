#include "network_plan.h"

namespace serval::nn {

namespace {

const Options<LayerType>& layer_types() {
  static const Options<LayerType> types{
      {"lstm", LayerType::kLstm},          {"mean_pool", LayerType::kMeanPool},
      {"last_pool", LayerType::kLastPool}, {"attention_pool", LayerType::kAttentionPool},
      {"dense", LayerType::kDense},        {"dropout", LayerType::kDropout},
  };
  return types;
}

const Options<Activation>& activations() {
  static const Options<Activation> options{{"none", Activation::kNone},
                                           {"relu", Activation::kRelu},
                                           {"tanh", Activation::kTanh},
                                           {"sigmoid", Activation::kSigmoid}};
  return options;
}

bool is_pool(LayerType type) {
  return type == LayerType::kMeanPool || type == LayerType::kLastPool || type == LayerType::kAttentionPool;
}

}  // namespace

const char* layer_type_name(LayerType type) {
  for (const auto& [name, value] : layer_types()) {
    if (value == type) return name;
  }
  return "unknown";
}

void describe(SettingsVisitor& v, LayerSettings& s) {
  v.variants(
      "type", s.type, layer_types(), {.text = "kind of layer", .need = Need::kRequired},
      [&s](SettingsVisitor& fields) {
        switch (s.type) {
          case LayerType::kLstm:
            // The first weights take time with the cube of the width: seconds at 2048, minutes beyond.
            fields.integer("hidden", s.hidden, {.min = 1, .max = 2048}, {"width of the state", "units"});
            fields.integer("layers", s.layers, {.min = 1, .max = 16}, {"how many are stacked"});
            fields.flag("bidirectional", s.bidirectional,
                        {"read each sequence in both directions, side by side in the output"});
            fields.real("dropout", s.dropout, {.min = 0, .max = 0.99}, {"rate between stacked layers"});
            fields.check(s.dropout == 0 || s.layers > 1, "dropout",
                         "falls between stacked layers and there is one; "
                         "put a layer of type \"dropout\" after it instead");
            break;
          case LayerType::kMeanPool:
          case LayerType::kLastPool:
            break;
          case LayerType::kAttentionPool:
            fields.integer("units", s.units, {.min = 1, .max = 8192},
                           {"width of the layer that scores a step", "units", Need::kRequired});
            break;
          case LayerType::kDense:
            fields.integer("units", s.units, {.min = 0, .max = 65536},
                           {"width; 0, for the last layer: one for each class", "units"});
            fields.choice("activation", s.activation, activations(), {"applied to each output"});
            break;
          case LayerType::kDropout:
            fields.real("rate", s.rate, {.min = 0, .max = 0.99}, {"share of values set to 0 in training"});
            break;
        }
      });
}

void describe(SettingsVisitor& v, NetworkSettings& s) {
  v.list("layers", s.layers, {.text = "from the input to the classes", .need = Need::kRequired});
  const std::string problem = network_problem(s);
  v.check(problem.empty(), "layers", problem);
}

std::string network_problem(const NetworkSettings& settings) {
  const auto label = [&settings](std::size_t i) {
    return cat("layers[", i, "] (", layer_type_name(settings.layers[i].type), ")");
  };
  if (settings.layers.empty()) return "there is no layer; the last must be {\"type\": \"dense\"}";
  std::size_t pool = settings.layers.size();  // the one seen so far
  for (std::size_t i = 0; i < settings.layers.size(); ++i) {
    const LayerSettings& layer = settings.layers[i];
    const bool last = i + 1 == settings.layers.size();
    const bool pooled = pool < i;
    if (pooled && (is_pool(layer.type) || layer.type == LayerType::kLstm)) {
      return cat(label(i), " reads a sequence, but ", label(pool), " has reduced it to one vector; ",
                 is_pool(layer.type) ? "keep one of the two" : "put it before the pool");
    }
    if (is_pool(layer.type)) pool = i;
    if (layer.type == LayerType::kAttentionPool && layer.units < 1) {
      return cat(label(i), " has no units; give the width of its hidden layer, such as 64");
    }
    if (layer.type == LayerType::kDense && layer.units == 0 && !last) {
      return cat(label(i),
                 " has 0 units, which means one for each class and is for the last layer; give its width");
    }
    if (!last) continue;
    if (layer.type != LayerType::kDense) {
      return cat(label(i),
                 " is the last layer, which must be {\"type\": \"dense\"} with one unit for each class");
    }
    if (!pooled) {
      return cat(label(i),
                 " would give classes for each time step; put a mean_pool, last_pool or attention_pool",
                 " somewhere before it");
    }
    if (layer.activation != Activation::kNone) {
      return cat(label(i),
                 " is the last layer and must have activation \"none\": softmax belongs to the loss");
    }
  }
  return "";
}

}  // namespace serval::nn
