// The dual-sequence LSTM of Wang, Xue, Chung and others (2020, arXiv 1910.08874), and the variants that they compare it with,
// as the authors' program has them. Reads two sequences x and y with the same steps; hidden H, [.,.] joins:
//   dual:        g_t = sigmoid(w_g [x_t, y_t, h_{t-1}] + b_g)           f, iT, o, iF = norm of g_t, after the sigmoid
//                candidates xT_t = tanh(w_T [x_t, h_{t-1}] + b_T),  xF_t = tanh(w_F [y_t, h_{t-1}] + b_F)
//                c_t = f c_{t-1} + iT xT_t + iF xF_t,  h_t = o tanh(c_t),  out_t = norm of h_t
//   three_gate:  the same without iF and xF: y is seen by the gates alone
//   six_gate:    f, i, o of x, then those of y, = norm of g_t; a cell and a state for each of the two,
//                its candidates are tanh(w_T [x_t, hT_{t-1}] + b_T) and tanh(w_F [y_t, hF_{t-1}] + b_F)
//                each c_t = f c_{t-1} + i times its candidate,  h_t = o tanh(c_t),  out_t = norm of [hT_t, hF_t]
//                gates_read x_state: g_t is of [x_t, y_t, hT_{t-1}]; own_cell: those of x are of [x_t, y_t, cT_{t-1}],
//                those of y of [x_t, y_t, cF_{t-1}]
// The gates' norm is a batch norm with statistics of each step and one gamma and beta; so is out's with out_norm
// per_step. In a stack, layer k + 1 reads what layer k gives as x, and the same y; of six gates, its halves as both.
// Blocks (of each layer of a stack, <layer>.stack0 and so on), G gates: gates.w [G H, X + Y + H], gates.b [G H],
//   x_candidate.w [H, X + H], x_candidate.b [H], without three_gate y_candidate.w [H, Y + H], y_candidate.b [H];
//   gate_norm.gamma [G H], gate_norm.beta [G H], statistics gate_norm.running_mean, gate_norm.running_variance
//   [max_steps, G H]; with an out_norm the blocks of that batch norm, the cell's then being <layer>.cell.gates.w and so on.
#include "ds_lstm_layer.h"

namespace serval::nn {

namespace {

enum class NormOfGates { kNone, kPerStepPostSigmoid };
enum class GatesRead { kXState, kOwnCell };
enum class OutNorm { kNone, kBatch, kPerStep };

struct DsLstm : LayerBodyOf<DsLstm> {
  static constexpr const char* kType = "ds_lstm";
  std::int64_t hidden = 200;
  std::int64_t layers = 1;
  DsVariant variant = DsVariant::kDual;
  GatesRead gates_read = GatesRead::kXState;
  NormOfGates gate_norm = NormOfGates::kPerStepPostSigmoid;
  double gate_norm_init = 0.1;
  OutNorm out_norm = OutNorm::kBatch;
  std::int64_t max_steps = 0;
  InitKind init = InitKind::kTorchUniform;

  void describe(SettingsVisitor& v) override {
    static const Options<NormOfGates> kGateNorms{{"none", NormOfGates::kNone},
                                                 {"per_step_post_sigmoid", NormOfGates::kPerStepPostSigmoid}};
    static const Options<DsVariant> kVariants{
        {"dual", DsVariant::kDual}, {"three_gate", DsVariant::kThreeGate}, {"six_gate", DsVariant::kSixGate}};
    static const Options<GatesRead> kGatesRead{{"x_state", GatesRead::kXState},
                                               {"own_cell", GatesRead::kOwnCell}};
    static const Options<OutNorm> kOutNorms{
        {"none", OutNorm::kNone}, {"bn", OutNorm::kBatch}, {"per_step", OutNorm::kPerStep}};
    v.integer("hidden", hidden, {.min = 1, .max = 2048}, {"width of the state", "units"});
    v.integer("layers", layers, {.min = 1, .max = 16}, {"how many are stacked"});
    v.choice(
        "variant", variant, kVariants,
        {"dual: one cell with an input gate and a candidate for each sequence; three_gate: one of both for "
         "x, y in the gates alone; six_gate: a cell and a state for each sequence, given side by side"});
    v.choice("gates_read", gates_read, kGatesRead,
             {"six_gate: of the step before, all gates the state of x, or each three their own cell"});
    v.choice("gate_norm", gate_norm, kGateNorms, {"batch norm of the gates, after their sigmoids"});
    v.real("gate_norm_init", gate_norm_init, {.min = -100, .max = 100}, {"first value of its gamma"});
    v.choice("out_norm", out_norm, kOutNorms, {"batch norm of what the layer gives; the state has none"});
    v.integer(
        "max_steps", max_steps, {.min = 0, .max = 1 << 16},
        {"norms of each step: how many have statistics; 0: as many as the sequence always has", "steps"});
    describe_initialiser(v, init);
    v.check(gates_read == GatesRead::kXState || variant == DsVariant::kSixGate, "gates_read",
            "belongs to \"variant\": \"six_gate\"; the others have one cell, whose state all gates read");
    v.check(max_steps == 0 || per_step(), "max_steps", "belongs to a norm of each step");
  }

