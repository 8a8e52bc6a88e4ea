#include "cpu_kernels.h"
#include "cpu_ops.h"

namespace serval::nn {

std::int64_t gemm_pack_size(std::int64_t k, std::int64_t n) { return packed_b_size(k, n); }

}  // namespace serval::nn

namespace serval::nn::cpu {

namespace {

void check(const GemmArgs& args) {
  SERVAL_CHECK(args.m >= 0 && args.n >= 0 && args.k >= 0, "gemm of ", args.m, " x ", args.n, " x ", args.k);
  SERVAL_CHECK(args.lda >= (args.transpose_a == Transpose::kNo ? args.k : args.m), "gemm lda ", args.lda);
  SERVAL_CHECK(args.ldb >= (args.transpose_b == Transpose::kNo ? args.n : args.k), "gemm ldb ", args.ldb);
  SERVAL_CHECK(args.ldc >= args.n, "gemm ldc ", args.ldc);
}

}  // namespace

void gemm(const Context&, const GemmArgs& args) {
  check(args);
  cpu_kernels().gemm(args, gemm_scratch());
}

void gemm_batched(const Context&, const GemmBatchedArgs& args) {
  check(args.first);
  SERVAL_CHECK(args.count >= 0, args.count, " products");
  const CpuKernels& kernels = cpu_kernels();
  float* scratch = gemm_scratch();
  GemmArgs one = args.first;
  for (std::int64_t i = 0; i < args.count; ++i) {
    kernels.gemm(one, scratch);
    one.a += args.stride_a;
    one.b += args.stride_b;
    one.c += args.stride_c;
  }
}

void gemm_pack(const Context&, const GemmPackArgs& args) { cpu_kernels().pack_b(args.product, args.packed); }

void gemm_packed(const Context&, const GemmPackArgs& args) {
  check(args.product);
  cpu_kernels().gemm_packed(args.product, args.packed, gemm_scratch());
}

}  // namespace serval::nn::cpu
