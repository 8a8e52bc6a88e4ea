// GRU layers, one way or both, stacked.
//   r, z = sigmoid(w_x x_t + b + w_h h_{t-1} [+ b_h]),   h_t = (1 - z) n + z h_{t-1}
//   reset_after (PyTorch, cuDNN, Keras 2):  n = tanh(w_x x_t + b + r (w_h h_{t-1} + b_h))
//   else (the first paper, Keras 1):        n = tanh(w_x x_t + b + w_h (r h_{t-1}))
// Blocks, for each direction (and layer of a stack, <layer>.stack0 and so on), gates in PyTorch's order r, z, n:
//   forward.w_x [3 hidden, in], forward.w_h [3 hidden, hidden], forward.b [3 hidden], with reset_after also
//   forward.b_h [3 hidden]; then the same with reversed.
#include "serval/nn/gru_cell.h"

#include "recurrent.h"

namespace serval::nn {

namespace {

class GruLayer : public RecurrentLayer {
 public:
  GruLayer(const LayerBuild& build, std::int64_t hidden, bool bidirectional, bool after)
      : RecurrentLayer(build, hidden, bidirectional, after ? 4 : 3),
        after_(after),
        gates_product_(build, 2 * hidden, hidden),
        candidate_product_(build, hidden, hidden) {
    const std::int64_t rows = build.max_rows(input());
    for (std::size_t d = 0; d < (bidirectional ? 2 : 1); ++d) {
      gates_[d] = build.floats(rows * 2 * hidden);
      n_[d] = build.floats(rows * hidden);
      q_[d] = build.floats(rows * hidden);
    }
    if (build.sizes.training) dq_ = build.floats(build.sizes.max_batch * hidden);
  }

 protected:
  void read(const Scan& scan, const Direction& d) override {
    const Context& context = scan.call.context;
    const std::int64_t h = hidden();
    const std::int64_t rows = scan.rows();
    const std::int64_t all = scan.all_rows();
    float* gates = gates_[d.index].data();
    float* n = n_[d.index].data();
    const float* w_x = weights(scan, d, 0);
    project(context, all, 2 * h, in(), {d.x, in()}, {w_x, in()}, {gates, 2 * h}, 0);
    project(context, all, h, in(), {d.x, in()}, {w_x + 2 * h * in(), in()}, {n, h}, 0);
    scan.bias(gates, all, 2 * h, weights(scan, d, 2));
    scan.bias(n, all, h, weights(scan, d, 2) + 2 * h);
    gates_product_.set_project(context, {weights(scan, d, 1), h});
    candidate_product_.set_project(context, {weights(scan, d, 1) + 2 * h * h, h});
    const float* b_h = after_ ? weights(scan, d, 3) : nullptr;
    for (std::int64_t s = 0; s < scan.time(); ++s) {
      const StepRows at = scan.at(s);
      const std::int64_t running = scan.running(s);
      float* g = gates + s * rows * 2 * h;
      float* candidate = n + s * rows * h;
      float* q = q_[d.index].data() + s * rows * h;
      const float* before = s > 0 ? d.h + (s - 1) * rows * h : nullptr;
      if (s > 0) gates_product_.run(context, running, {before, h}, {g, 2 * h}, 1);
      scan.bias(g, running, 2 * h, b_h, Activation::kSigmoid);
      if (after_) {
        if (s > 0) {
          candidate_product_.run(context, running, {before, h}, {q, h}, 0);
        } else {
          scan.zero(q, rows * h);
        }
        scan.bias(q, running, h, b_h + 2 * h);
      }
      run<GruReset>(context, GruResetArgs{.rows = at,
                                          .hidden = h,
                                          .after = after_,
                                          .gates = g,
                                          .h_before = before,
                                          .q = q,
                                          .n = candidate});
      if (!after_ && s > 0) candidate_product_.run(context, running, {q, h}, {candidate, h}, 1);
      scan.bias(candidate, running, h, nullptr, Activation::kTanh);
      run<GruState>(context, GruStateArgs{.rows = at,
                                          .hidden = h,
                                          .gates = g,
                                          .n = candidate,
                                          .h_before = before,
                                          .h = d.h + s * rows * h});
    }
  }

