// The dual-sequence LSTM of Wang, Xue, Chung and others (2020, arXiv 1910.08874), as the authors' program has it. Reads two
// sequences x and y with the same steps; hidden H, [.,.] joins:
//   g_t = sigmoid(w_g [x_t, y_t, h_{t-1}] + b_g)             f, iT, o, iF = norm of g_t, after the sigmoid
//   cT_t = tanh(w_T [x_t, h_{t-1}] + b_T),  cF_t = tanh(w_F [y_t, h_{t-1}] + b_F)
//   c_t = f c_{t-1} + iT cT_t + iF cF_t,  h_t = o tanh(c_t),  out_t = norm of h_t
// The gates' norm is a batch norm with statistics of each step and one gamma and beta; so is out's with out_norm
// per_step. In a stack, layer k + 1 reads what layer k gives as x, and the same y.
// Blocks (of each layer of a stack, <layer>.stack0 and so on): gates.w [4H, X + Y + H], gates.b [4H],
//   x_candidate.w [H, X + H], x_candidate.b [H], y_candidate.w [H, Y + H], y_candidate.b [H];
//   gate_norm.gamma [4H], gate_norm.beta [4H], statistics gate_norm.running_mean, gate_norm.running_variance
//   [max_steps, 4H]; with an out_norm the blocks of that batch norm, the cell's then being <layer>.cell.gates.w and so on.
#include "serval/nn/batch_norm_backward.h"
#include "serval/nn/ds_cell.h"

#include "recurrent.h"

namespace serval::nn {

namespace {

struct DsSettings {
  std::int64_t hidden = 200;
  bool normed = true;
  std::int64_t max_steps = 0;
  double epsilon = 1e-5, momentum = 0.1;
  bool frozen = false;
};

// Blocks in the order of plan().
enum Block : std::size_t {
  kGatesW,
  kGatesB,
  kXCandidateW,
  kXCandidateB,
  kYCandidateW,
  kYCandidateB,
  kGamma,
  kBeta,
  kRunningMean,
  kRunningVariance
};

class DsLstmLayer : public Layer {
 public:
  DsLstmLayer(const LayerBuild& build, const DsSettings& settings)
      : Layer(build),
        s_(settings),
        gates_product_(build, 4 * s_.hidden, s_.hidden),
        x_product_(build, s_.hidden, s_.hidden),
        y_product_(build, s_.hidden, s_.hidden) {
    const std::int64_t rows = build.max_rows(input());
    const std::int64_t h = s_.hidden;
    gates_ = build.floats(rows * 4 * h);
    x_candidate_ = build.floats(rows * h);
    y_candidate_ = build.floats(rows * h);
    c_ = build.floats(rows * h);
    h_ = build.floats(rows * h);
    const bool training = build.sizes.training;
    if (training) {
      dgates_ = build.floats(rows * 4 * h);
      dc_ = build.floats(build.sizes.max_batch * h);
      carry_ = build.floats(build.sizes.max_batch * h);
    }
    if (!s_.normed) return;
    const std::int64_t steps = build.max_time(input());
    normed_ = build.floats(rows * 4 * h);
    planes_ = build.floats(steps * 4 * 4 * h);
    means_ = build.floats(2 * 4 * h);
    NormShape one;
    one.rows = build.sizes.max_batch;
    one.channels = 4 * h;
    if (training) sums_ = Array<double>(build.context.device(), {2 * one.parts() * one.statistics()});
  }

