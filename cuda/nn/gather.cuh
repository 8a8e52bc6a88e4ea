// Kernel of nn/gather.h.
#pragma once

#include "serval/nn/gather.h"

#include "cuda/nn/rows.cuh"

namespace serval::nn {

struct GatherSource {
  const float* values;
  const float* more_values;
  std::int64_t frames;  // of values
  const std::int64_t* starts;
  const std::int32_t* lengths;
  const float* mean;
  const float* scale;
};

SERVAL_KERNEL gather_sequences_kernel(GatherSource source, float* x, std::int64_t time, std::int64_t batch,
                                      std::int64_t feature) {
  const std::int64_t row = warp_row();
  if (row >= time * batch) return;
  const std::int64_t t = row / batch;
  const std::int64_t b = row % batch;
  const bool inside = t < source.lengths[b];
  // A padded step lies past its recording: nothing there is read.
  const std::int64_t start = source.starts[b];
  const float* const first = start < source.frames ? source.values + start * feature
                                                   : source.more_values + (start - source.frames) * feature;
  const float* const frame = inside ? first + t * feature : nullptr;
  for (std::int64_t f = warp_column(); f < feature; f += cuda::kWarpSize) {
    x[row * feature + f] = inside ? (frame[f] - source.mean[f]) * source.scale[f] : 0.0f;
  }
}

inline void gather_sequences(cuda::Stream stream, const GatherArgs& args, int threads = kRowThreads) {
  SERVAL_CHECK(args.x.size() == args.time * args.batch * args.feature, "gather into ",
               to_string(args.x.shape), ", expected [", args.time, ", ", args.batch, ", ", args.feature, "]");
  SERVAL_CHECK(args.starts.size() == args.batch && args.lengths.size() == args.batch, "gather starts ",
               to_string(args.starts.shape), ", lengths ", to_string(args.lengths.shape));
  SERVAL_CHECK(args.mean.size() == args.feature && args.scale.size() == args.feature, "gather mean ",
               to_string(args.mean.shape), ", scale ", to_string(args.scale.shape));
  const GatherSource source{args.values.data, args.more_values.data, args.values.size() / args.feature,
                            args.starts.data, args.lengths.data,     args.mean.data,
                            args.scale.data};
  cuda::launch(gather_sequences_kernel, row_blocks(args.time * args.batch, threads), dim3(threads), 0, stream,
               source, args.x.data, args.time, args.batch, args.feature);
}

}  // namespace serval::nn
