#include "lstm_cell.h"

namespace serval::nn {

LstmCell::LstmCell(const LayerBuild& build, const LstmCellSettings& settings, std::int64_t max_rows)
    : s_(settings),
      state_(build, 4 * settings.hidden, settings.columns()),
      c_(build.floats(max_rows * s_.hidden)) {
  const std::int64_t rows = build.sizes.max_batch * s_.width;
  if (full()) {
    input_peephole_ = StepProduct(build, 2 * s_.hidden, s_.hidden);
    output_peephole_ = StepProduct(build, s_.hidden, s_.hidden);
  }
  if (s_.kernel > 1) windows_ = build.floats(rows * s_.columns());
  if (!build.sizes.training) return;
  dc_ = build.floats(rows * s_.hidden);
  carry_ = build.floats(rows * s_.hidden);
}

LstmCellRows LstmCell::cell(const Scan& scan, std::int64_t s, const Weights& w) const {
  return {scan.at(s), s_.hidden, s_.peephole == Peephole::kDiagonal ? w.peepholes : nullptr,
          s_.output_current};
}

LineWindowsShape LstmCell::windows_of(const Scan& scan) const {
  return {scan.call.batch, s_.hidden, s_.width, s_.kernel, 1, s_.hidden};
}

ConstMatrix LstmCell::state(const Scan& scan, const float* h) {
  if (s_.kernel == 1) return {h, s_.hidden};
  run<LineWindows>(scan.call.context, LineWindowsArgs{windows_of(scan), h, windows_.data()});
  return {windows_.data(), s_.columns()};
}

void LstmCell::forward(const Scan& scan, const Weights& w, float* gates, float* h) {
  const Context& context = scan.call.context;
  const std::int64_t n = s_.hidden;
  const std::int64_t step = scan.rows() * n;
  const float* p_o = w.peepholes == nullptr ? nullptr : w.peepholes + 2 * n * n;
  state_.set_project(context, {w.w_h, s_.columns()});
  if (full()) {
    input_peephole_.set_project(context, {w.peepholes, n});
    output_peephole_.set_project(context, {p_o, n});
  }
  for (std::int64_t s = 0; s < scan.time(); ++s) {
    const std::int64_t running = scan.running(s);
    float* g = gates + 4 * s * step;
    float* c = c_.data() + s * step;
    const float* before = s > 0 ? c - step : nullptr;
    if (s > 0) {
      state_.run(context, running, state(scan, h + (s - 1) * step), {g, 4 * n}, 1);
      if (full()) {
        input_peephole_.run(context, running, {before, n}, {g, 4 * n}, 1);
        if (!s_.output_current) output_peephole_.run(context, running, {before, n}, {g + 3 * n, 4 * n}, 1);
      }
    }
    const LstmCellRows rows = cell(scan, s, w);
    run<LstmState>(context, LstmStateArgs{rows, g, before, c});
    if (full() && s_.output_current) output_peephole_.run(context, running, {c, n}, {g + 3 * n, 4 * n}, 1);
    run<LstmOutput>(context, LstmOutputArgs{rows, g, c, h + s * step});
  }
}

void LstmCell::backward(const Scan& scan, const Weights& w, const Gradients& dw, float* gates, const float* h,
                        const float* dh) {
  const Context& context = scan.call.context;
  const std::int64_t n = s_.hidden;
  const std::int64_t rows = scan.rows();
  const std::int64_t step = rows * n;
  state_.set_input_gradient(context, {w.w_h, s_.columns()});
  if (full()) {
    input_peephole_.set_input_gradient(context, {w.peepholes, n});
    output_peephole_.set_input_gradient(context, {w.peepholes + 2 * n * n, n});
  }
  scan.zero(dc_.data(), step);
  scan.zero(carry_.data(), step);
  for (std::int64_t s = scan.time() - 1; s >= 0; --s) {
    const std::int64_t running = scan.running(s);
    float* g = gates + 4 * s * step;
    const float* c = c_.data() + s * step;
    const Matrix<float> dc{dc_.data(), n};
    const LstmCellRows at = cell(scan, s, w);
    run<LstmOutputBackward>(context, LstmOutputBackwardArgs{at, g, c, dh + s * step, carry_.data(), dc.data});
    if (full() && s_.output_current) output_peephole_.run(context, running, {g + 3 * n, 4 * n}, dc, 1);
    run<LstmStateBackward>(context, LstmStateBackwardArgs{at, g, s > 0 ? c - step : nullptr, dc.data});
    if (s == 0) break;
    if (full()) {
      input_peephole_.run(context, running, {g, 4 * n}, dc, 1);
      if (!s_.output_current) output_peephole_.run(context, running, {g + 3 * n, 4 * n}, dc, 1);
    }
    if (s_.kernel == 1) {
      state_.run(context, running, {g, 4 * n}, {carry_.data(), n}, 0);
      continue;
    }
    if (dw.w_h != nullptr) {
      project_weight_gradient(context, rows, 4 * n, s_.columns(), state(scan, h + (s - 1) * step), {g, 4 * n},
                              {dw.w_h, s_.columns()});
    }
    // Gates of rows that have ended are 0, and so is what comes of them.
    state_.run(context, rows, {g, 4 * n}, {windows_.data(), s_.columns()}, 0);
    run<LineWindowsBackward>(context,
                             LineWindowsBackwardArgs{windows_of(scan), windows_.data(), carry_.data()});
  }
  // The first step started from zero.
  const std::int64_t later = scan.all_rows() - rows;
  if (s_.kernel == 1 && dw.w_h != nullptr) {
    project_weight_gradient(context, later, 4 * n, n, {h, n}, {gates + 4 * step, 4 * n}, {dw.w_h, n});
  }
  if (dw.peepholes != nullptr) peephole_gradients(scan, gates, dw.peepholes);
}

void LstmCell::peephole_gradients(const Scan& scan, const float* gates, float* dp) const {
  const Context& context = scan.call.context;
  const std::int64_t n = s_.hidden;
  const std::int64_t rows = scan.rows();
  const std::int64_t later = scan.all_rows() - rows;
  const ConstMatrix c{c_.data(), n};
  const float* of_later = gates + rows * 4 * n;
  const float* output = (s_.output_current ? gates : of_later) + 3 * n;
  const std::int64_t output_rows = s_.output_current ? scan.all_rows() : later;
  if (full()) {
    project_weight_gradient(context, later, 2 * n, n, c, {of_later, 4 * n}, {dp, n});
    project_weight_gradient(context, output_rows, n, n, c, {output, 4 * n}, {dp + 2 * n * n, n});
    return;
  }
  for (std::int64_t gate = 0; gate < 2; ++gate)
    run<ProductSum>(context, ProductSumArgs{later, n, of_later + gate * n, 4 * n, c.data, n, dp + gate * n});
  run<ProductSum>(context, ProductSumArgs{output_rows, n, output, 4 * n, c.data, n, dp + 2 * n});
}

}  // namespace serval::nn