  void forward(const LayerCall& call, std::span<const ConstTensorView> x, TensorView y) override {
    const Context& context = call.context;
    const Scan scan{call, call.steps(input())};
    if (s_.normed) check_steps(call, scan);
    const std::int64_t h = s_.hidden;
    const std::int64_t rows = scan.rows();
    project_inputs(scan, x);
    const std::int64_t state = width_x() + width_y();
    gates_product_.set_project(context, {weights(call, kGatesW) + state, state + h});
    x_product_.set_project(context, {weights(call, kXCandidateW) + width_x(), width_x() + h});
    y_product_.set_project(context, {weights(call, kYCandidateW) + width_y(), width_y() + h});
    for (std::int64_t s = 0; s < scan.time(); ++s) {
      const std::int64_t first = s * rows * h;
      const std::int64_t running = scan.running(s);
      float* gates = gates_.data() + 4 * first;
      if (s > 0) {
        const ConstMatrix before{h_.data() + first - rows * h, h};
        gates_product_.run(context, running, before, {gates, 4 * h}, 1);
        x_product_.run(context, running, before, {x_candidate_.data() + first, h}, 1);
        y_product_.run(context, running, before, {y_candidate_.data() + first, h}, 1);
      }
      scan.bias(gates, running, 4 * h, weights(call, kGatesB), Activation::kSigmoid);
      scan.bias(x_candidate_.data() + first, running, h, weights(call, kXCandidateB), Activation::kTanh);
      scan.bias(y_candidate_.data() + first, running, h, weights(call, kYCandidateB), Activation::kTanh);
      if (s_.normed) norm_gates(scan, s);
      run<DsState>(context, DsStateArgs{.rows = scan.at(s),
                                        .hidden = h,
                                        .gates = used_gates() + 4 * first,
                                        .x_candidate = x_candidate_.data() + first,
                                        .y_candidate = y_candidate_.data() + first,
                                        .c_before = s > 0 ? c_.data() + first - rows * h : nullptr,
                                        .c = c_.data() + first,
                                        .h = h_.data() + first});
    }
    run<ReadSteps>(context, ReadStepsArgs{.time = scan.time(),
                                          .batch = call.batch,
                                          .columns = h,
                                          .lengths = scan.steps.lengths,
                                          .from = h_.data(),
                                          .from_stride = h,
                                          .to = y.data,
                                          .to_stride = h});
  }

  void backward(const LayerCall& call, const Backward& b) override {
    const Context& context = call.context;
    const Scan scan{call, call.steps(input())};
    const std::int64_t h = s_.hidden;
    const std::int64_t rows = scan.rows();
    const std::int64_t state = width_x() + width_y();
    gates_product_.set_input_gradient(context, {weights(call, kGatesW) + state, state + h});
    x_product_.set_input_gradient(context, {weights(call, kXCandidateW) + width_x(), width_x() + h});
    y_product_.set_input_gradient(context, {weights(call, kYCandidateW) + width_y(), width_y() + h});
    scan.zero(dc_.data(), rows * h);
    scan.zero(carry_.data(), rows * h);
    for (std::int64_t s = scan.time() - 1; s >= 0; --s) {
      const std::int64_t first = s * rows * h;
      const std::int64_t running = scan.running(s);
      float* dgates = dgates_.data() + 4 * first;
      run<DsStateBackward>(context,
                           DsStateBackwardArgs{.rows = scan.at(s),
                                               .hidden = h,
                                               .gates = used_gates() + 4 * first,
                                               .c_before = s > 0 ? c_.data() + first - rows * h : nullptr,
                                               .c = c_.data() + first,
                                               .dy = b.dy.data + first,
                                               .carry = carry_.data(),
                                               .x_candidate = x_candidate_.data() + first,
                                               .y_candidate = y_candidate_.data() + first,
                                               .dc = dc_.data(),
                                               .dgates = dgates});
      if (s_.normed) norm_gates_backward(scan, s);
      const Shape shape{rows, 4 * h};
      const DeviceKind device = context.device().kind;
      run<ActivationBackward>(context, ActivationBackwardArgs{.y = {gates_.data() + 4 * first, shape, device},
                                                              .dy = {dgates, shape, device},
                                                              .activation = Activation::kSigmoid});
      // Past a sequence's end gates may be anything, also what makes 0 times their slope a NaN.
      run<EndSteps>(context, EndStepsArgs{.rows = scan.at(s), .columns = 4 * h, .values = dgates});
      if (s == 0) continue;
      const Matrix<float> carry{carry_.data(), h};
      gates_product_.run(context, running, {dgates, 4 * h}, carry, 0);
      x_product_.run(context, running, {x_candidate_.data() + first, h}, carry, 1);
      y_product_.run(context, running, {y_candidate_.data() + first, h}, carry, 1);
    }
    weight_sums(scan, b);
    input_gradients(scan, b);
  }

