#include "network.h"

#include <algorithm>

#include "serval/core/error.h"

namespace serval::deploy::onnx {

void Problems::add(const std::string& problem) {
  if (std::find(all_.begin(), all_.end(), problem) == all_.end()) all_.push_back(problem);
}

namespace {

// How many steps come out of `n`, as nn::LengthRule counts.
Name steps_of(Graph& g, const nn::LengthRule& rule, const Name& n) {
  if (rule.same) return divide(g, add(g, n, g.integer(rule.stride - 1)), g.integer(rule.stride));
  const Name room = add(g, n, g.integer(rule.padding - rule.extent));
  const Name steps = add(g, divide(g, at_least(g, room, 0), g.integer(rule.stride)), g.integer(1));
  return where(g, less(g, room, g.integer(0)), g.integer(rule.least), steps);
}

}  // namespace

NetworkWriter::NetworkWriter(Graph& graph, const nn::NetworkGraph& network, const BundleMember& weights,
                             Problems& problems)
    : graph_(graph), network_(network), weights_(weights), problems_(problems) {}

std::vector<Name> NetworkWriter::write(const std::vector<NetworkInput>& inputs) {
  values_.resize(network_.values.size());
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    values_[i] = inputs[i].x;
    const int clock = network_.values[i].type.clock;
    batch_ = size_of(graph_, inputs[i].x, clock == nn::kNoClock ? 0 : 1);
    if (clock != nn::kNoClock) clocks_[clock] = {inputs[i].lengths, size_of(graph_, inputs[i].x, 0), ""};
  }
  for (const nn::GraphStep& step : network_.steps) {
    LayerWriter layer(*this, step);
    Name& to = values_[static_cast<std::size_t>(step.output)];
    if (step.view) {
      const nn::ValueType& type = layer.result();
      Ints shape = type.sequence() ? Ints{0, 0} : Ints{0};
      for (int axis = 0; axis < type.item.rank(); ++axis) shape.push_back(type.item[axis]);
      to = reshape(graph_, layer.x(), shape);
    } else if (const WriteLayer writer = layer_writer(step.type)) {
      to = writer(layer);
    } else {
      layer.refuse("has no form in ONNX");
      to = layer.x();
    }
  }
  std::vector<Name> out;
  for (const int output : network_.outputs) out.push_back(value(output));
  return out;
}

const ClockNames& NetworkWriter::clock(int index) {
  if (clocks_.count(index) == 0) make_clock(static_cast<std::size_t>(index));
  return clocks_.at(index);
}

void NetworkWriter::make_clock(std::size_t index) {
  const nn::GraphClock& clock = network_.clocks[index];
  ClockNames made;
  if (clock.from >= 0) {
    const ClockNames from = this->clock(clock.from);
    made.lengths = steps_of(graph_, clock.rule, from.lengths);
    made.time = steps_of(graph_, clock.rule, from.time);
  } else {
    made.time = graph_.integers({clock.steps});
    made.lengths = graph_.op("Expand", {made.time, batch_});
  }
  clocks_[static_cast<int>(index)] = made;
}

const Name& NetworkWriter::mask(int index) {
  clock(index);
  ClockNames& names = clocks_.at(index);
  if (names.mask.empty()) {
    names.mask = less(graph_, unsqueeze(graph_, range(graph_, names.time), {1}),
                      unsqueeze(graph_, names.lengths, {0}));
  }
  return names.mask;
}

LayerWriter::LayerWriter(NetworkWriter& network, const nn::GraphStep& step)
    : LayerReader(network.network(), step, network.member()), network_(network) {}

const Name& LayerWriter::x(std::size_t index) const { return network_.value(step().inputs[index]); }
std::int64_t LayerWriter::reversed_from() const {
  return network().values[static_cast<std::size_t>(step().inputs.front())].reversed_from;
}

Name LayerWriter::block(const std::string& what) {
  const NamedArray& from = array(what);
  Ints shape;
  for (int axis = 0; axis < from.shape.rank(); ++axis) shape.push_back(from.shape[axis]);
  return block(what, shape);
}
Name LayerWriter::block(const std::string& what, Ints shape) { return g().floats(shape, array(what).values); }
Name LayerWriter::transposed(const std::string& what) {
  const NamedArray& from = array(what);
  const std::int64_t rows = from.shape[0], columns = from.shape[1];
  std::vector<float> turned;
  turned.reserve(from.values.size());
  for (std::int64_t c = 0; c < columns; ++c) {
    for (std::int64_t r = 0; r < rows; ++r)
      turned.push_back(from.values[static_cast<std::size_t>(r * columns + c)]);
  }
  return g().floats({columns, rows}, turned);
}

const ClockNames& LayerWriter::clock(std::size_t index) { return network_.clock(type(index).clock); }
const ClockNames& LayerWriter::result_clock() { return network_.clock(result().clock); }

Name LayerWriter::masked(const Name& x, const nn::ValueType& type, float fill) {
  if (!type.sequence()) return x;
  if (network().clocks[static_cast<std::size_t>(type.clock)].steps > 0) return x;  // all are there
  Ints axes;
  for (int axis = 0; axis < type.item.rank(); ++axis) axes.push_back(2 + axis);
  return where(g(), unsqueeze(g(), network_.mask(type.clock), axes), x, g().number(fill));
}

Name LayerWriter::items(std::size_t index) {
  if (!type(index).sequence()) return x(index);
  Ints shape{-1};
  for (int axis = 0; axis < type(index).item.rank(); ++axis) shape.push_back(type(index).item[axis]);
  return reshape(g(), x(index), shape);
}
Name LayerWriter::as_result(const Name& items) {
  if (!result().sequence()) return items;
  Ints rest{-1};
  for (int axis = 0; axis < result().item.rank(); ++axis) rest.push_back(result().item[axis]);
  return g().op("Reshape", {items, join(g(), {result_clock().time, g().integers(rest)}, 0)});
}

Name activated(Graph& g, const Name& x, const std::string& function, double slope, double alpha) {
  if (function == "none") return x;
  if (function == "relu") return g.op("Relu", {x});
  if (function == "tanh") return g.op("Tanh", {x});
  if (function == "sigmoid") return g.op("Sigmoid", {x});
  if (function == "leaky_relu") return g.op("LeakyRelu", {x}, {{"alpha", static_cast<float>(slope)}});
  if (function == "elu") return g.op("Elu", {x}, {{"alpha", static_cast<float>(alpha)}});
  SERVAL_CHECK(function == "gelu", "activation ", function);
  const Name share = add(g, g.op("Erf", {multiply(g, x, g.number(0.70710678f))}), g.number(1));
  return multiply(g, multiply(g, x, g.number(0.5f)), share);
}

Name LayerWriter::activated(const Name& x, const std::string& function) {
  return onnx::activated(g(), x, function, 0.01, 1);
}

void LayerWriter::refuse(const std::string& why) {
  network_.refuse(cat("layer ", step().name, " (", step().type, ") ", why));
}

}  // namespace serval::deploy::onnx
