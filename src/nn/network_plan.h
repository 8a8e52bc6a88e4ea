// From settings to a list of simple layers with their widths and parameter blocks; needs no device.
#pragma once

#include <string>
#include <vector>

#include "serval/nn/network.h"

namespace serval::nn {

// One simple layer. A stacked LSTM has become several, with dropout between them.
struct PlannedLayer {
  std::string name;  // "layer0", or "layer0.stack1" in a stack
  LayerType type = LayerType::kDense;
  std::int64_t input = 0;   // features in
  std::int64_t output = 0;  // features out
  bool sequence_in = true;  // [time, batch, feature] rather than [batch, feature]
  bool sequence_out = true;
  bool bidirectional = false;      // lstm
  std::int64_t hidden = 0;         // lstm; attention_pool: units
  std::int64_t reversed_from = 0;  // last_pool: columns of its input from here on are a reversed direction's
  Activation activation = Activation::kNone;  // dense
  float rate = 0;                             // dropout
  std::uint32_t dropout_index = 0;            // tells the masks of several dropout layers apart
  std::vector<std::size_t> blocks;            // into NetworkPlan::blocks, in the order the layer lists them
};

struct NetworkPlan {
  std::vector<PlannedLayer> layers;
  std::vector<ParameterBlock> blocks;
  std::int64_t parameter_count = 0;
};

const char* layer_type_name(LayerType type);

// What keeps the layers from fitting together, naming the layer and what would be right; "" when they fit.
std::string network_problem(const NetworkSettings& settings);

// Throws ConfigError with network_problem(), or when the last layer's units are not the classes.
NetworkPlan plan_network(const NetworkSettings& settings, const NetworkSizes& sizes);

// Values of every block, drawn as network.h says.
std::vector<float> initial_parameters(const NetworkPlan& plan, std::uint64_t seed, std::uint32_t fold);

}  // namespace serval::nn
