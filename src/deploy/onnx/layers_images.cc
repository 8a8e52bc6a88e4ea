// Layers over images [channel, height, width].
#include "serval/core/error.h"
#include "serval/nn/resize.h"

#include "layer_lists.h"
#include "windows.h"

namespace serval::deploy::onnx {

namespace {

Attributes window_attributes(const LayerWriter& layer, bool dilates) {
  const Window down = window_on(layer, 2, 0, dilates, layer.type().item[1]);
  const Window along = window_on(layer, 2, 1, dilates, layer.type().item[2]);
  Attributes out{{"kernel_shape", Ints{down.kernel, along.kernel}},
                 {"strides", Ints{down.stride, along.stride}},
                 {"pads", Ints{down.before, along.before, down.behind, along.behind}}};
  if (dilates) out.push_back({"dilations", Ints{down.dilation, along.dilation}});
  return out;
}

}  // namespace

Name write_conv2d(LayerWriter& layer) {
  Attributes attributes = window_attributes(layer, true);
  attributes.push_back({"group", layer.integer("groups")});
  std::vector<Name> inputs{layer.items(), layer.block("w")};
  if (layer.has("b")) inputs.push_back(layer.block("b"));
  const Name y = layer.g().op("Conv", inputs, attributes);
  return layer.as_result(layer.activated(y, layer.text("activation")));
}

Name write_max_pool2d(LayerWriter& layer) {
  return layer.as_result(layer.g().op("MaxPool", {layer.items()}, window_attributes(layer, false)));
}

Name write_average_pool2d(LayerWriter& layer) {
  Attributes attributes = window_attributes(layer, false);
  attributes.push_back({"count_include_pad", std::int64_t{layer.flag("count_padding")}});
  return layer.as_result(layer.g().op("AveragePool", {layer.items()}, attributes));
}

Name write_global_max_pool(LayerWriter& layer) { return reduce(layer.g(), "ReduceMax", layer.x(), {-2, -1}); }
Name write_global_average_pool(LayerWriter& layer) {
  return reduce(layer.g(), "ReduceMean", layer.x(), {-2, -1});
}

Name write_local_response_norm(LayerWriter& layer) {
  Graph& g = layer.g();
  const std::int64_t size = layer.integer("size");
  if (size % 2 == 0) {
    layer.refuse("has an even size, with which ONNX counts other neighbours");
    return layer.x();
  }
  const nn::ValueType& type = layer.type();
  const Name images = reshape(g, layer.x(), {-1, type.item[0], 1, type.item.size() / type.item[0]});
  const Name y = g.op("LRN", {images},
                      {{"size", size},
                       {"alpha", static_cast<float>(layer.real("alpha"))},
                       {"beta", static_cast<float>(layer.real("beta"))},
                       {"bias", static_cast<float>(layer.real("k"))}});
  Ints item{-1};
  for (int axis = 0; axis < type.item.rank(); ++axis) item.push_back(type.item[axis]);
  return layer.as_result(reshape(g, y, item));
}

// As products with the shares that results have in inputs, since the operator Resize counts places otherwise.
Name write_resize(LayerWriter& layer) {
  Graph& g = layer.g();
  const bool nearest = layer.text("method") == "nearest";
  const auto shares = [&](int axis, bool turned) {
    const nn::ResizeAxis along{layer.type().item[axis], layer.result().item[axis], nearest};
    std::vector<float> values;
    for (std::int64_t a = 0; a < (turned ? along.in : along.out); ++a) {
      for (std::int64_t b = 0; b < (turned ? along.out : along.in); ++b)
        values.push_back(turned ? along.weight(b, a) : along.weight(a, b));
    }
    return g.floats(turned ? Ints{along.in, along.out} : Ints{along.out, along.in}, values);
  };
  return product(g, shares(1, false), product(g, layer.x(), shares(2, true)));
}

Name write_patch_embed(LayerWriter& layer) {
  Graph& g = layer.g();
  const Ints kernel = layer.integers("kernel");
  const Ints stride = layer.integers("stride").empty() ? kernel : layer.integers("stride");
  std::vector<Name> inputs{layer.x(), layer.block("w")};
  if (layer.has("b")) inputs.push_back(layer.block("b"));
  const Name y = g.op("Conv", inputs,
                      {{"kernel_shape", Ints{kernel.front(), kernel.back()}},
                       {"strides", Ints{stride.front(), stride.back()}}});
  return transpose(g, reshape(g, y, {0, 0, -1}), {2, 0, 1});
}

Name write_to_sequence(LayerWriter& layer) {
  Graph& g = layer.g();
  const nn::ValueType& type = layer.type();
  const int rank = type.item.rank();
  const std::int64_t width = type.item[rank - 1];
  const std::int64_t height = rank > 1 ? type.item[rank - 2] : 1;
  const std::int64_t channels = rank > 2 ? type.item[0] : 1;
  if (layer.text("axis") == "width")
    return transpose(g, reshape(g, layer.x(), {-1, channels * height, width}), {2, 0, 1});
  const Name rows = transpose(g, reshape(g, layer.x(), {-1, channels, height, width}), {2, 0, 1, 3});
  return reshape(g, rows, {0, 0, channels * width});
}

Name write_to_image(LayerWriter& layer) {
  Graph& g = layer.g();
  const std::int64_t channels = layer.integer("channels");
  const std::int64_t side = layer.type().item[0] / channels;
  const Name split = reshape(g, layer.x(), {0, 0, channels, side});  // [time, batch, channel, side]
  return transpose(g, split, layer.text("axis") == "width" ? Ints{1, 2, 3, 0} : Ints{1, 2, 0, 3});
}

}  // namespace serval::deploy::onnx
