// The inner loops of the CPU bodies, compiled once for each instruction set from cpu_kernels.inc.h.
#pragma once

#include <cstdint>
#include <utility>

#include "serval/nn/cpu_level.h"
#include "serval/nn/gemm.h"

namespace serval::nn {

// A product sums over k in blocks of kGemmDepth, each in ascending order, so that an element of C depends
// only on its own row of op(A) and column of op(B): not on m, n or where in C it is.
constexpr std::int64_t kGemmDepth = 256;
constexpr std::int64_t kGemmRowBlock = 144;
constexpr std::int64_t kGemmColumnBlock = 512;
constexpr std::int64_t kGemmScratch = kGemmDepth * (kGemmRowBlock + kGemmColumnBlock);

// The largest width of a packed column panel at any level: what packed_b_size() rounds n up to.
constexpr std::int64_t kGemmPanel = 32;
inline std::int64_t packed_b_size(std::int64_t k, std::int64_t n) {
  return k * ((n + kGemmPanel - 1) / kGemmPanel) * kGemmPanel;
}

// C [rows, columns] = A B with A[r, p] = a[r * a_row_step + a_offsets[p]] and B[p, j] = b[offsets[p] + j], summed over p as
// above. Up to kGemmPanel - 1 columns more are read from B and written to C, with numbers that mean nothing.
struct OffsetProduct {
  std::int64_t rows = 0, columns = 0, depth = 0;
  const float* a = nullptr;
  std::int64_t a_row_step = 0;
  const std::int32_t* a_offsets = nullptr;
  const float* b = nullptr;
  const std::int32_t* offsets = nullptr;
  float* c = nullptr;
  std::int64_t ldc = 0;
};
constexpr std::int64_t kGemmMostRows =
    12;  // of a tile, at any level: what packed_rows_size() rounds rows up to
inline std::int64_t packed_rows_size(std::int64_t rows, std::int64_t depth) {
  return (rows + kGemmMostRows - 1) / kGemmMostRows * kGemmMostRows * depth;
}

// C [rows, columns] += A B with A[r, p] = a[offsets[r] + p] and B [depth, columns] packed by pack_b(); depth is at most kGemmDepth.
struct RowsProduct {
  std::int64_t rows = 0, columns = 0, depth = 0;
  const float* a = nullptr;
  const std::int32_t* offsets = nullptr;
  float* c = nullptr;
  std::int64_t ldc = 0;
};

// Out of the columns of a product: y[r * row_step + to + k] = f(c[r * ldc + from + k] + bias[r]) for k < count of every run, f
// a norm of channel r where `center` is not null, then nothing or relu. From `to` on, `room` floats may be written: they are the run's or those of runs behind it. As many are read.
struct ResultRun {
  std::int64_t from = 0, to = 0, count = 0, room = 0;
};
struct ResultRows {
  std::int64_t rows = 0;
  const float* c = nullptr;
  std::int64_t ldc = 0;
  const ResultRun* runs = nullptr;
  std::int64_t run_count = 0;
  const float* bias = nullptr;  // [rows]; null: zeros
  const float* center = nullptr;
  const float* scale = nullptr;
  const float* shift = nullptr;
  bool relu = false;
  float* y = nullptr;
  std::int64_t row_step = 0;
};

// Adds u[i] to one of eight sums and u[i] v[i] to one of eight others, each by i mod 8, in double precision; what is left of `count`
// after the eights to the ninth of each. See norm_sums of batch_norm.h.
struct ProductSums {
  double plain[9] = {};
  double product[9] = {};
};

// Of one channel: y = f((x - center) scale + shift), f nothing or relu; see batch_norm.h.
struct NormRow {
  std::int64_t count = 0;
  float center = 0, scale = 0, shift = 0;
  bool relu = false;
  const float* x = nullptr;
  float* y = nullptr;
};
// dx = scale (dz - mean_dz - (x - center) mean_dz_x)
struct NormGradientRow {
  std::int64_t count = 0;
  float center = 0, scale = 0, mean_dz = 0, mean_dz_x = 0;
  const float* x = nullptr;
  const float* dz = nullptr;
  float* dx = nullptr;
};

// One step of one sequence; pointers to rows. Gate order i, f, g, o, each `hidden` wide.
struct LstmCellForward {
  std::int64_t hidden = 0;
  float* gates = nullptr;           // [4H] in: W_x x + W_h h; out: the activated gates
  const float* bias = nullptr;      // [4H]
  const float* c_before = nullptr;  // [H]; null: zero
  float* c = nullptr;               // [H]
  float* h = nullptr;               // [H]
  float* h_copy = nullptr;          // [H]; null: not wanted
};
struct LstmCellBackward {
  std::int64_t hidden = 0;
  float* gates = nullptr;           // [4H] in: the activated gates; out: gradient before the activation
  const float* c_before = nullptr;  // [H]; null: zero
  const float* c = nullptr;         // [H]
  const float* dy = nullptr;        // [H] from above
  const float* dh = nullptr;        // [H] from the step after
  float* dc = nullptr;              // [H] in: from the step after; out: to the step before
};

// Results of one row of a pool of images: result j sees columns j * stride + [0, kernel_width) of kernel_height rows from `x` on, which
// all exist. The largest and which of the plane it was: the first of equals, a NaN before any number.
struct MaxPoolRow {
  std::int64_t count = 0;
  std::int64_t kernel_height = 1, kernel_width = 1, stride = 1;
  std::int64_t width = 0;     // from one row of the plane to the next
  std::int64_t readable = 0;  // floats from x to the end of its memory
  const float* x = nullptr;
  std::int32_t place = 0;  // of x[0] in its plane
  float* y = nullptr;
  std::int32_t* places = nullptr;
};

// Blocks of a random stream, one after the other: what philox4x32() of core/philox.h is given for them.
struct PhiloxRun {
  std::uint64_t first_block = 0;
  std::uint32_t counter2 = 0, counter3 = 0;
  std::uint32_t key0 = 0, key1 = 0;
};

struct CpuKernels {
  CpuLevel level = CpuLevel::kBaseline;
  // `scratch` is kGemmScratch floats.
  void (*gemm)(const GemmArgs& args, float* scratch) = nullptr;
  // The same with op(B) packed beforehand; args.b is not read.
  void (*pack_b)(const GemmArgs& args, float* packed) = nullptr;
  void (*gemm_packed)(const GemmArgs& args, const float* packed, float* scratch) = nullptr;
  // The left side alone is read for packing, and not again.
  void (*pack_rows)(const OffsetProduct& args, float* packed) = nullptr;
  void (*offset_product)(const OffsetProduct& args, const float* packed) = nullptr;
  void (*rows_product)(const RowsProduct& args, const float* packed) = nullptr;
  void (*write_results)(const ResultRows& args) = nullptr;
  void (*norm_row)(const NormRow& row) = nullptr;
  void (*add_product_sums)(std::int64_t count, const float* u, const float* v, ProductSums* sums) = nullptr;
  void (*norm_gradient_row)(const NormGradientRow& row) = nullptr;
  void (*relu_gradient)(std::int64_t count, const float* y, float* dy) = nullptr;  // dy *= y > 0
  void (*lstm_cell_forward)(const LstmCellForward& args) = nullptr;
  void (*lstm_cell_backward)(const LstmCellBackward& args) = nullptr;
  void (*apply_sigmoid)(std::int64_t count, float* values) = nullptr;
  void (*apply_tanh)(std::int64_t count, float* values) = nullptr;
  void (*philox_bits)(const PhiloxRun& run, std::int64_t blocks,
                      std::uint32_t* bits) = nullptr;  // [blocks, 4]
  // y = 0 where the number of `bits` is below rate, else scale x
  void (*drop_values)(std::int64_t count, const std::uint32_t* bits, float rate, float scale, const float* x,
                      float* y) = nullptr;
  void (*max_pool_row)(const MaxPoolRow& row) = nullptr;
  void (*softmax_row)(std::int64_t count, float* values) = nullptr;  // in place
  // gradient = weights (gradient - sum weights gradient)
  void (*softmax_gradient_row)(std::int64_t count, const float* weights, float* gradient) = nullptr;
  void (*gelu)(std::int64_t count, const float* x, float* y) = nullptr;
  void (*gelu_gradient)(std::int64_t count, const float* x, const float* dy, float* dx) = nullptr;
};

CpuKernels baseline_kernels();
CpuKernels avx2_kernels();
CpuKernels avx512_kernels();

const CpuKernels& cpu_kernels();                // of cpu_level()
const CpuKernels& cpu_kernels(CpuLevel level);  // of a level that is supported
float* gemm_scratch();                          // this thread's own

}  // namespace serval::nn
