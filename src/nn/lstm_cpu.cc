// LSTM on the CPU: one product for the inputs of all steps, one small product and fused gates for each step,
// and the weight gradients as two products over all steps at the end.
#include "cpu_ops.h"
#include "lstm_layout_cpu.h"

namespace serval::nn::cpu {

namespace {

void pack_inputs(const LstmForwardArgs& args, const LstmSteps& steps, float* packed) {
  const std::int64_t input = args.shape.input;
  steps.for_each([&](std::int64_t s, std::int64_t first, std::int64_t rows) {
    for (std::int64_t b = 0; b < rows; ++b) {
      float* to = packed + (first + b) * input;
      if (steps.runs(s, b)) {
        std::copy_n(args.x.data + steps.row(s, b) * input, input, to);
      } else {
        std::fill_n(to, input, 0.0f);
      }
    }
  });
}

void zero_padding(const LstmForwardArgs& args) {
  for (std::int64_t b = 0; b < args.shape.batch; ++b) {
    for (std::int64_t t = args.host_lengths[b]; t < args.shape.time; ++t) {
      std::fill_n(args.y + (t * args.shape.batch + b) * args.y_stride, args.shape.hidden, 0.0f);
    }
  }
}

void weight_gradients(const Context& context, const LstmBackwardArgs& args, const LstmSteps& steps,
                      const LstmReserve& reserve) {
  const std::int64_t input = args.shape.input;
  const std::int64_t hidden = args.shape.hidden;
  const CpuKernels& kernels = cpu_kernels();
  // The first step started from zero, so its rows add nothing to W_h's gradient.
  const std::int64_t total = steps.packed_rows();
  const std::int64_t first_rows = steps.active(0);
  float* dw_x = args.dweights.data;
  float* dw_h = dw_x + 4 * hidden * input;
  float* dbias = dw_h + 4 * hidden * hidden;
  kernels.gemm({.transpose_a = Transpose::kYes,
                .m = 4 * hidden,
                .n = input,
                .k = total,
                .a = reserve.gates,
                .lda = 4 * hidden,
                .b = reserve.x,
                .ldb = input,
                .beta = 1,
                .c = dw_x,
                .ldc = input},
               gemm_scratch());
  kernels.gemm({.transpose_a = Transpose::kYes,
                .m = 4 * hidden,
                .n = hidden,
                .k = total - first_rows,
                .a = reserve.gates + first_rows * 4 * hidden,
                .lda = 4 * hidden,
                .b = reserve.h_before + first_rows * hidden,
                .ldb = hidden,
                .beta = 1,
                .c = dw_h,
                .ldc = hidden},
               gemm_scratch());
  column_sum(context, {.rows = total,
                       .columns = 4 * hidden,
                       .x = {reserve.gates, Shape{total, 4 * hidden}},
                       .sums = {dbias, Shape{4 * hidden}}});
}

}  // namespace

void lstm_reserve_size(const Context&, const LstmShape& shape, std::int64_t* floats) {
  *floats = LstmReserve(shape, nullptr).size;
}

void lstm_forward(const Context&, const LstmForwardArgs& args) {
  const LstmShape& shape = args.shape;
  const std::int64_t input = shape.input;
  const std::int64_t hidden = shape.hidden;
  const CpuKernels& kernels = cpu_kernels();
  const LstmSteps steps(shape, args.host_lengths);
  const LstmReserve reserve(shape, args.reserve.data);
  const float* w_x = args.weights.data;
  const float* w_h = w_x + 4 * hidden * input;
  const float* bias = w_h + 4 * hidden * hidden;

  pack_inputs(args, steps, reserve.x);
  kernels.gemm({.transpose_b = Transpose::kYes,
                .m = steps.packed_rows(),
                .n = 4 * hidden,
                .k = input,
                .a = reserve.x,
                .lda = input,
                .b = w_x,
                .ldb = input,
                .c = reserve.gates,
                .ldc = 4 * hidden},
               gemm_scratch());

  GemmArgs recurrent{.transpose_b = Transpose::kYes,
                     .n = 4 * hidden,
                     .k = hidden,
                     .lda = hidden,
                     .b = w_h,
                     .ldb = hidden,
                     .beta = 1,
                     .ldc = 4 * hidden};
  kernels.pack_b(recurrent, reserve.packed);

  std::int64_t first_before = 0;
  steps.for_each([&](std::int64_t s, std::int64_t first, std::int64_t rows) {
    if (s > 0) {  // before the first step h is zero
      recurrent.m = rows;
      recurrent.a = reserve.h_before + first * hidden;
      recurrent.c = reserve.gates + first * 4 * hidden;
      kernels.gemm_packed(recurrent, reserve.packed, gemm_scratch());
    }
    const std::int64_t rows_after = steps.active(s + 1, rows);
    float* h_after = reserve.h_before + (first + rows) * hidden;
    for (std::int64_t b = 0; b < rows; ++b) {
      if (!steps.runs(s, b)) {
        if (b < rows_after) std::fill_n(h_after + b * hidden, hidden, 0.0f);
        continue;
      }
      kernels.lstm_cell_forward({.hidden = hidden,
                                 .gates = reserve.gates + (first + b) * 4 * hidden,
                                 .bias = bias,
                                 .c_before = s > 0 ? reserve.c + (first_before + b) * hidden : nullptr,
                                 .c = reserve.c + (first + b) * hidden,
                                 .h = args.y + steps.row(s, b) * args.y_stride,
                                 .h_copy = b < rows_after ? h_after + b * hidden : nullptr});
    }
    first_before = first;
  });
  zero_padding(args);
}

void lstm_backward(const Context& context, const LstmBackwardArgs& args) {
  const LstmShape& shape = args.shape;
  const std::int64_t input = shape.input;
  const std::int64_t hidden = shape.hidden;
  const CpuKernels& kernels = cpu_kernels();
  const LstmSteps steps(shape, args.host_lengths);
  const LstmReserve reserve(shape, args.reserve.data);
  const float* w_x = args.weights.data;
  const float* w_h = w_x + 4 * hidden * input;

  GemmArgs recurrent{.n = hidden,
                     .k = 4 * hidden,
                     .lda = 4 * hidden,
                     .b = w_h,
                     .ldb = hidden,
                     .c = reserve.dh,
                     .ldc = hidden};
  kernels.pack_b(recurrent, reserve.packed);
  std::fill_n(reserve.dh, shape.batch * hidden, 0.0f);
  std::fill_n(reserve.dc, shape.batch * hidden, 0.0f);

  const std::int64_t total = steps.packed_rows();
  std::int64_t first = total;
  for (std::int64_t s = steps.count() - 1; s >= 0; --s) {
    const std::int64_t rows = steps.active(s);
    first -= rows;
    const std::int64_t first_before = s > 0 ? first - steps.active(s - 1) : 0;
    for (std::int64_t b = 0; b < rows; ++b) {
      float* gates = reserve.gates + (first + b) * 4 * hidden;
      if (!steps.runs(s, b)) {
        std::fill_n(gates, 4 * hidden, 0.0f);
        continue;
      }
      kernels.lstm_cell_backward({.hidden = hidden,
                                  .gates = gates,
                                  .c_before = s > 0 ? reserve.c + (first_before + b) * hidden : nullptr,
                                  .c = reserve.c + (first + b) * hidden,
                                  .dy = args.dy + steps.row(s, b) * args.y_stride,
                                  .dh = reserve.dh + b * hidden,
                                  .dc = reserve.dc + b * hidden});
    }
    if (s > 0) {
      recurrent.m = rows;
      recurrent.a = reserve.gates + first * 4 * hidden;
      kernels.gemm_packed(recurrent, reserve.packed, gemm_scratch());
    }
  }

  if (!args.dweights.empty()) weight_gradients(context, args, steps, reserve);
  if (args.dx.empty()) return;

  kernels.gemm({.m = total,
                .n = input,
                .k = 4 * hidden,
                .a = reserve.gates,
                .lda = 4 * hidden,
                .b = w_x,
                .ldb = input,
                .c = reserve.x,
                .ldc = input},
               gemm_scratch());
  steps.for_each([&](std::int64_t s, std::int64_t start, std::int64_t rows) {
    for (std::int64_t b = 0; b < rows; ++b) {
      if (!steps.runs(s, b)) continue;
      const float* from = reserve.x + (start + b) * input;
      float* to = args.dx.data + steps.row(s, b) * input;
      for (std::int64_t i = 0; i < input; ++i) to[i] += from[i];
    }
  });
}

}  // namespace serval::nn::cpu
