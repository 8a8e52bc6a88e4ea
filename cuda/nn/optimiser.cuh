// Kernels of nn/optimiser.h.
#pragma once

#include "serval/nn/detail/optimiser.h"

#include "cuda/core/kernel.cuh"

namespace serval::nn {

constexpr int kOptimiserThreads = 256;
constexpr std::int64_t kOptimiserValuesPerThread = 4;  // of the update

// scratch[1 + block] = the sum of squares of that block of kNormBlock gradients
SERVAL_KERNEL gradient_norm_kernel(const float* gradients, float* scratch, std::int64_t count) {
  SERVAL_SHARED(float, warps, cuda::kWarpSize);
  const std::int64_t first = static_cast<std::int64_t>(blockIdx.x) * detail::kNormBlock;
  const std::int64_t end = first + detail::kNormBlock < count ? first + detail::kNormBlock : count;
  float sum = 0;
  for (std::int64_t i = first + threadIdx.x; i < end; i += blockDim.x) sum += gradients[i] * gradients[i];
  sum = cuda::block_sum(sum, warps);
  if (threadIdx.x == 0) scratch[1 + blockIdx.x] = sum;
}

struct OptimiserBuffers {
  float* parameters;
  float* gradients;
  float* state;
  float* scratch;
  std::int64_t count;
  std::int64_t norm_blocks;
};

// Every block adds up the norm for itself, in the same order: cheaper than one more launch.
template <class Rule>
SERVAL_KERNEL optimiser_step_kernel(OptimiserBuffers at, Rule rule, float clip_norm) {
  SERVAL_SHARED(double, warps, cuda::kWarpSize);
  double sum = 0;
  for (std::int64_t i = threadIdx.x; i < at.norm_blocks; i += blockDim.x) {
    sum += static_cast<double>(at.scratch[1 + i]);
  }
  sum = cuda::block_sum(sum, warps);
  const float norm = static_cast<float>(sqrt(sum));
  if (blockIdx.x == 0 && threadIdx.x == 0) at.scratch[0] = norm;
  const float scale = detail::clip_scale(norm, clip_norm);

  const std::int64_t per_block = kOptimiserValuesPerThread * blockDim.x;
  const std::int64_t first = per_block * blockIdx.x;
  for (std::int64_t i = first + threadIdx.x; i < first + per_block && i < at.count; i += blockDim.x) {
    rule(scale * at.gradients[i], at.parameters[i], at.state + i, at.count);
    at.gradients[i] = 0;
  }
}

inline void optimiser_step(cuda::Stream stream, const OptimiserArgs& args, int threads = kOptimiserThreads) {
  detail::check_optimiser(args);
  const std::int64_t count = args.parameters.size();
  const std::int64_t norm_blocks = optimiser_scratch_size(count) - 1;
  cuda::launch(gradient_norm_kernel, dim3(static_cast<unsigned>(norm_blocks)), dim3(threads), 0, stream,
               static_cast<const float*>(args.gradients.data), args.scratch.data, count);
  const OptimiserBuffers buffers{
      args.parameters.data, args.gradients.data, args.state.data, args.scratch.data, count, norm_blocks};
  detail::with_rule(args.settings, args.step, [&](const auto rule) {
    using Rule = std::decay_t<decltype(rule)>;
    cuda::launch(optimiser_step_kernel<Rule>,
                 dim3(cuda::blocks_for(count, kOptimiserValuesPerThread * threads)), dim3(threads), 0, stream,
                 buffers, rule, static_cast<float>(args.settings.clip_norm));
  });
}

}  // namespace serval::nn