 private:
  std::int64_t width_x() const { return input(0).item[0]; }
  std::int64_t width_y() const { return input(1).item[0]; }
  const float* weights(const LayerCall& call, Block block) const { return parameter(call, block).data; }
  const float* used_gates() const { return s_.normed ? normed_.data() : gates_.data(); }

  void project_inputs(const Scan& scan, std::span<const ConstTensorView> x) {
    const LayerCall& call = scan.call;
    const std::int64_t h = s_.hidden;
    const std::int64_t all = scan.all_rows();
    const ConstMatrix xs{x[0].data, width_x()};
    const ConstMatrix ys{x[1].data, width_y()};
    const std::int64_t gates_width = width_x() + width_y() + h;
    const float* w = weights(call, kGatesW);
    project(call.context, all, 4 * h, width_x(), xs, {w, gates_width}, {gates_.data(), 4 * h}, 0);
    project(call.context, all, 4 * h, width_y(), ys, {w + width_x(), gates_width}, {gates_.data(), 4 * h}, 1);
    project(call.context, all, h, width_x(), xs, {weights(call, kXCandidateW), width_x() + h},
            {x_candidate_.data(), h}, 0);
    project(call.context, all, h, width_y(), ys, {weights(call, kYCandidateW), width_y() + h},
            {y_candidate_.data(), h}, 0);
  }

  void weight_sums(const Scan& scan, const Backward& b) {
    const LayerCall& call = scan.call;
    const std::int64_t h = s_.hidden;
    const std::int64_t rows = scan.rows();
    // Of inputs that stand in columns `at` of a matrix [n, width]; those of the state start from the second step.
    const auto add = [&](Block block, const float* from, std::int64_t n, ConstMatrix x, std::int64_t at,
                         std::int64_t columns, std::int64_t width, bool of_state) {
      const std::int64_t skipped = of_state ? rows : 0;
      project_weight_gradient(call.context, scan.all_rows() - skipped, n, columns, x, {from + skipped * n, n},
                              {gradient(call, block).data + at, width});
    };
    const ConstMatrix x{b.x[0].data, width_x()};
    const ConstMatrix y{b.x[1].data, width_y()};
    const ConstMatrix state{h_.data(), h};
    const std::int64_t both = width_x() + width_y();
    add(kGatesW, dgates_.data(), 4 * h, x, 0, width_x(), both + h, false);
    add(kGatesW, dgates_.data(), 4 * h, y, width_x(), width_y(), both + h, false);
    add(kGatesW, dgates_.data(), 4 * h, state, both, h, both + h, true);
    add(kXCandidateW, x_candidate_.data(), h, x, 0, width_x(), width_x() + h, false);
    add(kXCandidateW, x_candidate_.data(), h, state, width_x(), h, width_x() + h, true);
    add(kYCandidateW, y_candidate_.data(), h, y, 0, width_y(), width_y() + h, false);
    add(kYCandidateW, y_candidate_.data(), h, state, width_y(), h, width_y() + h, true);
    scan.add_column_sums(dgates_.data(), scan.all_rows(), 4 * h, gradient(call, kGatesB).data);
    scan.add_column_sums(x_candidate_.data(), scan.all_rows(), h, gradient(call, kXCandidateB).data);
    scan.add_column_sums(y_candidate_.data(), scan.all_rows(), h, gradient(call, kYCandidateB).data);
  }

  void input_gradients(const Scan& scan, const Backward& b) {
    const LayerCall& call = scan.call;
    const std::int64_t h = s_.hidden;
    const std::int64_t gates_width = width_x() + width_y() + h;
    const auto add = [&](std::size_t input, std::int64_t width, std::int64_t at, Block candidate,
                         const Tensor& from) {
      if (b.dx[input].empty()) return;
      const Matrix<float> dx{b.dx[input].data, width};
      project_input_gradient(call.context, scan.all_rows(), 4 * h, width, {dgates_.data(), 4 * h},
                             {weights(call, kGatesW) + at, gates_width}, dx, 0);
      project_input_gradient(call.context, scan.all_rows(), h, width, {from.data(), h},
                             {weights(call, candidate), width + h}, dx, 1);
    };
    add(0, width_x(), 0, kXCandidateW, x_candidate_);
    add(1, width_y(), width_x(), kYCandidateW, y_candidate_);
  }

