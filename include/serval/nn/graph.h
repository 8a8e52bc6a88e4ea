// A network as the steps that it computes, for those who write it down in another language. Layers that are made of
// others are taken apart; needs no device.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "serval/core/json.h"
#include "serval/nn/network.h"

namespace serval::nn {

struct GraphValue {
  ValueType type;
  std::int64_t reversed_from = 0;  // columns of a sequence's features from here on read it from its end
};

// How many steps sequences have: as many as that input's, or always as many, or by `rule` from another clock.
struct GraphClock {
  int input = -1;
  std::int64_t steps = 0;
  int from = -1;
  LengthRule rule = {};
};

struct GraphStep {
  std::string name;
  std::string type;    // as files spell it
  JsonValue settings;  // of its type, defaults included
  std::vector<int> inputs;
  int output = 0;
  std::vector<std::string> blocks;  // names of its parameters, in the order in which src/nn/layers lists them
  bool view = false;                // the same numbers in another shape
};

struct NetworkGraph {
  std::vector<GraphValue> values;  // the network's inputs first
  std::vector<GraphClock> clocks;  // by ValueType::clock
  std::vector<GraphStep> steps;    // in an order in which they can run
  std::vector<int> outputs;
};

// Throws ConfigError as Network does.
NetworkGraph graph_of(const NetworkSettings& settings, const NetworkSizes& sizes);

}  // namespace serval::nn
