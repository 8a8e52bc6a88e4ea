#include "layers.h"

#include <algorithm>
#include <array>

#include "serval/core/error.h"

#include "arrays.h"

namespace serval::deploy::keras {

namespace {

Shape shape_of(const Sizes& sizes) {
  Shape out;
  for (const std::int64_t size : sizes) out.append(size);
  return out;
}
Sizes sizes_of(const Shape& shape) {
  Sizes out;
  for (int axis = 0; axis < shape.rank(); ++axis) out.push_back(shape[axis]);
  return out;
}

// The layer as it is being converted.
class Conversion {
 public:
  Conversion(const LayerReader& from, KerasLayer& to) : from_(from), to_(to) {}

  const LayerReader& from() const { return from_; }
  void is(const char* class_name) { to_.class_name = class_name; }

  void put(const std::string& name, const Sizes& sizes, std::vector<float> values) {
    to_.weights.push_back({name + ":0", shape_of(sizes), std::move(values)});
  }
  // A block as it is, where the layer has it.
  void copy(const std::string& name, const std::string& block) {
    if (from_.has(block)) put(name, sizes_of(from_.array(block).shape), from_.array(block).values);
  }
  // A block with its axes in another order.
  void turn(const std::string& name, const std::string& block, const std::vector<std::size_t>& order) {
    const Sizes sizes = sizes_of(from_.array(block).shape);
    Sizes turned;
    for (const std::size_t axis : order) turned.push_back(sizes[axis]);
    put(name, turned, permuted(from_.array(block).values, sizes, order));
  }

