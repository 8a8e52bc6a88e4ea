// Windows that move along the time of sequences. What lies past a sequence's end is not there, however long others are.
#include "serval/core/error.h"

#include "layer_lists.h"
#include "windows.h"

namespace serval::deploy::onnx {

namespace {

// The layer's input [time, batch, feature] as [batch, feature, place], put so that its results are those of the window on it
// without padding: `fill` stands where there is no step.
Name placed(LayerWriter& layer, const Name& x, const Window& window, float fill) {
  Graph& g = layer.g();
  if (!window.same || window.stride == 1) {
    const std::int64_t missing = window.same ? window.extent() - 1 : window.before + window.behind;
    const std::int64_t before = window.same ? missing / 2 : window.before;
    const Name by_feature = transpose(g, layer.masked(x, layer.type(), fill), {1, 2, 0});
    if (missing == 0) return by_feature;
    return g.op("Pad", {by_feature, g.integers({0, 0, before, 0, 0, missing - before}), g.number(fill)});
  }
  // "same" halves the padding that each sequence needs by its own length.
  const ClockNames in = layer.clock();
  const Name stride = g.integer(window.stride), extent = g.integer(window.extent());
  const auto reach = [&](const Name& results) {
    return add(g, multiply(g, subtract(g, results, g.integer(1)), stride), extent);
  };
  const Name missing = at_least(g, subtract(g, reach(layer.result_clock().lengths), in.lengths), 0);
  const Name before = divide(g, missing, g.integer(2));
  const Name places = unsqueeze(g, range(g, reach(layer.result_clock().time)), {0});
  const Name index = subtract(g, places, unsqueeze(g, before, {1}));  // [batch, place]
  const Name rows = gather_rows(g, transpose(g, x, {1, 0, 2}), clamped(g, index, in.time));
  const Name there = inside(g, index, unsqueeze(g, in.lengths, {1}));
  return transpose(g, where(g, unsqueeze(g, there, {2}), rows, g.number(fill)), {0, 2, 1});
}

Name steps_first(Graph& g, const Name& x) { return transpose(g, x, {2, 0, 1}); }

}  // namespace

Name write_conv1d(LayerWriter& layer) {
  const Window along = window(layer, 1, 0, true);
  std::vector<Name> inputs{placed(layer, layer.x(), along, 0), layer.block("w")};
  if (layer.has("b")) inputs.push_back(layer.block("b"));
  const Name y = layer.g().op("Conv", inputs,
                              {{"kernel_shape", Ints{along.kernel}},
                               {"strides", Ints{along.stride}},
                               {"dilations", Ints{along.dilation}},
                               {"group", layer.integer("groups")}});
  return steps_first(layer.g(), layer.activated(y, layer.text("activation")));
}

Name write_max_pool1d(LayerWriter& layer) {
  const Window along = window(layer, 1, 0, false);
  return steps_first(layer.g(),
                     layer.g().op("MaxPool", {placed(layer, layer.x(), along, kLowest)},
                                  {{"kernel_shape", Ints{along.kernel}}, {"strides", Ints{along.stride}}}));
}

Name write_average_pool1d(LayerWriter& layer) {
  Graph& g = layer.g();
  const Window along = window(layer, 1, 0, false);
  const auto mean = [&](const Name& x) {
    return steps_first(g, g.op("AveragePool", {placed(layer, x, along, 0)},
                               {{"kernel_shape", Ints{along.kernel}}, {"strides", Ints{along.stride}}}));
  };
  const Name y = mean(layer.x());
  if (layer.flag("count_padding")) return y;
  // The share of each window that is there. Windows behind the end have none.
  const Name ones =
      g.op("ConstantOfShape", {join(g, {layer.clock().time, layer.batch(), g.integers({1})}, 0)});
  const Name share = mean(add(g, ones, g.number(1)));
  return divide(g, y, larger(g, share, g.number(0.5f / static_cast<float>(along.kernel))));
}

Name write_segments(LayerWriter& layer) {
  Graph& g = layer.g();
  const std::int64_t frames = layer.integer("frames");
  const std::int64_t shift = layer.integer("shift") > 0 ? layer.integer("shift") : (frames + 1) / 2;
  Ints offsets;
  for (std::int64_t i = 0; i < frames; ++i) offsets.push_back(i);
  const Name time = layer.result_clock().time;
  const Name starts = multiply(g, range(g, time), g.integer(shift));
  const Name index = add(g, unsqueeze(g, starts, {1}), g.table({1, frames}, offsets));  // [segment, frames]
  // Zeros behind, as many as the last segment lacks at most.
  const Name x = layer.masked(layer.x(), layer.type(), 0);
  const Name behind = g.integers({0, 0, 0, frames, 0, 0});
  const Name rows = g.op("Gather", {g.op("Pad", {x, behind}), index}, {{"axis", std::int64_t{0}}});
  return transpose(g, rows, {0, 2, 1, 3});
}

// Means of three steps, two apart: one step for two, without the last of them.
Name write_align_pairwise(LayerWriter& layer) {
  Graph& g = layer.g();
  Name total;
  for (std::int64_t k = 0; k < 3; ++k) {
    const Name reach = multiply(g, layer.result_clock().time, g.integer(2));
    const Name taken = slice(g, layer.x(), 0, g.integers({k}), add(g, reach, g.integer(k)), 2);
    total = k == 0 ? taken : add(g, total, taken);
  }
  return multiply(g, total, g.number(1.0f / 3));
}

}  // namespace serval::deploy::onnx
