// The networks of a bundle as Keras' layers keep their weights: its shapes (channels last, [in, units]), its order of gates,
// one bias a recurrent layer, both directions in a Bidirectional. Values alone; experiment/export_keras.h makes the file.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "serval/core/json.h"
#include "serval/core/safetensors.h"
#include "serval/deploy/bundle.h"

namespace serval::deploy {

struct KerasLayer {
  std::string name;           // of the layer in Keras; no other has it, and it is a word without "/" and "."
  std::string class_name;     // in keras.layers; "" where Keras has no layer that computes the same
  std::string serval_name;    // of the layer in the network, those that layers are made of included
  std::string serval_type;    // as experiment files spell it
  JsonValue serval_settings;  // defaults included
  std::string serval_layout;  // where there is no class: what the arrays, which are Serval's own, mean
  std::vector<NamedArray>
      weights;  // "kernel:0", "forward_lstm/bias:0", in the order in which Keras lists them
};

struct KerasNetwork {
  std::size_t member = 0;          // into Bundle::members
  std::vector<KerasLayer> layers;  // those with weights, in an order in which they can run
  // What the bundle knows: all of bundle.json key by key, and "network", "inputs", "outputs", "member", "serval_version".
  std::vector<std::pair<std::string, std::string>> properties;
};

// One a member. Throws UnsupportedError, which lists all models that are no networks.
std::vector<KerasNetwork> keras_networks(const Bundle& bundle);

}  // namespace serval::deploy