 private:
  const LayerReader& from_;
  KerasLayer& to_;
};

// w [units, in] as [in, units]
void dense(Conversion& c) {
  c.is("Dense");
  c.turn("kernel", "w", {1, 0});
  c.copy("bias", "b");
}

// w [channels, in / groups, window...] as [window..., in / groups, channels]; where every channel has filters of its own, as
// [window..., in, filters].
void convolution(Conversion& c, const char* plain, const char* depthwise) {
  const NamedArray& w = c.from().array("w");
  const Sizes sizes = sizes_of(w.shape);
  const std::size_t rank = sizes.size();
  std::vector<std::size_t> order;
  for (std::size_t axis = 2; axis < rank; ++axis) order.push_back(axis);
  const std::int64_t groups = depthwise == nullptr ? 1 : c.from().integer("groups");
  if (groups > 1 && sizes[1] == 1) {
    c.is(depthwise);
    Sizes turned(sizes.begin() + 2, sizes.end());
    turned.insert(turned.end(), {groups, sizes[0] / groups});
    order.push_back(0);
    order.push_back(1);
    c.put("depthwise_kernel", turned, permuted(w.values, sizes, order));
  } else {
    c.is(plain);
    order.push_back(1);
    order.push_back(0);
    c.turn("kernel", "w", order);
  }
  c.copy("bias", "b");
}
void conv1d(Conversion& c) { convolution(c, "Conv1D", "DepthwiseConv1D"); }
void conv2d(Conversion& c) { convolution(c, "Conv2D", "DepthwiseConv2D"); }
void patch_embed(Conversion& c) { convolution(c, "Conv2D", nullptr); }

void batch_norm(Conversion& c) {
  c.is("BatchNormalization");
  c.copy("gamma", "gamma");
  c.copy("beta", "beta");
  c.copy("moving_mean", "running_mean");
  c.copy("moving_variance", "running_variance");
}

void layer_norm(Conversion& c) {
  c.is("LayerNormalization");
  c.copy("gamma", "gamma");
  c.copy("beta", "beta");
}

// Rows of gates as columns, in Keras' order: its gate k is Serval's gate order[k].
std::vector<float> gates(const NamedArray& from, const std::vector<std::size_t>& order) {
  const std::size_t gate = from.values.size() / order.size();
  std::vector<float> rows;
  rows.reserve(from.values.size());
  for (const std::size_t k : order) {
    const auto first = from.values.begin() + static_cast<std::ptrdiff_t>(k * gate);
    rows.insert(rows.end(), first, first + static_cast<std::ptrdiff_t>(gate));
  }
  if (from.shape.rank() == 1) return rows;
  return permuted(rows, {from.shape[0], from.shape[1]}, {1, 0});
}

// One direction. Two biases are added up where Keras has one, and kept as two rows where it has two.
void recurrence(Conversion& c, const std::string& block, const std::string& name,
                const std::vector<std::size_t>& order, bool two_biases) {
  const NamedArray& w_x = c.from().array(block + "w_x");
  const NamedArray& w_h = c.from().array(block + "w_h");
  c.put(name + "kernel", {w_x.shape[1], w_x.shape[0]}, gates(w_x, order));
  c.put(name + "recurrent_kernel", {w_h.shape[1], w_h.shape[0]}, gates(w_h, order));
  std::vector<float> bias = gates(c.from().array(block + "b"), order);
  const auto columns = static_cast<std::int64_t>(bias.size());
  if (!c.from().has(block + "b_h")) return c.put(name + "bias", {columns}, std::move(bias));
  const std::vector<float> second = gates(c.from().array(block + "b_h"), order);
  if (two_biases) {
    bias.insert(bias.end(), second.begin(), second.end());
    return c.put(name + "bias", {2, columns}, std::move(bias));
  }
  for (std::size_t i = 0; i < bias.size(); ++i) bias[i] += second[i];
  c.put(name + "bias", {columns}, std::move(bias));
}

void recurrent(Conversion& c, const char* class_name, const std::string& cell,
               const std::vector<std::size_t>& order, bool two_biases) {
  if (!c.from().flag("bidirectional")) {
    c.is(class_name);
    return recurrence(c, "forward.", "", order, two_biases);
  }
  c.is("Bidirectional");
  recurrence(c, "forward.", "forward_" + cell + "/", order, two_biases);
  recurrence(c, "reversed.", "backward_" + cell + "/", order, two_biases);
}
// Serval's gates i, f, g, o are Keras' i, f, c, o; its r, z, n are z, r, h there.
void lstm(Conversion& c) { recurrent(c, "LSTM", "lstm", {0, 1, 2, 3}, false); }
void gru(Conversion& c) { recurrent(c, "GRU", "gru", {1, 0, 2}, true); }
void simple_rnn(Conversion& c) { recurrent(c, "SimpleRNN", "simple_rnn", {0}, false); }

// w [4 hidden, channels, kernel] as [kernel, channels, 4 hidden]
void conv_lstm1d(Conversion& c) {
  c.is("ConvLSTM1D");
  c.turn("kernel", "w_x", {2, 1, 0});
  c.turn("recurrent_kernel", "w_h", {2, 1, 0});
  c.copy("bias", "b");
}

// Heads lie side by side in the rows of w_q, w_k and w_v, and in the columns of w_out.
void multi_head_attention(Conversion& c) {
  c.is("MultiHeadAttention");
  const LayerReader& from = c.from();
  const std::int64_t feature = from.type().item[0], heads = from.integer("heads");
  const std::int64_t width = feature / heads;
  constexpr std::array<std::pair<const char*, const char*>, 3> kParts{
      {{"query", "w_q"}, {"key", "w_k"}, {"value", "w_v"}}};
  for (std::size_t part = 0; part < kParts.size(); ++part) {
    const auto& [name, own] = kParts[part];
    std::vector<float> rows = from.array(from.has("w_in") ? "w_in" : own).values;
    const auto third = static_cast<std::ptrdiff_t>(from.has("w_in") ? rows.size() / 3 : 0);
    const auto place = static_cast<std::ptrdiff_t>(part);
    if (third > 0) rows = {rows.begin() + place * third, rows.begin() + (place + 1) * third};
    const std::int64_t in = static_cast<std::int64_t>(rows.size()) / feature;
    c.put(cat(name, "/kernel"), {in, heads, width}, permuted(rows, {feature, in}, {1, 0}));
    if (!from.has("b_in")) continue;
    const auto bias = from.array("b_in").values.begin() + static_cast<std::ptrdiff_t>(part) * feature;
    c.put(cat(name, "/bias"), {heads, width}, {bias, bias + feature});
  }
  const NamedArray& out = from.array("w_out");
  c.put("attention_output/kernel", {heads, width, feature}, permuted(out.values, {feature, feature}, {1, 0}));
  c.copy("attention_output/bias", "b_out");
}

using Convert = void (*)(Conversion&);
constexpr std::array<std::pair<const char*, Convert>, 11> kConversions{{
    {"batch_norm", batch_norm},
    {"conv1d", conv1d},
    {"conv2d", conv2d},
    {"conv_lstm1d", conv_lstm1d},
    {"dense", dense},
    {"gru", gru},
    {"layer_norm", layer_norm},
    {"lstm", lstm},
    {"multi_head_attention", multi_head_attention},
    {"patch_embed", patch_embed},
    {"simple_rnn", simple_rnn},
}};

// What Keras has no layer for.
struct OwnLayout {
  const char* type;
  bool (*applies)(const LayerReader& layer);
  const char* meaning;
};
bool always(const LayerReader&) { return true; }
const std::array<OwnLayout, 6> kOwn{{
    {"lstm", [](const LayerReader& layer) { return layer.text("peephole") != "none"; },
     "rows are gates i, f, g, o: w_x [4 hidden, in], w_h [4 hidden, hidden], b [4 hidden], b_h [4 hidden] is "
     "added to b; "
     "w_c are the peepholes of i, f and o, [3 hidden] each at its own cell or [3 hidden, hidden] at all of "
     "them; i and f "
     "look at the cell before the step, o at that or at the new one (output_peephole); forward, then "
     "reversed"},
    {"batch_norm", [](const LayerReader& layer) { return layer.flag("per_step"); },
     "gamma [channels], beta [channels]; running_mean and running_variance [steps, channels], a row each "
     "time step"},
    {"attention_pool", always,
     "w [units, feature], b [units], v [1, units]: the sum of the steps by softmax over time of v tanh(w x + "
     "b)"},
    {"class_tokens", always, "token<i> [feature]: put before the first step, in this order"},
    {"positional_embedding", always,
     "p [steps, feature]: row t is added to step t, as of an Embedding(steps, feature) of the step's number"},
    {"ds_lstm", always,
     "rows are gates, of G gates: gates.w [G hidden, x + y + hidden], gates.b [G hidden]; x_candidate.w "
     "[hidden, x + "
     "hidden], y_candidate.w [hidden, y + hidden], and their b [hidden]; gate_norm.gamma and .beta [G "
     "hidden], "
     "gate_norm.running_mean and .running_variance [steps, G hidden]; gates are forget, input of x, output, "
     "input of y, "
     "or with six gates forget, input, output of x, then of y"},
}};

// What follows the name of the layer that a block belongs to, which is another where weights are shared.
std::string own_name(const LayerReader& from, const std::string& block) {
  std::size_t longest = 0;
  for (const nn::GraphStep& step : from.network().steps) {
    if (block.starts_with(step.name + ".")) longest = std::max(longest, step.name.size() + 1);
  }
  return block.substr(longest);
}

}  // namespace

void convert_layer(const LayerReader& from, KerasLayer& layer) {
  for (const OwnLayout& own : kOwn) {
    if (layer.serval_type != own.type || !own.applies(from)) continue;
    layer.serval_layout = own.meaning;
    for (const std::string& block : from.step().blocks) {
      const NamedArray& array = from.member().array(block);
      layer.weights.push_back({own_name(from, block), array.shape, array.values});
    }
    return;
  }
  for (const auto& [type, convert] : kConversions) {
    if (layer.serval_type != type) continue;
    Conversion conversion(from, layer);
    return convert(conversion);
  }
  throw InternalError(cat("layers ", layer.serval_type, " have no form for Keras"));
}

std::string base_name(const KerasLayer& layer) {
  constexpr std::array<std::pair<const char*, const char*>, 12> kBases{{
      {"BatchNormalization", "batch_normalization"},
      {"Bidirectional", "bidirectional"},
      {"Conv1D", "conv1d"},
      {"Conv2D", "conv2d"},
      {"ConvLSTM1D", "conv_lstm1d"},
      {"Dense", "dense"},
      {"DepthwiseConv1D", "depthwise_conv1d"},
      {"DepthwiseConv2D", "depthwise_conv2d"},
      {"GRU", "gru"},
      {"LSTM", "lstm"},
      {"LayerNormalization", "layer_normalization"},
      {"MultiHeadAttention", "multi_head_attention"},
  }};
  for (const auto& [class_name, base] : kBases) {
    if (layer.class_name == class_name) return base;
  }
  return layer.serval_type;  // SimpleRNN is spelt alike
}

}  // namespace serval::deploy::keras
