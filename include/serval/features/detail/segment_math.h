// The arithmetic of gather_segments, shared by its bodies. Formulae: features/segment_image.h.
#pragma once

#include <cmath>
#include <cstdint>

#include "serval/core/error.h"
#include "serval/core/hd.h"
#include "serval/features/segment_image.h"

namespace serval::features::detail {

// An output is source[low] + weight * (source[high] - source[low]).
struct Tap {
  std::int32_t low = 0;
  std::int32_t high = 0;
  float weight = 0;
};

SERVAL_HD inline Tap resize_tap(Resize resize, std::int64_t i, std::int64_t source, std::int64_t out) {
  std::int64_t numerator = i;
  std::int64_t denominator = 1;
  switch (resize) {
    case Resize::kNone:
      break;
    case Resize::kNearest:
      numerator = i * source;
      denominator = out;
      break;
    case Resize::kNearestExact:
      numerator = (2 * i + 1) * source;
      denominator = 2 * out;
      break;
    case Resize::kBilinear:
      numerator = (2 * i + 1) * source - out;
      denominator = 2 * out;
      break;
    case Resize::kBilinearCorners:
      numerator = i * (source - 1);
      denominator = out > 1 ? out - 1 : 1;
      break;
  }
  if (numerator < 0) numerator = 0;
  const std::int64_t low = numerator / denominator;
  Tap tap;
  tap.low = tap.high = static_cast<std::int32_t>(low);
  const bool between = resize == Resize::kBilinear || resize == Resize::kBilinearCorners;
  if (between && low + 1 < source) {
    tap.high = static_cast<std::int32_t>(low + 1);
    tap.weight = static_cast<float>(numerator - low * denominator) / static_cast<float>(denominator);
  }
  return tap;
}

SERVAL_HD inline float between(float from, float to, float weight) { return from + weight * (to - from); }

// One channel of one segment.
struct SegmentSource {
  const float* values = nullptr;  // its first frame, first band
  std::int64_t dimension = 0;     // from one frame to the next
  const float* mean = nullptr;    // of its first band
  const float* scale = nullptr;
  std::int64_t real_frames = 0;
  PadValue pad_value = PadValue::kZero;
  float pad_number = 0;
  float minimum = 0;  // over the real frames, where the padding is that

  SERVAL_HD float real(std::int64_t band, std::int64_t t) const {
    return (values[t * dimension + band] - mean[band]) * scale[band];
  }
  SERVAL_HD float at(std::int64_t band, std::int64_t t) const {
    if (t < real_frames) return real(band, t);
    switch (pad_value) {
      case PadValue::kZero:
        break;
      case PadValue::kMin:
        return minimum;
      case PadValue::kEdge:
        return real(band, real_frames - 1);
      case PadValue::kNumber:
        return (pad_number - mean[band]) * scale[band];
    }
    return 0;
  }
};

// The scaling of one channel of one segment: (value - shift) * gain.
struct Affine {
  float shift = 0;
  float gain = 1;
  SERVAL_HD float operator()(float value) const { return (value - shift) * gain; }
};
SERVAL_HD inline Affine min_max(float low, float high, Scaling scaling) {
  const float top = scaling == Scaling::kMinMax255 ? 255.0f : 1.0f;
  return {low, high > low ? top / (high - low) : 0.0f};
}
SERVAL_HD inline Affine standardise(double mean, double variance) {
  const double deviation = sqrt(variance);
  return {static_cast<float>(mean), static_cast<float>(1 / (deviation > 1e-5 ? deviation : 1e-5))};
}

// The place of a pixel in its segment's image.
SERVAL_HD inline std::int64_t pixel_index(const SegmentImage& image, std::int64_t channel, std::int64_t row,
                                          std::int64_t column) {
  switch (image.layout) {
    case Layout::kChannelBandTime:
      break;
    case Layout::kChannelTimeBand:
      return (channel * image.width + column) * image.height + row;
    case Layout::kBandTimeChannel:
      return (row * image.width + column) * image.channels + channel;
    case Layout::kTimeBandChannel:
      return (column * image.height + row) * image.channels + channel;
  }
  return (channel * image.height + row) * image.width + column;
}

SERVAL_HD inline SegmentSource segment_source(const GatherSegmentsArgs& args, std::int64_t segment,
                                              std::int64_t channel) {
  const SegmentImage& image = args.image;
  const std::int64_t column = channel * image.bands;
  SegmentSource source;
  source.dimension = image.channels * image.bands;
  const std::int64_t start = args.starts.data[segment] * source.dimension;
  const std::int64_t here = args.values.size();
  source.values = (start < here ? args.values.data + start : args.more_values.data + (start - here)) + column;
  source.mean = args.mean.data + column;
  source.scale = args.scale.data + column;
  source.real_frames = args.real_frames.data[segment];
  source.pad_value = image.pad_value;
  source.pad_number = image.pad_number;
  return source;
}

// What a device can check without reading the arrays.
inline void check_gather(const GatherSegmentsArgs& args) {
  const SegmentImage& image = args.image;
  const std::int64_t dimension = image.channels * image.bands;
  SERVAL_CHECK(args.starts.size() == args.segments && args.real_frames.size() == args.segments &&
                   args.frames.size() == args.segments,
               "gather ", args.segments, " segments of starts ", to_string(args.starts.shape),
               ", real frames ", to_string(args.real_frames.shape), ", frames ",
               to_string(args.frames.shape));
  SERVAL_CHECK(args.mean.size() == dimension && args.scale.size() == dimension, "gather ", dimension,
               " columns with mean ", to_string(args.mean.shape), ", scale ", to_string(args.scale.shape));
  SERVAL_CHECK(args.values.size() % dimension == 0, "gather ", dimension, " columns from ",
               to_string(args.values.shape));
  SERVAL_CHECK(args.x.shape == batch_shape(image, args.segments), "gather into ", to_string(args.x.shape),
               ", expected ", to_string(batch_shape(image, args.segments)));
}

}  // namespace serval::features::detail
