// Matrix product, row-major: C = alpha * op(A) op(B) + beta * C.
#pragma once

#include "serval/core/context.h"

namespace serval::nn {

enum class Transpose { kNo, kYes };

// op(A) is [m, k], op(B) is [k, n], C is [m, n]. A leading dimension is the distance between rows as stored.
struct GemmArgs {
  Transpose transpose_a = Transpose::kNo;
  Transpose transpose_b = Transpose::kNo;
  std::int64_t m = 0, n = 0, k = 0;
  float alpha = 1;
  const float* a = nullptr;
  std::int64_t lda = 0;
  const float* b = nullptr;
  std::int64_t ldb = 0;
  float beta = 0;
  float* c = nullptr;
  std::int64_t ldc = 0;
};

struct Gemm {
  static constexpr const char* kName = "gemm";
  using Signature = void(const Context&, const GemmArgs&);
};

// `count` products of one form: that of `first`, with product i's matrices at a + i * stride_a and so on. A stride of 0
// reads one matrix every time; the C must not overlap.
struct GemmBatchedArgs {
  GemmArgs first;
  std::int64_t count = 0;
  std::int64_t stride_a = 0, stride_b = 0, stride_c = 0;
};

struct GemmBatched {
  static constexpr const char* kName = "gemm_batched";
  using Signature = void(const Context&, const GemmBatchedArgs&);
};

// A product whose right-hand matrix stays the same over many calls, as that of a recurrent layer does. `packed` is room
// for gemm_pack_size(k, n) floats, in which a device may keep op(B) as it likes best; B itself must stay as it is.
struct GemmPackArgs {
  GemmArgs product;
  float* packed = nullptr;
};
std::int64_t gemm_pack_size(std::int64_t k, std::int64_t n);
struct GemmPack {
  static constexpr const char* kName = "gemm_pack";
  using Signature = void(const Context&, const GemmPackArgs&);
};
struct GemmPacked {
  static constexpr const char* kName = "gemm_packed";
  using Signature = void(const Context&, const GemmPackArgs&);
};

}  // namespace serval::nn