  void read_backward(const Scan& scan, const Direction& d, const float* dh, float* dx) override {
    const Context& context = scan.call.context;
    const std::int64_t h = hidden();
    const std::int64_t rows = scan.rows();
    float* gates = gates_[d.index].data();
    float* n = n_[d.index].data();
    float* q = q_[d.index].data();
    gates_product_.set_input_gradient(context, {weights(scan, d, 1), h});
    candidate_product_.set_input_gradient(context, {weights(scan, d, 1) + 2 * h * h, h});
    for (std::int64_t s = scan.time() - 1; s >= 0; --s) {
      const std::int64_t first = s * rows * h;
      const StepRows at = scan.at(s);
      const float* before = s > 0 ? d.h + first - rows * h : nullptr;
      run<GruStateBackward>(context, GruStateBackwardArgs{.rows = at,
                                                          .hidden = h,
                                                          .after = after_,
                                                          .h_before = before,
                                                          .dy = dh + first,
                                                          .gates = gates + 2 * first,
                                                          .n = n + first,
                                                          .q = q + first,
                                                          .carry = carry()});
      const std::int64_t running = scan.running(s);
      if (!after_) {
        candidate_product_.run(context, running, {n + first, h}, {dq_.data(), h}, 0);
        run<GruResetBackward>(context, GruResetBackwardArgs{.rows = at,
                                                            .hidden = h,
                                                            .h_before = before,
                                                            .dq = dq_.data(),
                                                            .gates = gates + 2 * first,
                                                            .carry = carry()});
      }
      if (s == 0) continue;
      if (after_) candidate_product_.run(context, running, {q + first, h}, {carry(), h}, 1);
      gates_product_.run(context, running, {gates + 2 * first, 2 * h}, {carry(), h}, 1);
    }
    if (trains()) weight_sums(scan, d);
    if (dx == nullptr) return;
    const float* w_x = weights(scan, d, 0);
    project_input_gradient(context, scan.all_rows(), 2 * h, in(), {gates, 2 * h}, {w_x, in()}, {dx, in()}, 0);
    project_input_gradient(context, scan.all_rows(), h, in(), {n, h}, {w_x + 2 * h * in(), in()}, {dx, in()},
                           1);
  }

 private:
  void weight_sums(const Scan& scan, const Direction& d) {
    const Context& context = scan.call.context;
    const std::int64_t h = hidden();
    const std::int64_t rows = scan.rows();
    const std::int64_t all = scan.all_rows();
    const float* gates = gates_[d.index].data();
    const float* n = n_[d.index].data();
    const float* q = q_[d.index].data();
    float* dw_x = weight_gradients(scan, d, 0);
    float* dw_h = weight_gradients(scan, d, 1);
    float* db = weight_gradients(scan, d, 2);
    project_weight_gradient(context, all, 2 * h, in(), {d.x, in()}, {gates, 2 * h}, {dw_x, in()});
    project_weight_gradient(context, all, h, in(), {d.x, in()}, {n, h}, {dw_x + 2 * h * in(), in()});
    // The first step started from zero.
    project_weight_gradient(context, all - rows, 2 * h, h, {d.h, h}, {gates + rows * 2 * h, 2 * h},
                            {dw_h, h});
    if (after_) {
      project_weight_gradient(context, all - rows, h, h, {d.h, h}, {q + rows * h, h}, {dw_h + 2 * h * h, h});
    } else {
      project_weight_gradient(context, all - rows, h, h, {q + rows * h, h}, {n + rows * h, h},
                              {dw_h + 2 * h * h, h});
    }
    scan.add_column_sums(gates, all, 2 * h, db);
    scan.add_column_sums(n, all, h, db + 2 * h);
    if (!after_) return;
    float* db_h = weight_gradients(scan, d, 3);
    scan.add_column_sums(gates, all, 2 * h, db_h);
    scan.add_column_sums(q, all, h, db_h + 2 * h);
  }

  bool after_;
  StepProduct gates_product_, candidate_product_;
  std::array<Tensor, 2> gates_, n_, q_;  // q: what r falls on, or what it made of h
  Tensor dq_;
};

struct Gru : LayerBodyOf<Gru> {
  static constexpr const char* kType = "gru";
  RecurrentSettings s;
  bool reset_after = true;

  void describe(SettingsVisitor& v) override {
    s.describe(v);
    v.flag("reset_after", reset_after,
           {"the reset gate falls on the product with the state, as in PyTorch; false: on the state"});
  }
  void plan(NodePlan& node) const override {
    node.need_inputs(1);
    const ValueType x = node.need_sequence();
    if (s.layers > 1) return plan_stack(node, *this);
    for (std::int64_t d = 0; d < s.directions(); ++d) {
      const std::string prefix = kDirections[static_cast<std::size_t>(d)];
      node.block(prefix + "w_x", {3 * s.hidden, x.item[0]}, s.input_init(x.item[0], 3));
      node.block(prefix + "w_h", {3 * s.hidden, s.hidden}, s.recurrent_init(3));
      node.block(prefix + "b", {3 * s.hidden}, s.bias_init());
      if (reset_after) node.block(prefix + "b_h", {3 * s.hidden}, s.bias_init());
    }
    node.set_reversed_from(s.hidden);
    node.layer<GruLayer>(ValueType{Shape{s.directions() * s.hidden}, x.clock}, s.hidden, s.bidirectional,
                         reset_after);
  }
};

}  // namespace

std::unique_ptr<LayerBody> make_gru() { return std::make_unique<Gru>(); }

}  // namespace serval::nn