  bool of_batch(const LayerCall& call) const { return call.mode == Mode::kTrain && !s_.frozen; }
  // Step s as the only one there is.
  NormShape norm_shape(const Scan& scan, std::int64_t s) const {
    NormShape out;
    out.rows = out.batch = scan.rows();
    out.channels = 4 * s_.hidden;
    out.lengths = scan.steps.lengths;
    out.first_step = s;
    return out;
  }
  NormPlanes planes(std::int64_t s) {
    const std::int64_t size = 4 * s_.hidden;
    float* const first = planes_.data() + s * 4 * size;
    return {first, first + size, first + 2 * size, first + 3 * size};
  }
  ConstTensorView of_step(const Tensor& values, const Scan& scan, std::int64_t s) const {
    const std::int64_t size = scan.rows() * 4 * s_.hidden;
    return {values.data() + s * size, Shape{scan.rows(), 4 * s_.hidden}, scan.call.context.device().kind};
  }
  TensorView of_step(Tensor& values, const Scan& scan, std::int64_t s) const {
    const std::int64_t size = scan.rows() * 4 * s_.hidden;
    return values.view(s * size, {scan.rows(), 4 * s_.hidden});
  }

  void norm_gates(const Scan& scan, std::int64_t s) {
    const LayerCall& call = scan.call;
    const NormShape shape = norm_shape(scan, s);
    const TensorView x = of_step(gates_, scan, s);
    if (s >= s_.max_steps) {  // past the end of every sequence
      scan.zero(of_step(normed_, scan, s).data, x.size());
      return;
    }
    const std::int64_t at = s * 4 * s_.hidden;
    if (of_batch(call)) {
      run<NormSums>(call.context, NormSumsArgs{.shape = shape, .a = x, .b = x, .sums = sums_.view()});
      run<NormStatistics>(call.context,
                          NormStatisticsArgs{.shape = shape,
                                             .sums = sums_.view(),
                                             .gamma = parameter(call, kGamma),
                                             .beta = parameter(call, kBeta),
                                             .planes = planes(s),
                                             .running_mean = statistic(call, kRunningMean).data + at,
                                             .running_variance = statistic(call, kRunningVariance).data + at,
                                             .epsilon = s_.epsilon,
                                             .momentum = s_.momentum});
    } else {
      const auto running = [&](Block block) {
        return ConstTensorView{parameter(call, block).data + at, Shape{4 * s_.hidden},
                               call.context.device().kind};
      };
      run<NormRunning>(call.context, NormRunningArgs{.groups = 1,
                                                     .channels = 4 * s_.hidden,
                                                     .gamma = parameter(call, kGamma),
                                                     .beta = parameter(call, kBeta),
                                                     .running_mean = running(kRunningMean),
                                                     .running_variance = running(kRunningVariance),
                                                     .planes = planes(s),
                                                     .epsilon = s_.epsilon});
    }
    run<NormApply>(
        call.context,
        NormApplyArgs{.shape = shape, .x = x, .planes = planes(s), .y = of_step(normed_, scan, s)});
  }

  void norm_gates_backward(const Scan& scan, std::int64_t s) {
    if (s >= s_.max_steps) return;  // nothing but zeros
    const LayerCall& call = scan.call;
    const NormShape shape = norm_shape(scan, s);
    const TensorView dz = of_step(dgates_, scan, s);
    const TensorView x = of_step(gates_, scan, s);
    float* const products = means_.data() + 4 * s_.hidden;
    run<NormSums>(call.context, NormSumsArgs{.shape = shape, .a = dz, .b = x, .sums = sums_.view()});
    run<NormGradients>(call.context, NormGradientsArgs{.shape = shape,
                                                       .sums = sums_.view(),
                                                       .planes = planes(s),
                                                       .dgamma = gradient(call, kGamma),
                                                       .dbeta = gradient(call, kBeta),
                                                       .mean_dz = means_.data(),
                                                       .mean_dz_x = products,
                                                       .of_running = !of_batch(call)});
    run<NormBackward>(call.context, NormBackwardArgs{.shape = shape,
                                                     .x = x,
                                                     .dz = dz,
                                                     .planes = planes(s),
                                                     .mean_dz = means_.data(),
                                                     .mean_dz_x = products,
                                                     .dx = dz});
  }

