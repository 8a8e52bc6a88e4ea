// Each type of layer with weights as Keras has it.
#pragma once

#include "serval/deploy/keras.h"

#include "../layer_reader.h"

namespace serval::deploy::keras {

// `layer` gets its class and its weights, or Serval's own layout.
void convert_layer(const LayerReader& from, KerasLayer& layer);

// What Keras calls a layer without a name: "batch_normalization".
std::string base_name(const KerasLayer& layer);

}  // namespace serval::deploy::keras