  void plan(NodePlan& node) const override {
    node.need_inputs(2);
    const ValueType x = node.need_sequence(0);
    const ValueType y = node.need_sequence(1);
    if (x.clock != y.clock) {
      node.fail(cat("reads two sequences step by step, but those of \"", node.clock_name(x.clock),
                    "\" and \"", node.clock_name(y.clock),
                    "\" have steps of their own; put {\"type\": \"match_steps\"} between them"));
    }
    if (layers > 1) return plan_stack(node);
    DsLstm cell = *this;
    cell.max_steps = steps(node, x);
    if (out_norm != OutNorm::kNone) return plan_normed(node, cell);
    cell.plan_cell(node, x, y);
  }

 private:
  bool per_step() const {
    return gate_norm == NormOfGates::kPerStepPostSigmoid || out_norm == OutNorm::kPerStep;
  }
  std::int64_t steps(const NodePlan& node, const ValueType& x) const {
    if (!per_step()) return 0;
    const std::int64_t always = node.clock_steps(x.clock);
    if (max_steps == 0 && always == 0) {
      node.fail(
          "has norms of each step and sequences of any length; give the steps of the longest one as "
          "max_steps");
    }
    if (max_steps > 0 && always > max_steps) {
      node.fail_size(cat("has statistics for ", max_steps, " steps, but its input has ", always,
                         "; raise max_steps, or leave it out"));
    }
    return max_steps == 0 ? always : max_steps;
  }

  void plan_stack(NodePlan& node) const {
    DsLstm one = *this;
    one.layers = 1;
    int x = node.input_value(0);
    int y = node.input_value(1);
    for (std::int64_t k = 0;; ++k) {
      const int value = node.add(cat("stack", k), one, {x, y});
      if (k + 1 == layers) return node.result(value);
      if (variant == DsVariant::kSixGate) {
        x = node.add(cat("stack", k, ".x"), *make_slice(0, hidden), {value});
        y = node.add(cat("stack", k, ".y"), *make_slice(hidden, hidden), {value});
      } else {
        x = value;
      }
    }
  }

  void plan_normed(NodePlan& node, DsLstm cell) const {
    cell.out_norm = OutNorm::kNone;
    if (cell.gate_norm == NormOfGates::kNone) cell.max_steps = 0;
    const int state = node.add("cell", cell, {node.input_value(0), node.input_value(1)});
    const bool each = out_norm == OutNorm::kPerStep;
    node.result(node.add("out_norm", *make_step_norm(each ? steps(node, node.input(0)) : 0), {state}));
  }

  void plan_cell(NodePlan& node, const ValueType& x, const ValueType& y) const {
    const auto weights = [&](const char* name, std::int64_t out, std::int64_t in) {
      const std::string prefix = name;
      node.block(prefix + ".w", {out, in}, initialiser(init, in, out));
      node.block(prefix + ".b", {out}, bias_initialiser(init, in));
    };
    const DsCellSettings cell{.hidden = hidden,
                              .variant = variant,
                              .gates_read_cells = gates_read == GatesRead::kOwnCell,
                              .normed = gate_norm == NormOfGates::kPerStepPostSigmoid,
                              .max_steps = max_steps,
                              .frozen = node.frozen()};
    const std::int64_t gates = cell.gates() * hidden;
    weights("gates", gates, x.item[0] + y.item[0] + hidden);
    weights("x_candidate", hidden, x.item[0] + hidden);
    if (cell.candidates() > 1) weights("y_candidate", hidden, y.item[0] + hidden);
    if (cell.normed) {
      node.block("gate_norm.gamma", {gates}, {.kind = InitKind::kConstant, .scale = gate_norm_init});
      node.block("gate_norm.beta", {gates}, {});
      node.block("gate_norm.running_mean", {max_steps, gates}, {}, true);
      node.block("gate_norm.running_variance", {max_steps, gates}, {.kind = InitKind::kOnes}, true);
    }
    const std::int64_t states = static_cast<std::int64_t>(cell.cells()) * hidden;
    node.layer<DsLstmLayer>(ValueType{Shape{states}, x.clock}, cell);
  }
};

}  // namespace

std::unique_ptr<LayerBody> make_ds_lstm() { return std::make_unique<DsLstm>(); }

}  // namespace serval::nn
