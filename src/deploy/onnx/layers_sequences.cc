// Layers over a sequence as a whole: pools, steps taken out or put before, positions, attention.
#include <cmath>
#include <numbers>

#include "serval/core/error.h"

#include "layer_lists.h"

namespace serval::deploy::onnx {

namespace {

Name float_lengths(LayerWriter& layer) {  // [batch, 1]
  return unsqueeze(layer.g(), cast(layer.g(), layer.clock().lengths, Element::kFloat), {1});
}

// Step `at` [batch] of each sequence: [batch, item...].
Name step_of_each(LayerWriter& layer, const Name& at) {
  Graph& g = layer.g();
  Ints order{1, 0};
  for (int axis = 0; axis < layer.type().item.rank(); ++axis) order.push_back(2 + axis);
  return squeeze(g, gather_rows(g, transpose(g, layer.x(), order), unsqueeze(g, at, {1})), {1});
}

Name first_step(LayerWriter& layer) { return squeeze(layer.g(), slice(layer.g(), layer.x(), 0, 0, 1), {0}); }

}  // namespace

Name write_mean_pool(LayerWriter& layer) {
  Graph& g = layer.g();
  return divide(g, sum(g, layer.masked(layer.x(), layer.type(), 0), {0}), float_lengths(layer));
}

// Of what a layer read from the end, the first step is the last that it gave.
Name write_last_pool(LayerWriter& layer) {
  Graph& g = layer.g();
  const Name last = step_of_each(layer, subtract(g, layer.clock().lengths, g.integer(1)));
  const std::int64_t split = layer.reversed_from(), width = layer.type().item[0];
  if (split >= width) return last;
  return join(g, {slice(g, last, 1, 0, split), slice(g, first_step(layer), 1, split, width)}, 1);
}

Name write_sequence_max_pool(LayerWriter& layer) {
  return reduce(layer.g(), "ReduceMax", layer.masked(layer.x(), layer.type(), kLowest), {0});
}

Name write_attention_pool(LayerWriter& layer) {
  Graph& g = layer.g();
  const Name hidden = g.op("Tanh", {add(g, product(g, layer.x(), layer.transposed("w")), layer.block("b"))});
  const Name scores = product(g, hidden, layer.transposed("v"));  // [time, batch, 1]
  nn::ValueType one = layer.type();
  one.item = Shape{1};
  const Name weights = softmax(g, layer.masked(scores, one, kLowest), 0);
  return sum(g, multiply(g, layer.masked(layer.x(), layer.type(), 0), weights), {0});
}

Name write_select_step(LayerWriter& layer) {
  Graph& g = layer.g();
  const std::int64_t step = layer.integer("step");
  if (step < 0) return step_of_each(layer, add(g, layer.clock().lengths, g.integer(step)));
  return squeeze(g, slice(g, layer.x(), 0, step, step + 1), {0});
}

Name write_match_steps(LayerWriter& layer) {
  Graph& g = layer.g();
  return slice(g, layer.x(0), 0, g.integers({0}), layer.clock(1).time);
}

Name write_class_tokens(LayerWriter& layer) {
  Graph& g = layer.g();
  const std::int64_t width = layer.type().item[0];
  std::vector<Name> parts;
  for (std::int64_t i = 0; i < layer.integer("count"); ++i) {
    const Name shape = join(g, {g.integers({1}), layer.batch(), g.integers({width})}, 0);
    parts.push_back(g.op("Expand", {layer.block(cat("token", i), {1, 1, width}), shape}));
  }
  parts.push_back(layer.x());
  return join(g, parts, 0);
}

Name write_token_mean(LayerWriter& layer) {
  return reduce(layer.g(), "ReduceMean", slice(layer.g(), layer.x(), 0, 0, layer.integer("count")), {0});
}

Name write_positional_embedding(LayerWriter& layer) {
  Graph& g = layer.g();
  const std::int64_t width = layer.type().item[0];
  if (layer.text("kind") == "learned") {
    const Name rows = layer.block("p", {layer.array("p").shape[0], 1, width});
    return add(g, layer.x(), slice(g, rows, 0, g.integers({0}), layer.clock().time));
  }
  // cos(a) = sin(a + pi / 2)
  std::vector<float> rates, phases;
  for (std::int64_t f = 0; f < width; ++f) {
    const double power = static_cast<double>(f / 2 * 2) / static_cast<double>(width);
    rates.push_back(static_cast<float>(1 / std::pow(10000.0, power)));
    phases.push_back(f % 2 == 0 ? 0.0f : static_cast<float>(std::numbers::pi / 2));
  }
  const Name steps = unsqueeze(g, cast(g, range(g, layer.clock().time), Element::kFloat), {1, 2});
  const Name angles = add(g, multiply(g, steps, g.floats({width}, rates)), g.floats({width}, phases));
  return add(g, layer.x(), g.op("Sin", {angles}));
}

namespace {

// Rows [first, first + count) of a matrix, turned; and of a vector.
Name linear(LayerWriter& layer, const Name& x, const std::string& w, const std::string& b, std::int64_t first,
            std::int64_t count) {
  Graph& g = layer.g();
  const Name rows = slice(g, layer.transposed(w), 1, first, first + count);
  const Name y = product(g, x, rows);
  return layer.has(b) ? add(g, y, slice(g, layer.block(b), 0, first, first + count)) : y;
}

}  // namespace

Name write_multi_head_attention(LayerWriter& layer) {
  Graph& g = layer.g();
  const std::size_t source = layer.inputs() - 1;
  const std::int64_t width = layer.type().item[0], heads = layer.integer("heads");
  const bool packed = layer.has("w_in");
  const auto projected = [&](std::size_t which, const char* own, std::int64_t part, const Ints& order) {
    Name y;
    if (packed) {
      y = linear(layer, layer.x(which), "w_in", "b_in", part * width, width);
    } else {
      y = product(g, layer.x(which), layer.transposed(own));
      if (layer.has("b_in"))
        y = add(g, y, slice(g, layer.block("b_in"), 0, part * width, (part + 1) * width));
    }
    return transpose(g, reshape(g, y, {0, 0, heads, width / heads}), order);
  };
  const Name q = projected(0, "w_q", 0, {1, 2, 0, 3});
  const Name k = projected(source, "w_k", 1, {1, 2, 3, 0});
  const Name v = projected(source, "w_v", 2, {1, 2, 0, 3});
  const float scale = 1 / std::sqrt(static_cast<float>(width / heads));
  const Name scores = multiply(g, product(g, q, k), g.number(scale));  // [batch, head, query, key]
  // Keys past the end get a score that leaves them no weight.
  nn::ValueType key = layer.type(source);
  key.item = Shape{1};
  const Name zeros =
      g.op("ConstantOfShape", {join(g, {layer.clock(source).time, layer.batch(), g.integers({1})}, 0)});
  const Name shut = unsqueeze(g, transpose(g, layer.masked(zeros, key, kLowest), {1, 2, 0}), {1});
  const Name heard = product(g, softmax(g, add(g, scores, shut)), v);
  const Name joined = reshape(g, transpose(g, heard, {2, 0, 1, 3}), {0, 0, width});
  return linear(layer, joined, "w_out", "b_out", 0, width);
}

}  // namespace serval::deploy::onnx
