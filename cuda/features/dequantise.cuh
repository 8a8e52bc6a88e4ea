// From codes to the float samples that the general engine reads.
#pragma once

#include <cstdint>

#include "cuda/core/kernel.cuh"
#include "cuda/features/batch.cuh"

namespace serval::features::cuda {

struct CodeSpan {
  std::int64_t first_code = 0;
  float scale = 1;
};

// Blocks: clip in x, and as many in y as may share a long clip. `clips` says where the samples go.
SERVAL_KERNEL dequantise_kernel(const std::int16_t* codes, const CodeSpan* from, const ClipSpan* clips,
                                float* samples) {
  const CodeSpan span = from[blockIdx.x];
  const ClipSpan clip = clips[blockIdx.x];
  const std::int64_t step = static_cast<std::int64_t>(blockDim.x) * gridDim.y;
  for (std::int64_t i = static_cast<std::int64_t>(blockDim.x) * blockIdx.y + threadIdx.x; i < clip.samples;
       i += step)
    samples[clip.first_sample + i] = static_cast<float>(codes[span.first_code + i]) * span.scale;
}

inline void launch_dequantise(const std::int16_t* codes, const CodeSpan* from, const ClipSpan* clips,
                              std::int64_t count, float* samples, serval::cuda::Stream stream) {
  constexpr unsigned kBlocksAClip = 8;
  serval::cuda::launch(dequantise_kernel, dim3(static_cast<unsigned>(count), kBlocksAClip), dim3(256), 0,
                       stream, codes, from, clips, samples);
}

}  // namespace serval::features::cuda