  void check_steps(const LayerCall& call, const Scan& scan) const {
    for (std::int64_t b = 0; b < call.batch; ++b) {
      const std::int32_t length = scan.steps.host_lengths[b];
      if (length > s_.max_steps) {
        throw DataError(cat("layer ", name(), " has statistics for ", s_.max_steps,
                            " steps, but a sequence has ", length, "; raise max_steps"));
      }
    }
  }

  DsSettings s_;
  StepProduct gates_product_, x_product_, y_product_;
  // All in [time, batch, ...]. gates: sigmoids, without their norm; candidates become their gradients.
  Tensor gates_, normed_, x_candidate_, y_candidate_, c_, h_;
  Tensor dgates_, dc_, carry_;
  Tensor planes_, means_;
  Array<double> sums_;
};

enum class GateNorm { kNone, kPerStepPostSigmoid };
enum class OutNorm { kNone, kBatch, kPerStep };

struct DsLstm : LayerBodyOf<DsLstm> {
  static constexpr const char* kType = "ds_lstm";
  std::int64_t hidden = 200;
  std::int64_t layers = 1;
  GateNorm gate_norm = GateNorm::kPerStepPostSigmoid;
  double gate_norm_init = 0.1;
  OutNorm out_norm = OutNorm::kBatch;
  std::int64_t max_steps = 0;
  InitKind init = InitKind::kTorchUniform;

  void describe(SettingsVisitor& v) override {
    static const Options<GateNorm> kGateNorms{{"none", GateNorm::kNone},
                                              {"per_step_post_sigmoid", GateNorm::kPerStepPostSigmoid}};
    static const Options<OutNorm> kOutNorms{
        {"none", OutNorm::kNone}, {"bn", OutNorm::kBatch}, {"per_step", OutNorm::kPerStep}};
    v.integer("hidden", hidden, {.min = 1, .max = 2048}, {"width of the state", "units"});
    v.integer("layers", layers, {.min = 1, .max = 16}, {"how many are stacked"});
    v.choice("gate_norm", gate_norm, kGateNorms, {"batch norm of the gates, after their sigmoids"});
    v.real("gate_norm_init", gate_norm_init, {.min = -100, .max = 100}, {"first value of its gamma"});
    v.choice("out_norm", out_norm, kOutNorms, {"batch norm of what the layer gives; the state has none"});
    v.integer(
        "max_steps", max_steps, {.min = 0, .max = 1 << 16},
        {"norms of each step: how many have statistics; 0: as many as the sequence always has", "steps"});
    describe_initialiser(v, init);
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
    return gate_norm == GateNorm::kPerStepPostSigmoid || out_norm == OutNorm::kPerStep;
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
    int value = node.input_value(0);
    for (std::int64_t k = 0; k < layers; ++k)
      value = node.add(cat("stack", k), one, {value, node.input_value(1)});
    node.result(value);
  }

  void plan_normed(NodePlan& node, DsLstm cell) const {
    cell.out_norm = OutNorm::kNone;
    if (cell.gate_norm == GateNorm::kNone) cell.max_steps = 0;
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
    weights("gates", 4 * hidden, x.item[0] + y.item[0] + hidden);
    weights("x_candidate", hidden, x.item[0] + hidden);
    weights("y_candidate", hidden, y.item[0] + hidden);
    const bool normed = gate_norm == GateNorm::kPerStepPostSigmoid;
    if (normed) {
      node.block("gate_norm.gamma", {4 * hidden}, {.kind = InitKind::kConstant, .scale = gate_norm_init});
      node.block("gate_norm.beta", {4 * hidden}, {});
      node.block("gate_norm.running_mean", {max_steps, 4 * hidden}, {}, true);
      node.block("gate_norm.running_variance", {max_steps, 4 * hidden}, {.kind = InitKind::kOnes}, true);
    }
    node.layer<DsLstmLayer>(
        ValueType{Shape{hidden}, x.clock},
        DsSettings{.hidden = hidden, .normed = normed, .max_steps = max_steps, .frozen = node.frozen()});
  }
};

}  // namespace

std::unique_ptr<LayerBody> make_ds_lstm() { return std::make_unique<DsLstm>(); }

}  // namespace serval::nn
