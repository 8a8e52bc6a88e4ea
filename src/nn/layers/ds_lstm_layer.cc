#include "ds_lstm_layer.h"

#include "serval/nn/ds_cell.h"

namespace serval::nn {

DsLstmLayer::DsLstmLayer(const LayerBuild& build, const DsCellSettings& settings)
    : Layer(build), s_(settings) {
  const std::int64_t rows = build.max_rows(input());
  const std::int64_t h = s_.hidden;
  const bool training = build.sizes.training;
  gates_ = build.floats(rows * gates_width());
  if (training) dgates_ = build.floats(rows * gates_width());
  for (std::size_t k = 0; k < s_.candidates(); ++k) {
    candidates_[k] = build.floats(rows * h);
    candidate_products_[k] = StepProduct(build, h, h);
  }
  for (std::size_t p = 0; p < gate_products(); ++p)
    gate_products_[p] = StepProduct(build, gates_of_product(), h);
  for (std::size_t cell = 0; cell < s_.cells(); ++cell) {
    c_[cell] = build.floats(rows * h);
    h_[cell] = build.floats(rows * h);
    if (!training) continue;
    dc_[cell] = build.floats(build.sizes.max_batch * h);
    carry_[cell] = build.floats(build.sizes.max_batch * h);
  }
  if (s_.normed) norm_ = GateNorm(build, {.channels = gates_width(), .max_steps = s_.max_steps});
}

ConstMatrix DsLstmLayer::gates_state_weights(const LayerCall& call, std::size_t product) const {
  return {weights(call, kGatesW) + first_gate(product) * gates_inputs() + width(0) + width(1),
          gates_inputs()};
}
ConstMatrix DsLstmLayer::candidate_state_weights(const LayerCall& call, std::size_t k) const {
  return {weights(call, candidate_w(k)) + width(k), width(k) + s_.hidden};
}

GateNorm::Blocks DsLstmLayer::norm_blocks(const LayerCall& call, bool with_gradients) const {
  const std::size_t first = norm_block();
  GateNorm::Blocks out{.gamma = parameter(call, first),
                       .beta = parameter(call, first + 1),
                       .running_mean = statistic(call, first + 2),
                       .running_variance = statistic(call, first + 3),
                       .of_batch = call.mode == Mode::kTrain && !s_.frozen};
  if (with_gradients && trains()) {
    out.dgamma = gradient(call, first);
    out.dbeta = gradient(call, first + 1);
  }
  return out;
}

void DsLstmLayer::forward(const LayerCall& call, std::span<const ConstTensorView> x, TensorView y) {
  const Scan scan{call, call.steps(input())};
  if (s_.normed) norm_.check_steps(scan, name());
  project_inputs(scan, x);
  for (std::size_t p = 0; p < gate_products(); ++p)
    gate_products_[p].set_project(call.context, gates_state_weights(call, p));
  for (std::size_t k = 0; k < s_.candidates(); ++k)
    candidate_products_[k].set_project(call.context, candidate_state_weights(call, k));
  for (std::int64_t s = 0; s < scan.time(); ++s) step(scan, s);
  for (std::size_t cell = 0; cell < s_.cells(); ++cell) {
    run<ReadSteps>(call.context, ReadStepsArgs{.time = scan.time(),
                                               .batch = call.batch,
                                               .columns = s_.hidden,
                                               .lengths = scan.steps.lengths,
                                               .from = h_[cell].data(),
                                               .from_stride = s_.hidden,
                                               .to = y.data + static_cast<std::int64_t>(cell) * s_.hidden,
                                               .to_stride = output().item[0]});
  }
}

void DsLstmLayer::project_inputs(const Scan& scan, std::span<const ConstTensorView> x) {
  const LayerCall& call = scan.call;
  const std::int64_t h = s_.hidden;
  const std::int64_t all = scan.all_rows();
  const Matrix<float> gates{gates_.data(), gates_width()};
  std::int64_t at = 0;
  for (std::size_t i = 0; i < 2; ++i) {
    const ConstMatrix from{x[i].data, width(i)};
    project(call.context, all, gates_width(), width(i), from, {weights(call, kGatesW) + at, gates_inputs()},
            gates, i == 0 ? 0.0f : 1.0f);
    at += width(i);
    if (i >= s_.candidates()) continue;
    project(call.context, all, h, width(i), from, {weights(call, candidate_w(i)), width(i) + h},
            {candidates_[i].data(), h}, 0);
  }
}

void DsLstmLayer::step(const Scan& scan, std::int64_t s) {
  const LayerCall& call = scan.call;
  const std::int64_t h = s_.hidden;
  const std::int64_t running = scan.running(s);
  const std::int64_t row = s * scan.rows();
  const std::int64_t before = (row - scan.rows()) * h;
  float* const gates = gates_.data() + row * gates_width();
  if (s > 0) {
    for (std::size_t p = 0; p < gate_products(); ++p) {
      gate_products_[p].run(call.context, running, {read_by_gates(p).data() + before, h},
                            {gates + first_gate(p), gates_width()}, 1);
    }
    for (std::size_t k = 0; k < s_.candidates(); ++k) {
      candidate_products_[k].run(call.context, running, {h_[cell_of(k)].data() + before, h},
                                 {candidates_[k].data() + row * h, h}, 1);
    }
  }
  scan.bias(gates, running, gates_width(), weights(call, kGatesB), Activation::kSigmoid);
  for (std::size_t k = 0; k < s_.candidates(); ++k)
    scan.bias(candidates_[k].data() + row * h, running, h, weights(call, candidate_b(k)), Activation::kTanh);
  if (s_.normed) norm_.forward(scan, s, norm_blocks(call, false), gates_);
  const bool both = s_.variant == DsVariant::kDual;
  for (std::size_t cell = 0; cell < s_.cells(); ++cell) {
    run<DsState>(call.context, DsStateArgs{.rows = scan.at(s),
                                           .hidden = h,
                                           .gate_stride = gates_width(),
                                           .gates = used_gates() + row * gates_width() +
                                                    static_cast<std::int64_t>(cell) * 3 * h,
                                           .x_candidate = candidates_[cell].data() + row * h,
                                           .y_candidate = both ? candidates_[1].data() + row * h : nullptr,
                                           .c_before = s > 0 ? c_[cell].data() + before : nullptr,
                                           .c = c_[cell].data() + row * h,
                                           .h = h_[cell].data() + row * h});
  }
}

void DsLstmLayer::backward(const LayerCall& call, const Backward& b) {
  const Scan scan{call, call.steps(input())};
  for (std::size_t p = 0; p < gate_products(); ++p)
    gate_products_[p].set_input_gradient(call.context, gates_state_weights(call, p));
  for (std::size_t k = 0; k < s_.candidates(); ++k)
    candidate_products_[k].set_input_gradient(call.context, candidate_state_weights(call, k));
  for (std::size_t cell = 0; cell < s_.cells(); ++cell) {
    scan.zero(dc_[cell].data(), scan.rows() * s_.hidden);
    scan.zero(carry_[cell].data(), scan.rows() * s_.hidden);
  }
  for (std::int64_t s = scan.time() - 1; s >= 0; --s) step_backward(scan, s, b);
  if (trains()) weight_gradients(scan, b);
  input_gradients(scan, b);
}

void DsLstmLayer::step_backward(const Scan& scan, std::int64_t s, const Backward& b) {
  const LayerCall& call = scan.call;
  const std::int64_t h = s_.hidden;
  const std::int64_t running = scan.running(s);
  const std::int64_t row = s * scan.rows();
  float* const dgates = dgates_.data() + row * gates_width();
  const bool both = s_.variant == DsVariant::kDual;
  const std::int64_t states = output().item[0];
  for (std::size_t cell = 0; cell < s_.cells(); ++cell) {
    const std::int64_t column = static_cast<std::int64_t>(cell) * h;
    run<DsStateBackward>(
        call.context,
        DsStateBackwardArgs{.rows = scan.at(s),
                            .hidden = h,
                            .gate_stride = gates_width(),
                            .dy_stride = states,
                            .gates = used_gates() + row * gates_width() + 3 * column,
                            .c_before = s > 0 ? c_[cell].data() + (row - scan.rows()) * h : nullptr,
                            .c = c_[cell].data() + row * h,
                            .dy = b.dy.data + row * states + column,
                            .carry = carry_[cell].data(),
                            .x_candidate = candidates_[cell].data() + row * h,
                            .y_candidate = both ? candidates_[1].data() + row * h : nullptr,
                            .dc = dc_[cell].data(),
                            .dgates = dgates + 3 * column});
  }
  if (s_.normed) norm_.backward(scan, s, norm_blocks(call, true), gates_, dgates_);
  const Shape shape{scan.rows(), gates_width()};
  const DeviceKind device = call.context.device().kind;
  run<ActivationBackward>(call.context,
                          ActivationBackwardArgs{.y = {gates_.data() + row * gates_width(), shape, device},
                                                 .dy = {dgates, shape, device},
                                                 .activation = Activation::kSigmoid});
  // Past a sequence's end gates may be anything, also what makes 0 times their slope a NaN.
  run<EndSteps>(call.context, EndStepsArgs{.rows = scan.at(s), .columns = gates_width(), .values = dgates});
  if (s == 0) return;
  for (std::size_t p = 0; p < gate_products(); ++p) {
    Tensor& to = s_.gates_read_cells ? dc_[p] : carry_[p];
    gate_products_[p].run(call.context, running, {dgates + first_gate(p), gates_width()}, {to.data(), h},
                          s_.gates_read_cells ? 1.0f : 0.0f);
  }
  for (std::size_t k = 0; k < s_.candidates(); ++k) {
    const std::size_t cell = cell_of(k);
    const bool after_gates = cell == 0 && !s_.gates_read_cells;
    candidate_products_[k].run(call.context, running, {candidates_[k].data() + row * h, h},
                               {carry_[cell].data(), h}, after_gates ? 1.0f : 0.0f);
  }
}

void DsLstmLayer::weight_gradients(const Scan& scan, const Backward& b) {
  const LayerCall& call = scan.call;
  const std::int64_t h = s_.hidden;
  const std::int64_t all = scan.all_rows();
  const std::int64_t later = all - scan.rows();  // rows with a step before them
  // Of w [n, stride], in its columns from `to` on.
  const auto of_inputs = [&](std::int64_t n, ConstMatrix dy, std::size_t i, float* to, std::int64_t stride) {
    project_weight_gradient(call.context, all, n, width(i), {b.x[i].data, width(i)}, dy, {to, stride});
  };
  const auto of_state = [&](std::int64_t n, ConstMatrix dy, const Tensor& state, float* to,
                            std::int64_t stride) {
    project_weight_gradient(call.context, later, n, h, {state.data(), h},
                            {dy.data + scan.rows() * dy.stride, dy.stride}, {to, stride});
  };
  float* const gates = gradient(call, kGatesW).data;
  const ConstMatrix dgates{dgates_.data(), gates_width()};
  of_inputs(gates_width(), dgates, 0, gates, gates_inputs());
  of_inputs(gates_width(), dgates, 1, gates + width(0), gates_inputs());
  for (std::size_t p = 0; p < gate_products(); ++p) {
    of_state(gates_of_product(), {dgates.data + first_gate(p), gates_width()}, read_by_gates(p),
             gates + first_gate(p) * gates_inputs() + width(0) + width(1), gates_inputs());
  }
  scan.add_column_sums(dgates_.data(), all, gates_width(), gradient(call, kGatesB).data);
  for (std::size_t k = 0; k < s_.candidates(); ++k) {
    float* const w = gradient(call, candidate_w(k)).data;
    const ConstMatrix dcandidate{candidates_[k].data(), h};
    of_inputs(h, dcandidate, k, w, width(k) + h);
    of_state(h, dcandidate, h_[cell_of(k)], w + width(k), width(k) + h);
    scan.add_column_sums(candidates_[k].data(), all, h, gradient(call, candidate_b(k)).data);
  }
}

void DsLstmLayer::input_gradients(const Scan& scan, const Backward& b) {
  const LayerCall& call = scan.call;
  const std::int64_t h = s_.hidden;
  std::int64_t at = 0;
  for (std::size_t i = 0; i < 2; at += width(i), ++i) {
    if (b.dx[i].empty()) continue;
    const Matrix<float> dx{b.dx[i].data, width(i)};
    project_input_gradient(call.context, scan.all_rows(), gates_width(), width(i),
                           {dgates_.data(), gates_width()}, {weights(call, kGatesW) + at, gates_inputs()}, dx,
                           0);
    if (i >= s_.candidates()) continue;
    project_input_gradient(call.context, scan.all_rows(), h, width(i), {candidates_[i].data(), h},
                           {weights(call, candidate_w(i)), width(i) + h}, dx, 1);
  }
}

}  // namespace serval::nn
