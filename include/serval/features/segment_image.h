// Segments as batches of images: gathered from a ragged feature set on the device, split into channels,
// normalised, padded, scaled and resized in one launch.
//
// For a segment of `frames` frames, `real_frames` of them real and the first at row `start` of the feature set,
// with B = dimension / channels bands, the source image of channel c is
//   s[c, b, t] = (values[start + t, c B + b] - mean[c B + b]) * scale[c B + b]     for t < real_frames
//              = padding                                                          for t >= real_frames
// Padding: zero  0
//          min   the smallest s of the segment's channel over its real frames
//          edge  s[c, b, real_frames - 1]
//          number  (pad_number - mean) * scale, each column for itself
// Scaling, over all B x frames values of the channel, padding included, with m = min, M = max, u = mean, d =
// deviation (divides by the count):
//          min_max_1  (s - m) / (M - m), 0 where M = m;   min_max_255  255 times that
//          standardise  (s - u) / max(d, 1e-5)
// Resizing takes output (h, w) from the source position along bands for h and along time for w. With i the output
// index, n source values and N outputs:
//          nearest           floor(i n / N)                     torch "nearest", OpenCV INTER_NEAREST
//          nearest_exact     floor((i + 1/2) n / N)             torch "nearest-exact", TensorFlow 2 "nearest"
//          bilinear          (i + 1/2) n / N - 1/2, not below 0  torch align_corners=False without antialias, OpenCV
//                                                               INTER_LINEAR, TensorFlow 2 without antialias
//          bilinear_corners  i (n - 1) / (N - 1)                torch align_corners=True
// bilinear weighs the two values around that position; positions are exact fractions of integers. Band 0 is row 0.
#pragma once

#include <cstdint>

#include "serval/core/context.h"
#include "serval/core/settings.h"
#include "serval/features/segments.h"

namespace serval::features {

inline constexpr std::int64_t kMaxImageSide = 4096;

enum class Layout { kChannelBandTime, kChannelTimeBand, kBandTimeChannel, kTimeBandChannel };
enum class PadValue { kZero, kMin, kEdge, kNumber };
enum class Resize { kNone, kNearest, kNearestExact, kBilinear, kBilinearCorners };
enum class Scaling { kNone, kMinMax1, kMinMax255, kStandardise };

struct ImageSettings {
  int channels = 1;
  Layout layout = Layout::kChannelBandTime;
  PadValue pad_value = PadValue::kZero;
  double pad_number = 0;
  Resize resize = Resize::kNone;
  std::int64_t height = 0, width = 0;  // 0: as the source
  Scaling scaling = Scaling::kNone;
};
void describe(SettingsVisitor& v, ImageSettings& settings);

// The settings with every size known.
struct SegmentImage {
  Layout layout = Layout::kChannelBandTime;
  PadValue pad_value = PadValue::kZero;
  float pad_number = 0;
  Resize resize = Resize::kNone;
  Scaling scaling = Scaling::kNone;
  std::int64_t channels = 1, bands = 0;
  std::int64_t height = 0, width = 0;
};
// For features of `dimension` columns in segments of `frames` frames. Throws ConfigError when the columns cannot be
// split into the channels, or the image is larger than kMaxImageSide.
SegmentImage segment_image(const ImageSettings& settings, std::int64_t dimension, std::int64_t frames);
// For whole recordings that are made to fit: `settings.resize` is none (ConfigError otherwise), because the fit says
// it, and only time is resized.
SegmentImage fitted_image(const ImageSettings& settings, std::int64_t dimension, const FitSettings& fit);

// [segment, ...] in the order of the layout.
Shape batch_shape(const SegmentImage& image, std::int64_t segments);
Shape item_shape(const SegmentImage& image);  // the same of one segment

// Where each segment of an index lies in the feature set, on the device.
struct SegmentTable {
  Array<std::int64_t> starts;       // [segment], rows of the feature set
  Array<std::int32_t> real_frames;  // [segment]
  Array<std::int32_t> frames;       // [segment], with padding
};
SegmentTable segment_table(const SegmentIndex& index, const std::vector<std::int64_t>& offsets,
                           const Device& device);

struct GatherSegmentsArgs {
  SegmentImage image;
  std::int64_t segments = 0;
  ConstTensorView values;            // [total frames, dimension]
  ConstTensorView more_values = {};  // [more frames, dimension]: frames numbered on behind those of values
  View<const std::int64_t> starts;   // [segment]
  View<const std::int32_t> real_frames;  // [segment], each at least 1
  View<const std::int32_t> frames;       // [segment], each at least real_frames; image.width with resize none
  ConstTensorView mean, scale;           // [dimension]
  TensorView x;                          // batch_shape(image, segments)
};
struct GatherSegments {
  static constexpr const char* kName = "gather_segments";
  using Signature = void(const Context&, const GatherSegmentsArgs&);
};

}  // namespace serval::features
