// Kernel of features/segment_image.h.
#pragma once

#include "serval/features/detail/segment_math.h"

#include "cuda/core/kernel.cuh"

namespace serval::features::cuda {

struct GatherPart {
  GatherSegmentsArgs args;
  std::int64_t rows = 0;  // of an image that one block makes
};

// Smallest and largest value of the channel over `frames` frames; every thread gets them.
SERVAL_DEVICE float2 channel_range(const detail::SegmentSource& source, std::int64_t bands,
                                   std::int64_t frames, float* scratch) {
  float low = INFINITY;
  float high = -INFINITY;
  for (std::int64_t i = threadIdx.x; i < bands * frames; i += blockDim.x) {
    const float value = source.at(i % bands, i / bands);
    low = value < low ? value : low;
    high = value > high ? value : high;
  }
  high = serval::cuda::block_max(high, scratch);
  low = -serval::cuda::block_max(-low, scratch);
  return make_float2(low, high);
}

// Mean, or with `centre` the mean square distance from it.
SERVAL_DEVICE double channel_moment(const detail::SegmentSource& source, std::int64_t bands,
                                    std::int64_t frames, bool squared, double centre, double* scratch) {
  double sum = 0;
  for (std::int64_t i = threadIdx.x; i < bands * frames; i += blockDim.x) {
    const double value = static_cast<double>(source.at(i % bands, i / bands)) - centre;
    sum += squared ? value * value : value;
  }
  return serval::cuda::block_sum(sum, scratch) / static_cast<double>(bands * frames);
}

// Block (s * channels + c, p) makes the p-th part of the rows of channel c of segment s. What the scaling needs is
// computed again by each part, in the same order. Shared: a tap for every column of the image.
SERVAL_KERNEL gather_segments_kernel(GatherPart part) {
  SERVAL_DYNAMIC_SHARED(detail::Tap, across);
  SERVAL_SHARED(float, scratch, serval::cuda::kWarpSize);
  SERVAL_SHARED(double, sums, serval::cuda::kWarpSize);
  const SegmentImage& image = part.args.image;
  const std::int64_t segment = blockIdx.x / image.channels;
  const std::int64_t channel = blockIdx.x % image.channels;
  const std::int64_t frames = part.args.frames.data[segment];
  for (std::int64_t w = threadIdx.x; w < image.width; w += blockDim.x)
    across[w] = detail::resize_tap(image.resize, w, frames, image.width);
  __syncthreads();

  detail::SegmentSource source = detail::segment_source(part.args, segment, channel);
  if (source.pad_value == PadValue::kMin && frames > source.real_frames)
    source.minimum = channel_range(source, image.bands, source.real_frames, scratch).x;
  detail::Affine affine;
  if (image.scaling == Scaling::kStandardise) {
    const double mean = channel_moment(source, image.bands, frames, false, 0, sums);
    affine = detail::standardise(mean, channel_moment(source, image.bands, frames, true, mean, sums));
  } else if (image.scaling != Scaling::kNone) {
    const float2 range = channel_range(source, image.bands, frames, scratch);
    affine = detail::min_max(range.x, range.y, image.scaling);
  }

  const std::int64_t first = static_cast<std::int64_t>(blockIdx.y) * part.rows;
  const std::int64_t rows = part.rows < image.height - first ? part.rows : image.height - first;
  float* const out = part.args.x.data + segment * image.channels * image.height * image.width;
  for (std::int64_t i = threadIdx.x; i < rows * image.width; i += blockDim.x) {
    const std::int64_t h = first + i / image.width;
    const std::int64_t w = i % image.width;
    const detail::Tap down = detail::resize_tap(image.resize, h, image.bands, image.height);
    const detail::Tap tap = across[w];
    const float upper = detail::between(affine(source.at(down.low, tap.low)),
                                        affine(source.at(down.low, tap.high)), tap.weight);
    const float lower = detail::between(affine(source.at(down.high, tap.low)),
                                        affine(source.at(down.high, tap.high)), tap.weight);
    out[detail::pixel_index(image, channel, h, w)] = detail::between(upper, lower, down.weight);
  }
}

inline void gather_segments(serval::cuda::Stream stream, const GatherSegmentsArgs& args, int threads = 256,
                            std::int64_t pixels_a_block = 8192) {
  detail::check_gather(args);
  const SegmentImage& image = args.image;
  GatherPart part{args, (pixels_a_block + image.width - 1) / image.width};
  serval::cuda::launch(gather_segments_kernel,
                       dim3(static_cast<unsigned>(args.segments * image.channels),
                            serval::cuda::blocks_for(image.height, part.rows)),
                       dim3(static_cast<unsigned>(threads)),
                       static_cast<std::size_t>(image.width) * sizeof(detail::Tap), stream, part);
}

}  // namespace serval::features::cuda
