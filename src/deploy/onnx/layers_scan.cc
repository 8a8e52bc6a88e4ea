// Recurrences that no operator of ONNX has, step by step in a Scan. A step of a sequence that has ended is computed as well:
// it is behind all of that sequence's, and nobody looks at it. What is read from the end is put in that order first.
#include <cmath>

#include "serval/core/error.h"

#include "layer_lists.h"

namespace serval::deploy::onnx {

namespace {

// [time, batch, item...] with each sequence's own steps the other way round.
Name reversed(LayerWriter& layer, const Name& x, int item_rank) {
  Graph& g = layer.g();
  Ints order{1, 0};
  for (int axis = 0; axis < item_rank; ++axis) order.push_back(2 + axis);
  const Name last = unsqueeze(g, subtract(g, layer.clock().lengths, g.integer(1)), {1});
  const Name index = at_least(g, subtract(g, last, unsqueeze(g, range(g, layer.clock().time), {0})), 0);
  return transpose(g, gather_rows(g, transpose(g, x, order), index), order);
}

// Zeros [batch, sizes...].
Name zeros(LayerWriter& layer, const Ints& sizes) {
  Graph& g = layer.g();
  return g.op("ConstantOfShape", {join(g, {layer.batch(), g.integers(sizes)}, 0)});
}

// A body that gets states and one step of each sequence, and gives the states after it and what it says of the step.
class Steps {
 public:
  Steps(LayerWriter& layer, std::vector<Name> states, std::vector<Name> sequences)
      : layer_(layer),
        states_(std::move(states)),
        sequences_(std::move(sequences)),
        body_(layer.g().fresh_prefix()) {
    for (std::size_t i = 0; i < states_.size(); ++i)
      inside_states_.push_back(body_.input(cat("state", i), Element::kFloat));
    for (std::size_t i = 0; i < sequences_.size(); ++i)
      inside_steps_.push_back(body_.input(cat("step", i), Element::kFloat));
  }

  Graph& body() { return body_; }
  const Name& state(std::size_t i) const { return inside_states_[i]; }
  const Name& step(std::size_t i) const { return inside_steps_[i]; }

  // What the steps say, [time, ...].
  Name run(const std::vector<Name>& after, const Name& said) {
    for (std::size_t i = 0; i < after.size(); ++i) body_.output(after[i], cat("after", i), Element::kFloat);
    body_.output(said, "said", Element::kFloat);
    std::vector<Name> inputs = states_;
    inputs.insert(inputs.end(), sequences_.begin(), sequences_.end());
    return layer_.g()
        .ops("Scan", inputs,
             {{"num_scan_inputs", static_cast<std::int64_t>(sequences_.size())}, {"body", &body_}},
             states_.size() + 1)
        .back();
  }

