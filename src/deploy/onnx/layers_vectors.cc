// Layers that work item by item, or number by number.
#include <cmath>

#include "serval/core/error.h"

#include "layer_lists.h"

namespace serval::deploy::onnx {

Name write_dense(LayerWriter& layer) {
  Graph& g = layer.g();
  Name y = product(g, layer.x(), layer.transposed("w"));
  if (layer.has("b")) y = add(g, y, layer.block("b"));
  return layer.activated(y, layer.text("activation"));
}

Name write_activation(LayerWriter& layer) {
  return activated(layer.g(), layer.x(), layer.text("function"), layer.real("slope"), layer.real("alpha"));
}

Name write_softmax(LayerWriter& layer) {
  return layer.g().op(layer.flag("logarithm") ? "LogSoftmax" : "Softmax", {layer.x()},
                      {{"axis", std::int64_t{-1}}});
}

// (x - mean) / sqrt(variance + epsilon) * gamma + beta as one product and one sum.
Name write_batch_norm(LayerWriter& layer) {
  Graph& g = layer.g();
  const NamedArray& mean = layer.array("running_mean");
  const NamedArray& variance = layer.array("running_variance");
  const auto channels = static_cast<std::size_t>(layer.result().item[0]);
  std::vector<float> gains, shifts;
  for (std::size_t i = 0; i < mean.values.size(); ++i) {
    const std::size_t c = i % channels;
    const double gamma = layer.has("gamma") ? layer.array("gamma").values[c] : 1.0;
    const double beta = layer.has("beta") ? layer.array("beta").values[c] : 0.0;
    const double gain = gamma / std::sqrt(static_cast<double>(variance.values[i]) + layer.real("epsilon"));
    gains.push_back(static_cast<float>(gain));
    shifts.push_back(static_cast<float>(beta - gain * static_cast<double>(mean.values[i])));
  }
  Ints shape{static_cast<std::int64_t>(channels)};
  for (int axis = 1; axis < layer.result().item.rank(); ++axis) shape.push_back(1);
  if (layer.flag("per_step")) shape.insert(shape.begin(), {mean.shape[0], 1});
  Name gain = g.floats(shape, gains), shift = g.floats(shape, shifts);
  if (layer.flag("per_step")) {
    gain = slice(g, gain, 0, g.integers({0}), layer.clock().time);
    shift = slice(g, shift, 0, g.integers({0}), layer.clock().time);
  }
  return layer.activated(add(g, multiply(g, layer.x(), gain), shift), layer.text("activation"));
}

Name write_layer_norm(LayerWriter& layer) {
  Graph& g = layer.g();
  const nn::ValueType& type = layer.type();
  const std::int64_t columns = type.item[type.item.rank() - 1];
  const auto constant = [&](const char* what, float otherwise) {
    return layer.has(what)
               ? layer.block(what)
               : g.floats({columns}, std::vector<float>(static_cast<std::size_t>(columns), otherwise));
  };
  return g.op("LayerNormalization", {layer.x(), constant("gamma", 1), constant("beta", 0)},
              {{"axis", std::int64_t{-1}}, {"epsilon", static_cast<float>(layer.real("epsilon"))}});
}

Name write_nothing(LayerWriter& layer) { return layer.x(); }

namespace {

// The first axis of an item, counted from the end, so that it is the same with a clock and without.
std::int64_t item_axis(const nn::ValueType& type, std::int64_t axis) { return axis - type.item.rank(); }

}  // namespace

Name write_concat(LayerWriter& layer) {
  std::vector<Name> parts;
  for (std::size_t i = 0; i < layer.inputs(); ++i) parts.push_back(layer.x(i));
  return join(layer.g(), parts, item_axis(layer.type(), layer.integer("axis")));
}

Name write_add(LayerWriter& layer) {
  Name y = layer.x();
  for (std::size_t i = 1; i < layer.inputs(); ++i) y = add(layer.g(), y, layer.x(i));
  return y;
}

// Numbers of a channel count for all of its pixels.
Name write_multiply(LayerWriter& layer) {
  Graph& g = layer.g();
  const int ranks[] = {layer.type(0).item.rank(), layer.type(1).item.rank()};
  const auto spread = [&](std::size_t i) {
    return ranks[i] < ranks[1 - i] ? unsqueeze(g, layer.x(i), {-1, -2}) : layer.x(i);
  };
  return multiply(g, spread(0), spread(1));
}

Name write_slice(LayerWriter& layer) {
  const std::int64_t start = layer.integer("start");
  return slice(layer.g(), layer.x(), item_axis(layer.type(), 0), start, start + layer.integer("size"));
}

Name write_permute(LayerWriter& layer) {
  Ints order = layer.type().sequence() ? Ints{0, 1} : Ints{0};
  const auto rows = static_cast<std::int64_t>(order.size());
  for (const std::int64_t axis : layer.integers("axes")) order.push_back(rows + axis);
  return transpose(layer.g(), layer.x(), order);
}

}  // namespace serval::deploy::onnx
