#include "cpu_kernels.h"
#include "cpu_ops.h"

namespace serval::nn::cpu {

void gemm(const Context&, const GemmArgs& args) {
  SERVAL_CHECK(args.m >= 0 && args.n >= 0 && args.k >= 0, "gemm of ", args.m, " x ", args.n, " x ", args.k);
  SERVAL_CHECK(args.lda >= (args.transpose_a == Transpose::kNo ? args.k : args.m), "gemm lda ", args.lda);
  SERVAL_CHECK(args.ldb >= (args.transpose_b == Transpose::kNo ? args.n : args.k), "gemm ldb ", args.ldb);
  SERVAL_CHECK(args.ldc >= args.n, "gemm ldc ", args.ldc);
  cpu_kernels().gemm(args, gemm_scratch());
}

}  // namespace serval::nn::cpu
