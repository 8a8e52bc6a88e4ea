#include <limits>

#include "cuda/core/check.cuh"
#include "cuda/core/state.cuh"
#include "cuda/nn/bodies.cuh"

namespace serval::nn {

namespace {

int to_int(std::int64_t value) {
  SERVAL_CHECK(value >= 0 && value <= std::numeric_limits<int>::max(), "a matrix of ", value,
               " rows or columns");
  return static_cast<int>(value);
}

cublasOperation_t operation(Transpose transpose) {
  return transpose == Transpose::kYes ? CUBLAS_OP_T : CUBLAS_OP_N;
}

cublasComputeType_t compute_type(const cuda::CudaState& state) {
  return state.arithmetic().tf32 ? CUBLAS_COMPUTE_32F_FAST_TF32 : CUBLAS_COMPUTE_32F_PEDANTIC;
}

}  // namespace

// cuBLAS counts columns first: a row-major matrix is its transpose there, so C^T = op(B)^T op(A)^T is asked
// for. The pedantic type keeps float arithmetic float (no TF32) in every mode of handle and environment.
void bodies::gemm(const Context& context, const GemmArgs& args) {
  if (args.m == 0 || args.n == 0) return;
  cuda::CudaState& state = cuda::cuda_state(context);
  SERVAL_CUBLAS_CHECK(cublasGemmEx(state.cublas(), operation(args.transpose_b), operation(args.transpose_a),
                                   to_int(args.n), to_int(args.m), to_int(args.k), &args.alpha, args.b,
                                   CUDA_R_32F, to_int(args.ldb), args.a, CUDA_R_32F, to_int(args.lda),
                                   &args.beta, args.c, CUDA_R_32F, to_int(args.ldc), compute_type(state),
                                   CUBLAS_GEMM_DEFAULT));
}

void bodies::gemm_batched(const Context& context, const GemmBatchedArgs& batched) {
  const GemmArgs& args = batched.first;
  if (args.m == 0 || args.n == 0 || batched.count == 0) return;
  cuda::CudaState& state = cuda::cuda_state(context);
  SERVAL_CUBLAS_CHECK(cublasGemmStridedBatchedEx(
      state.cublas(), operation(args.transpose_b), operation(args.transpose_a), to_int(args.n),
      to_int(args.m), to_int(args.k), &args.alpha, args.b, CUDA_R_32F, to_int(args.ldb), batched.stride_b,
      args.a, CUDA_R_32F, to_int(args.lda), batched.stride_a, &args.beta, args.c, CUDA_R_32F,
      to_int(args.ldc), batched.stride_c, to_int(batched.count), compute_type(state), CUBLAS_GEMM_DEFAULT));
}

// cuBLAS reads the matrix where it stands.
void bodies::gemm_pack(const Context&, const GemmPackArgs&) {}
void bodies::gemm_packed(const Context& context, const GemmPackArgs& args) { gemm(context, args.product); }

}  // namespace serval::nn
