// Recurrent layers that ONNX has operators for. These take gates in another order, both directions in one table, and as many
// steps of each sequence as `sequence_lens` says.
#include "serval/core/error.h"

#include "layer_lists.h"

namespace serval::deploy::onnx {

namespace {

// Blocks of rows, one a gate, in another order; those of both directions follow each other.
class Gates {
 public:
  Gates(LayerWriter& layer, std::int64_t hidden, std::vector<std::size_t> order)
      : layer_(layer), hidden_(static_cast<std::size_t>(hidden)), order_(std::move(order)) {}

  std::vector<float> of(const std::string& what) const {
    const std::vector<float>& from = layer_.array(what).values;
    const std::size_t gate = from.size() / order_.size();
    std::vector<float> out;
    for (const std::size_t place : order_)
      out.insert(out.end(), from.begin() + static_cast<std::ptrdiff_t>(place * gate),
                 from.begin() + static_cast<std::ptrdiff_t>((place + 1) * gate));
    return out;
  }
  std::vector<float> zeros() const { return std::vector<float>(order_.size() * hidden_, 0.0f); }

 private:
  LayerWriter& layer_;
  std::size_t hidden_;
  std::vector<std::size_t> order_;
};

std::vector<std::string> directions(const LayerWriter& layer) {
  return layer.flag("bidirectional") ? std::vector<std::string>{"forward.", "reversed."}
                                     : std::vector<std::string>{"forward."};
}

void append(std::vector<float>& to, const std::vector<float>& from) {
  to.insert(to.end(), from.begin(), from.end());
}

// [time, direction, batch, hidden] to [time, batch, direction * hidden]
Name run(LayerWriter& layer, const char* type, const Gates& gates, std::int64_t gate_count,
         Attributes attributes, const Name& peepholes) {
  Graph& g = layer.g();
  const std::int64_t hidden = layer.integer("hidden"), in = layer.type().item[0];
  std::vector<float> w_x, w_h, b;
  for (const std::string& direction : directions(layer)) {
    append(w_x, gates.of(direction + "w_x"));
    append(w_h, gates.of(direction + "w_h"));
    append(b, gates.of(direction + "b"));
    append(b, layer.has(direction + "b_h") ? gates.of(direction + "b_h") : gates.zeros());
  }
  const auto count = static_cast<std::int64_t>(directions(layer).size());
  attributes.push_back({"hidden_size", hidden});
  attributes.push_back({"direction", std::string(count > 1 ? "bidirectional" : "forward")});
  std::vector<Name> inputs{layer.x(), g.floats({count, gate_count * hidden, in}, w_x),
                           g.floats({count, gate_count * hidden, hidden}, w_h),
                           g.floats({count, 2 * gate_count * hidden}, b),
                           cast(g, layer.clock().lengths, Element::kInt32)};
  if (!peepholes.empty()) inputs.insert(inputs.end(), {"", "", peepholes});
  const Name y = g.op(type, inputs, attributes);
  return reshape(g, transpose(g, y, {0, 2, 1, 3}), {0, 0, count * hidden});
}

}  // namespace

// Serval's gates are i, f, g, o; ONNX's i, o, f, c. Its peepholes are those of i, o, f, and o looks at the new cell.
Name write_lstm(LayerWriter& layer) {
  const std::string peephole = layer.text("peephole");
  const bool diagonal = peephole == "diagonal" && layer.text("output_peephole") == "current";
  if (peephole != "none" && !diagonal) return write_peephole_lstm(layer);
  const std::int64_t hidden = layer.integer("hidden");
  Name peepholes;
  if (diagonal) {
    const Gates order(layer, hidden, {0, 2, 1});
    std::vector<float> values;
    for (const std::string& direction : directions(layer)) append(values, order.of(direction + "w_c"));
    peepholes = layer.g().floats({static_cast<std::int64_t>(directions(layer).size()), 3 * hidden}, values);
  }
  return run(layer, "LSTM", Gates(layer, hidden, {0, 3, 1, 2}), 4, {}, peepholes);
}

// Serval's gates are r, z, n; ONNX's z, r, h.
Name write_gru(LayerWriter& layer) {
  return run(layer, "GRU", Gates(layer, layer.integer("hidden"), {1, 0, 2}), 3,
             {{"linear_before_reset", std::int64_t{layer.flag("reset_after")}}}, "");
}

Name write_simple_rnn(LayerWriter& layer) {
  const std::string function = layer.text("activation") == "relu" ? "Relu" : "Tanh";
  return run(layer, "RNN", Gates(layer, layer.integer("hidden"), {0}), 1,
             {{"activations", std::vector<std::string>(directions(layer).size(), function)}}, "");
}

}  // namespace serval::deploy::onnx
