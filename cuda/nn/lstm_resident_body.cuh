// An LSTM layer around the recurrence of lstm_resident.cuh: the inputs' product before it, the weights' gradients after
// it, as matrix products over all steps at once. Steps stay where they are; the padding is read as zeros.
#pragma once

#include <algorithm>
#include <array>
#include <type_traits>

#include "serval/nn/gemm.h"
#include "serval/nn/pointwise.h"

#include "cuda/nn/lstm_memory.cuh"
#include "cuda/nn/lstm_resident.cuh"
#include "cuda/nn/lstm_steps.cuh"

namespace serval::nn {

constexpr std::array kResidentRows{1, 2, 4, 6};  // sequences a block

// Enough sequences a block that all blocks of `models` layers run at once, where that is possible.
inline int resident_rows(std::int64_t batch, int models, int processors) {
  for (const int rows : kResidentRows) {
    if ((batch + rows - 1) / rows * models <= processors) return rows;
  }
  return kResidentRows.back();
}

// What backward needs of forward, in the caller's reserve.
struct ResidentKept {
  float *gates, *c, *h, *x;
  ResidentKept(Pieces& pieces, const LstmShape& s)
      : gates(pieces.take(s.time * s.batch * 4 * s.hidden)),
        c(pieces.take(s.time * s.batch * s.hidden)),
        h(pieces.take(s.time * s.batch * s.hidden)),
        x(pieces.take(s.time * s.batch * s.input)) {}
};
inline std::int64_t resident_reserve_floats(const LstmShape& shape) {
  Pieces pieces;
  ResidentKept(pieces, shape);
  return pieces.floats() + kAlignment;  // for a reserve that starts anywhere
}

// f(kKept, kRows) as constants: what registers keep of a row of W_h, of which they keep less where many sequences a block
// need them for sums, and those sequences.
template <class F>
void with_resident_sizes(std::int64_t hidden, int rows, const F& f) {
  const auto with_rows = [&](auto kept, auto kept_of_many) {
    if (rows == 1) return f(kept, std::integral_constant<int, 1>{});
    if (rows == 2) return f(kept, std::integral_constant<int, 2>{});
    if (rows == 4) return f(kept_of_many, std::integral_constant<int, 4>{});
    SERVAL_CHECK(rows == 6, rows, " sequences a block");
    return f(kept_of_many, std::integral_constant<int, 6>{});
  };
  using std::integral_constant;
  if (hidden <= 32) return with_rows(integral_constant<int, 32>{}, integral_constant<int, 32>{});
  if (hidden <= 64) return with_rows(integral_constant<int, 64>{}, integral_constant<int, 64>{});
  return with_rows(integral_constant<int, 96>{}, integral_constant<int, 80>{});
}

// Shared memory of the largest block.
inline std::size_t resident_bytes(std::int64_t hidden) {
  std::size_t bytes = 0;
  with_resident_sizes(hidden, kResidentRows.back(), [&](auto in_registers, auto sequences) {
    constexpr int kKept = decltype(in_registers)::value;
    constexpr int kRows = decltype(sequences)::value;
    const int h = static_cast<int>(hidden);
    bytes = std::max(resident_forward_bytes<kRows>(h, kKept), resident_backward_bytes<kRows>(h, kKept));
  });
  return bytes;
}

template <class Args>
ResidentArgs resident_args(const Args& args, const ResidentKept& kept) {
  const LstmShape& s = args.shape;
  ResidentArgs a;
  a.time = static_cast<int>(s.time);
  a.batch = static_cast<int>(s.batch);
  a.hidden = static_cast<int>(s.hidden);
  a.reversed = s.reversed;
  a.lengths = args.lengths.data;
  a.w_h = args.weights.data + 4 * s.hidden * s.input;
  a.bias = a.w_h + 4 * s.hidden * s.hidden;
  a.gates = kept.gates;
  a.c = kept.c;
  a.h = kept.h;
  a.y_stride = args.y_stride;
  return a;
}

// x with zeros in the padding: itself where there is none.
template <class Args>
const float* resident_input(cuda::Stream stream, const Args& args, const ResidentKept& kept, bool copy) {
  const LstmShape& s = args.shape;
  const bool whole = std::all_of(args.host_lengths, args.host_lengths + s.batch,
                                 [&](std::int32_t length) { return length == s.time; });
  if (whole) return args.x.data;
  if (copy) {
    copy_steps(stream, StepMap{args.lengths.data, s.time, s.batch, false}, {args.x.data, s.input},
               {kept.x, s.input}, s.input);
  }
  return kept.x;
}

inline dim3 resident_blocks(const LstmShape& shape, int rows) {
  return dim3(cuda::blocks_for(shape.batch, rows));
}

inline void resident_lstm_forward(const Context& context, cuda::Stream stream, const LstmForwardArgs& args,
                                  int rows) {
  const LstmShape& s = args.shape;
  Pieces pieces(align(args.reserve.data));
  const ResidentKept kept(pieces, s);
  run<Gemm>(context, GemmArgs{.transpose_b = Transpose::kYes,
                              .m = s.time * s.batch,
                              .n = 4 * s.hidden,
                              .k = s.input,
                              .a = resident_input(stream, args, kept, true),
                              .lda = s.input,
                              .b = args.weights.data,
                              .ldb = s.input,
                              .c = kept.gates,
                              .ldc = 4 * s.hidden});
  ResidentArgs a = resident_args(args, kept);
  a.training = args.training;
  a.y = args.y;
  with_resident_sizes(s.hidden, rows, [&](auto in_registers, auto sequences) {
    constexpr int kKept = decltype(in_registers)::value;
    constexpr int kRows = decltype(sequences)::value;
    cuda::launch(resident_forward_kernel<kKept, kRows>, resident_blocks(s, kRows),
                 dim3(resident_threads(a.hidden)), resident_forward_bytes<kRows>(a.hidden, kKept), stream, a);
  });
}

// From the gates' gradients.
inline void resident_weight_gradients(const Context& context, cuda::Stream stream,
                                      const LstmBackwardArgs& args, const ResidentKept& kept) {
  const LstmShape& s = args.shape;
  const std::int64_t gates = 4 * s.hidden;
  const std::int64_t all = s.time * s.batch;
  float* const dw_x = args.dweights.data;
  float* const dw_h = dw_x + gates * s.input;
  float* const dbias = dw_h + gates * s.hidden;
  run<Gemm>(context, GemmArgs{.transpose_a = Transpose::kYes,
                              .m = gates,
                              .n = s.input,
                              .k = all,
                              .a = kept.gates,
                              .lda = gates,
                              .b = resident_input(stream, args, kept, false),
                              .ldb = s.input,
                              .beta = 1,
                              .c = dw_x,
                              .ldc = s.input});
  // The step before lies a batch away; the first one started from zero.
  if (s.time > 1) {
    run<Gemm>(context, GemmArgs{.transpose_a = Transpose::kYes,
                                .m = gates,
                                .n = s.hidden,
                                .k = all - s.batch,
                                .a = kept.gates + (s.reversed ? 0 : s.batch * gates),
                                .lda = gates,
                                .b = kept.h + (s.reversed ? s.batch * s.hidden : 0),
                                .ldb = s.hidden,
                                .beta = 1,
                                .c = dw_h,
                                .ldc = s.hidden});
  }
  run<ColumnSum>(context, ColumnSumArgs{.rows = all,
                                        .columns = gates,
                                        .x = {kept.gates, Shape{all, gates}, context.device().kind},
                                        .sums = {dbias, Shape{gates}, context.device().kind}});
}

inline void resident_lstm_backward(const Context& context, cuda::Stream stream, const LstmBackwardArgs& args,
                                   int rows) {
  const LstmShape& s = args.shape;
  Pieces pieces(align(args.reserve.data));
  const ResidentKept kept(pieces, s);
  ResidentArgs a = resident_args(args, kept);
  a.dy = args.dy;
  with_resident_sizes(s.hidden, rows, [&](auto in_registers, auto sequences) {
    constexpr int kKept = decltype(in_registers)::value;
    constexpr int kRows = decltype(sequences)::value;
    cuda::launch(resident_backward_kernel<kKept, kRows>, resident_blocks(s, kRows),
                 dim3(resident_threads(a.hidden)), resident_backward_bytes<kRows>(a.hidden, kKept), stream,
                 a);
  });

  if (!args.dweights.empty()) resident_weight_gradients(context, stream, args, kept);
  if (args.dx.empty()) return;
  const std::int64_t gates = 4 * s.hidden;
  const std::int64_t all = s.time * s.batch;
  run<Gemm>(context, GemmArgs{.m = all,
                              .n = s.input,
                              .k = gates,
                              .a = kept.gates,
                              .lda = gates,
                              .b = args.weights.data,
                              .ldb = s.input,
                              .beta = 1,
                              .c = args.dx.data,
                              .ldc = s.input});
}

}  // namespace serval::nn