 private:
  LayerWriter& layer_;
  std::vector<Name> states_, sequences_;
  Graph body_;
  std::vector<Name> inside_states_, inside_steps_;
};

Name sigmoid(Graph& g, const Name& x) { return g.op("Sigmoid", {x}); }
Name tanh(Graph& g, const Name& x) { return g.op("Tanh", {x}); }

// One direction of an LSTM with peepholes: x [time, batch, in] in the order of reading.
Name peephole_direction(LayerWriter& layer, const std::string& prefix, const Name& x) {
  Graph& g = layer.g();
  const std::int64_t hidden = layer.integer("hidden");
  const bool full = layer.text("peephole") == "full", current = layer.text("output_peephole") == "current";
  Name inputs = add(g, product(g, x, layer.transposed(prefix + "w_x")), layer.block(prefix + "b"));
  if (layer.has(prefix + "b_h")) inputs = add(g, inputs, layer.block(prefix + "b_h"));
  const Name w_h = layer.transposed(prefix + "w_h");
  // [hidden, 3 hidden] or [3 hidden], of i, f and o.
  const Name w_c = full ? layer.transposed(prefix + "w_c") : layer.block(prefix + "w_c");
  const std::int64_t axis = full ? 1 : 0;

  Steps steps(layer, {zeros(layer, {hidden}), zeros(layer, {hidden})}, {inputs});
  Graph& b = steps.body();
  const Name gates = add(b, steps.step(0), product(b, steps.state(0), w_h));
  const auto gate = [&](std::int64_t k) { return slice(b, gates, 1, k * hidden, (k + 1) * hidden); };
  const auto peep = [&](std::int64_t k, const Name& cell) {
    const Name own = slice(b, w_c, axis, k * hidden, (k + 1) * hidden);
    return full ? product(b, cell, own) : multiply(b, cell, own);
  };
  const Name before = steps.state(1);
  const Name i = sigmoid(b, add(b, gate(0), peep(0, before)));
  const Name f = sigmoid(b, add(b, gate(1), peep(1, before)));
  const Name c = add(b, multiply(b, f, before), multiply(b, i, tanh(b, gate(2))));
  const Name o = sigmoid(b, add(b, gate(3), peep(2, current ? c : before)));
  const Name h = multiply(b, o, tanh(b, c));
  return steps.run({h, c}, h);
}

}  // namespace

Name write_peephole_lstm(LayerWriter& layer) {
  const Name forward = peephole_direction(layer, "forward.", layer.x());
  if (!layer.flag("bidirectional")) return forward;
  const Name back = peephole_direction(layer, "reversed.", reversed(layer, layer.x(), 1));
  return join(layer.g(), {forward, reversed(layer, back, 1)}, 2);
}

Name write_conv_lstm1d(LayerWriter& layer) {
  Graph& g = layer.g();
  const nn::ValueType& type = layer.type();
  const std::int64_t hidden = layer.integer("hidden"), kernel = layer.integer("kernel");
  const std::int64_t width = type.item[type.item.rank() - 1];
  const std::int64_t channels = type.item.rank() > 1 ? type.item[0] : 1;
  const Attributes window{{"kernel_shape", Ints{kernel}}, {"pads", Ints{(kernel - 1) / 2, kernel / 2}}};
  const Name items = reshape(g, layer.x(), {-1, channels, width});
  const Name read = g.op("Conv", {items, layer.block("w_x"), layer.block("b")}, window);
  const Name inputs =
      g.op("Reshape", {read, join(g, {layer.clock().time, g.integers({-1, 4 * hidden, width})}, 0)});
  const Name w_h = layer.block("w_h");

  Steps steps(layer, {zeros(layer, {hidden, width}), zeros(layer, {hidden, width})}, {inputs});
  Graph& b = steps.body();
  const Name gates = add(b, steps.step(0), b.op("Conv", {steps.state(0), w_h}, window));
  const auto gate = [&](std::int64_t k) { return slice(b, gates, 1, k * hidden, (k + 1) * hidden); };
  const Name kept = multiply(b, sigmoid(b, gate(1)), steps.state(1));
  const Name c = add(b, kept, multiply(b, sigmoid(b, gate(0)), tanh(b, gate(2))));
  const Name h = multiply(b, sigmoid(b, gate(3)), tanh(b, c));
  return steps.run({h, c}, h);
}

namespace {

// Gain and shift of the gates' norm at each step, [time, 1, gates]: past the last step that has statistics the last one's.
struct StepNorm {
  Name gain, shift;
};
StepNorm gate_norm(LayerWriter& layer, std::int64_t gates) {
  constexpr double kEpsilon = 1e-5;
  Graph& g = layer.g();
  const NamedArray& mean = layer.array("gate_norm.running_mean");
  const NamedArray& variance = layer.array("gate_norm.running_variance");
  std::vector<float> gains, shifts;
  for (std::size_t i = 0; i < mean.values.size(); ++i) {
    const std::size_t column = i % static_cast<std::size_t>(gates);
    const double gain = static_cast<double>(layer.array("gate_norm.gamma").values[column]) /
                        std::sqrt(static_cast<double>(variance.values[i]) + kEpsilon);
    gains.push_back(static_cast<float>(gain));
    shifts.push_back(static_cast<float>(static_cast<double>(layer.array("gate_norm.beta").values[column]) -
                                        gain * static_cast<double>(mean.values[i])));
  }
  const Name step = smaller(g, range(g, layer.clock().time), g.integer(mean.shape[0] - 1));
  const auto of_steps = [&](const std::vector<float>& values) {
    return g.op("Gather", {g.floats({mean.shape[0], 1, gates}, values), step}, {{"axis", std::int64_t{0}}});
  };
  return {of_steps(gains), of_steps(shifts)};
}

// Columns [first, first + count) of a matrix [rows, columns], turned: [count, rows].
Name columns_of(LayerWriter& layer, const std::string& what, std::int64_t first, std::int64_t count) {
  return slice(layer.g(), layer.transposed(what), 0, first, first + count);
}

}  // namespace

Name write_ds_lstm(LayerWriter& layer) {
  Graph& g = layer.g();
  const std::string variant = layer.text("variant");
  const bool two_cells = variant == "six_gate", two_candidates = variant != "three_gate";
  const bool own_cells = layer.text("gates_read") == "own_cell";
  const std::int64_t hidden = layer.integer("hidden"), x = layer.type(0).item[0], y = layer.type(1).item[0];
  const std::int64_t gates = layer.array("gates.b").shape[0];
  // What does not depend on the step before.
  Name read = add(g, product(g, layer.x(0), columns_of(layer, "gates.w", 0, x)),
                  product(g, layer.x(1), columns_of(layer, "gates.w", x, y)));
  std::vector<Name> sequences{add(g, read, layer.block("gates.b"))};
  const char* const candidate_names[] = {"x_candidate", "y_candidate"};
  const std::int64_t widths[] = {x, y};
  std::vector<Name> candidate_w;
  for (std::size_t k = 0; k < (two_candidates ? 2 : 1); ++k) {
    const std::string name = candidate_names[k];
    const Name own = product(g, layer.x(k), columns_of(layer, name + ".w", 0, widths[k]));
    sequences.push_back(add(g, own, layer.block(name + ".b")));
    candidate_w.push_back(columns_of(layer, name + ".w", widths[k], hidden));
  }
  const Name gates_w = columns_of(layer, "gates.w", x + y, hidden);  // [hidden, gates]
  const bool normed = layer.has("gate_norm.gamma");
  if (normed) {
    const StepNorm norm = gate_norm(layer, gates);
    sequences.insert(sequences.end(), {norm.gain, norm.shift});
  }
  const std::vector<Name> states(two_cells ? 4 : 2, zeros(layer, {hidden}));  // h and c of each cell

  Steps steps(layer, states, sequences);
  Graph& b = steps.body();
  const auto h_before = [&](std::size_t cell) { return steps.state(2 * cell); };
  const auto c_before = [&](std::size_t cell) { return steps.state(2 * cell + 1); };
  Name recalled = product(b, h_before(0), gates_w);
  if (own_cells) {
    std::vector<Name> halves;
    for (std::size_t cell = 0; cell < 2; ++cell) {
      const auto first = static_cast<std::int64_t>(cell) * 3 * hidden;
      halves.push_back(product(b, c_before(cell), slice(b, gates_w, 1, first, first + 3 * hidden)));
    }
    recalled = join(b, halves, 1);
  }
  Name opened = sigmoid(b, add(b, steps.step(0), recalled));
  if (normed) {
    const std::size_t gain = sequences.size() - 2;
    opened = add(b, multiply(b, opened, steps.step(gain)), steps.step(gain + 1));
  }
  const auto gate = [&](std::int64_t k) { return slice(b, opened, 1, k * hidden, (k + 1) * hidden); };
  const auto candidate = [&](std::size_t k) {
    const Name recall = product(b, h_before(two_cells ? k : 0), candidate_w[k]);
    return tanh(b, add(b, steps.step(1 + k), recall));
  };
  std::vector<Name> after, said;
  for (std::size_t cell = 0; cell < (two_cells ? 2 : 1); ++cell) {
    const auto first = static_cast<std::int64_t>(cell) * 3;
    Name c = add(b, multiply(b, gate(first), c_before(cell)), multiply(b, gate(first + 1), candidate(cell)));
    if (!two_cells && two_candidates) c = add(b, c, multiply(b, gate(3), candidate(1)));
    const Name h = multiply(b, gate(first + 2), tanh(b, c));
    after.insert(after.end(), {h, c});
    said.push_back(h);
  }
  return steps.run(after, join(b, said, 1));
}

}  // namespace serval::deploy::onnx
