// Included by cpu_kernels_<level>.cc inside an anonymous namespace, after Vec, VecInt, kLanes, kRows and the
// few operations that have no portable spelling. Written on vectors, so that every level does the same
// arithmetic element by element, whatever its width: where an element stands in a row changes nothing.
//
// No standard header and no shared inline function may be used here: the linker could then keep the copy
// compiled for a newer processor and run it everywhere.

typedef float LooseVec __attribute__((vector_size(4 * kLanes), aligned(4), may_alias));
typedef std::int32_t LooseVecInt __attribute__((vector_size(4 * kLanes), aligned(4), may_alias));

inline Vec load(const float* from) { return *reinterpret_cast<const LooseVec*>(from); }
inline void store(float* to, Vec value) { *reinterpret_cast<LooseVec*>(to) = value; }

inline void store_ints(std::int32_t* to, VecInt value) { *reinterpret_cast<LooseVecInt*>(to) = value; }

inline Vec load_some(const float* from, std::int64_t count) {
  float padded[kLanes] = {};
  for (std::int64_t i = 0; i < count; ++i) padded[i] = from[i];
  return load(padded);
}
inline void store_some(float* to, Vec value, std::int64_t count) {
  float padded[kLanes];
  store(padded, value);
  for (std::int64_t i = 0; i < count; ++i) to[i] = padded[i];
}

#include "cpu_gates.inc.h"
#include "cpu_gemm.inc.h"
#include "cpu_pointwise.inc.h"
#include "cpu_pool.inc.h"
#include "cpu_random.inc.h"
#include "cpu_rows.inc.h"
// Behind the latter, of which it uses a little.
#include "cpu_conv.inc.h"

CpuKernels kernels(CpuLevel level) {
  CpuKernels out;
  out.level = level;
  out.gemm = gemm;
  out.pack_b = pack_b;
  out.gemm_packed = gemm_packed;
  out.pack_rows = pack_rows;
  out.offset_product = offset_product;
  out.rows_product = rows_product;
  out.write_results = write_results;
  out.norm_row = norm_row;
  out.add_product_sums = add_product_sums;
  out.norm_gradient_row = norm_gradient_row;
  out.relu_gradient = relu_gradient;
  out.lstm_cell_forward = lstm_cell_forward;
  out.lstm_cell_backward = lstm_cell_backward;
  out.apply_sigmoid = apply_sigmoid;
  out.apply_tanh = apply_tanh;
  out.philox_bits = philox_bits;
  out.drop_values = drop_values;
  out.max_pool_row = max_pool_row;
  out.softmax_row = softmax_row;
  out.softmax_gradient_row = softmax_gradient_row;
  out.gelu = gelu;
  out.gelu_gradient = gelu_gradient;
  return out;
}
