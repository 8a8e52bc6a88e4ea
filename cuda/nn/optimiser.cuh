// Kernels of nn/optimiser.h.
#pragma once

#include "serval/nn/detail/adam.h"

#include "cuda/core/kernel.cuh"

namespace serval::nn {

constexpr int kAdamThreads = 256;
constexpr std::int64_t kAdamValuesPerThread = 4;  // of the update

// scratch[1 + block] = the sum of squares of that block of kAdamBlock gradients
SERVAL_KERNEL gradient_norm_kernel(const float* gradients, float* scratch, std::int64_t count) {
  SERVAL_SHARED(float, warps, cuda::kWarpSize);
  const std::int64_t first = static_cast<std::int64_t>(blockIdx.x) * detail::kAdamBlock;
  const std::int64_t end = first + detail::kAdamBlock < count ? first + detail::kAdamBlock : count;
  float sum = 0;
  for (std::int64_t i = first + threadIdx.x; i < end; i += blockDim.x) sum += gradients[i] * gradients[i];
  sum = cuda::block_sum(sum, warps);
  if (threadIdx.x == 0) scratch[1 + blockIdx.x] = sum;
}

struct AdamState {
  float* parameters;
  float* gradients;
  float* first_moment;
  float* second_moment;
  float* scratch;
  std::int64_t count;
  std::int64_t norm_blocks;
};

// Every block adds up the norm for itself, in the same order: cheaper than one more launch.
SERVAL_KERNEL adam_step_kernel(AdamState state, detail::AdamConstants constants, float clip_norm) {
  SERVAL_SHARED(double, warps, cuda::kWarpSize);
  double sum = 0;
  for (std::int64_t i = threadIdx.x; i < state.norm_blocks; i += blockDim.x) {
    sum += static_cast<double>(state.scratch[1 + i]);
  }
  sum = cuda::block_sum(sum, warps);
  const float norm = static_cast<float>(sqrt(sum));
  if (blockIdx.x == 0 && threadIdx.x == 0) state.scratch[0] = norm;
  const float scale = detail::clip_scale(norm, clip_norm);

  const std::int64_t per_block = kAdamValuesPerThread * blockDim.x;
  const std::int64_t first = per_block * blockIdx.x;
  for (std::int64_t i = first + threadIdx.x; i < first + per_block && i < state.count; i += blockDim.x) {
    detail::adam_update(constants, scale * state.gradients[i], state.parameters[i], state.first_moment[i],
                        state.second_moment[i]);
    state.gradients[i] = 0;
  }
}

inline void adam_step(cuda::Stream stream, const AdamArgs& args, int threads = kAdamThreads) {
  const std::int64_t count = args.parameters.size();
  SERVAL_CHECK(args.gradients.size() == count && args.first_moment.size() == count &&
                   args.second_moment.size() == count && args.scratch.size() >= adam_scratch_size(count),
               "Adam of ", count, " parameters");
  SERVAL_CHECK(args.step >= 1, "Adam step ", args.step);
  const std::int64_t norm_blocks = adam_scratch_size(count) - 1;
  cuda::launch(gradient_norm_kernel, dim3(static_cast<unsigned>(norm_blocks)), dim3(threads), 0, stream,
               static_cast<const float*>(args.gradients.data), args.scratch.data, count);
  const AdamState state{args.parameters.data,
                        args.gradients.data,
                        args.first_moment.data,
                        args.second_moment.data,
                        args.scratch.data,
                        count,
                        norm_blocks};
  cuda::launch(adam_step_kernel, dim3(cuda::blocks_for(count, kAdamValuesPerThread * threads)), dim3(threads),
               0, stream, state, detail::adam_constants(args.settings, args.step),
               static_cast<float>(args.settings.clip_norm));
}

}  // namespace serval::nn
