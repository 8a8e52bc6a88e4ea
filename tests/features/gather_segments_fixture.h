// Segments of a small ragged feature set, gathered by a second version in double precision: matrix by matrix, in
// the order that the words of features/segment_image.h give (normalise, pad, scale, resize).
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "serval/core/philox.h"
#include "serval/features/segment_image.h"

namespace serval::features::testing_support {

using Matrix = std::vector<std::vector<double>>;  // [row][column]

struct SegmentCase {
  ImageSettings settings;
  std::int64_t dimension = 6;
  std::vector<std::int64_t> offsets{0, 9, 14, 15, 28};
  SegmentIndex index;
  std::int64_t frames = 4;  // of a segment, for the image's width
  std::vector<float> values, mean, scale;

  SegmentCase() {
    const RandomStream random{31, 0, RandomPurpose::kTest, 0, 0};
    for (std::int64_t i = 0; i < 28 * 6; ++i)
      values.push_back(40 * random.uniform(static_cast<std::uint64_t>(i)) - 30);
    for (std::uint64_t d = 0; d < 6; ++d) {
      mean.push_back(10 * random.uniform(1000 + d) - 20);
      scale.push_back(0.1f + 0.3f * random.uniform(2000 + d));
    }
    SegmentSettings cuts;
    cuts.segment_frames = {frames};
    cuts.shift_frames = {3};
    index = plan_segments(offsets, cuts);
  }
  SegmentImage image() const { return segment_image(settings, dimension, frames); }
};

inline Matrix naive_channel(const SegmentCase& given, const Segment& segment, std::int64_t channel) {
  const std::int64_t bands = given.dimension / given.settings.channels;
  Matrix out(static_cast<std::size_t>(bands), std::vector<double>(static_cast<std::size_t>(segment.frames)));
  const auto normalised = [&](std::int64_t band, double value) {
    const auto column = static_cast<std::size_t>(channel * bands + band);
    return (value - static_cast<double>(given.mean[column])) * static_cast<double>(given.scale[column]);
  };
  double smallest = INFINITY;
  for (std::int64_t b = 0; b < bands; ++b) {
    for (std::int64_t t = 0; t < segment.real_frames; ++t) {
      const std::int64_t row =
          given.offsets[static_cast<std::size_t>(segment.recording)] + segment.first_frame + t;
      const auto at = static_cast<std::size_t>(row * given.dimension + channel * bands + b);
      const double value = normalised(b, static_cast<double>(given.values[at]));
      out[static_cast<std::size_t>(b)][static_cast<std::size_t>(t)] = value;
      smallest = std::min(smallest, value);
    }
  }
  for (std::int64_t b = 0; b < bands; ++b) {
    std::vector<double>& row = out[static_cast<std::size_t>(b)];
    for (std::int64_t t = segment.real_frames; t < segment.frames; ++t) {
      double& value = row[static_cast<std::size_t>(t)];
      switch (given.settings.pad_value) {
        case PadValue::kZero:
          value = 0;
          break;
        case PadValue::kMin:
          value = smallest;
          break;
        case PadValue::kEdge:
          value = row[static_cast<std::size_t>(segment.real_frames - 1)];
          break;
        case PadValue::kNumber:
          value = normalised(b, given.settings.pad_number);
          break;
      }
    }
  }
  return out;
}

inline void naive_scale(Matrix& matrix, Scaling scaling) {
  if (scaling == Scaling::kNone) return;
  std::vector<double> all;
  for (const std::vector<double>& row : matrix) all.insert(all.end(), row.begin(), row.end());
  const double low = *std::min_element(all.begin(), all.end());
  const double high = *std::max_element(all.begin(), all.end());
  double mean = 0, variance = 0;
  for (const double value : all) mean += value / static_cast<double>(all.size());
  for (const double value : all)
    variance += (value - mean) * (value - mean) / static_cast<double>(all.size());
  for (std::vector<double>& row : matrix) {
    for (double& value : row) {
      if (scaling == Scaling::kStandardise) {
        value = (value - mean) / std::max(std::sqrt(variance), 1e-5);
      } else {
        value = high > low ? (value - low) / (high - low) : 0;
        if (scaling == Scaling::kMinMax255) value *= 255;
      }
    }
  }
}

inline double naive_position(Resize resize, std::size_t i, std::size_t source, std::size_t out) {
  const double x = static_cast<double>(i), n = static_cast<double>(source), m = static_cast<double>(out);
  switch (resize) {
    case Resize::kNone:
      break;
    case Resize::kNearest:
      return std::floor(x * n / m + 1e-9);
    case Resize::kNearestExact:
      return std::floor((x + 0.5) * n / m + 1e-9);
    case Resize::kBilinear:
      return std::clamp((x + 0.5) * n / m - 0.5, 0.0, n - 1);
    case Resize::kBilinearCorners:
      return out == 1 ? 0 : x * (n - 1) / (m - 1);
  }
  return x;
}

inline Matrix naive_resize(const Matrix& from, Resize resize, std::size_t height, std::size_t width) {
  Matrix out(height, std::vector<double>(width));
  for (std::size_t h = 0; h < height; ++h) {
    for (std::size_t w = 0; w < width; ++w) {
      const double y = naive_position(resize, h, from.size(), height);
      const double x = naive_position(resize, w, from[0].size(), width);
      const auto value = [&](double at_y, double at_x) {
        return from[static_cast<std::size_t>(std::min(at_y, static_cast<double>(from.size() - 1)))]
                   [static_cast<std::size_t>(std::min(at_x, static_cast<double>(from[0].size() - 1)))];
      };
      const double y0 = std::floor(y), x0 = std::floor(x);
      out[h][w] = (y0 + 1 - y) * (x0 + 1 - x) * value(y0, x0) + (y0 + 1 - y) * (x - x0) * value(y0, x0 + 1) +
                  (y - y0) * (x0 + 1 - x) * value(y0 + 1, x0) + (y - y0) * (x - x0) * value(y0 + 1, x0 + 1);
    }
  }
  return out;
}

// The whole batch in the layout's order of axes.
inline std::vector<double> naive_gather(const SegmentCase& given) {
  const SegmentImage image = given.image();
  const auto C = static_cast<std::size_t>(image.channels);
  const auto H = static_cast<std::size_t>(image.height);
  const auto W = static_cast<std::size_t>(image.width);
  std::vector<double> out;
  for (const Segment& segment : given.index.segments) {
    std::vector<Matrix> channels;
    for (std::size_t c = 0; c < C; ++c) {
      Matrix matrix = naive_channel(given, segment, static_cast<std::int64_t>(c));
      naive_scale(matrix, given.settings.scaling);
      channels.push_back(naive_resize(matrix, given.settings.resize, H, W));
    }
    const auto put = [&](std::size_t c, std::size_t h, std::size_t w) { out.push_back(channels[c][h][w]); };
    switch (given.settings.layout) {
      case Layout::kChannelBandTime:
        for (std::size_t c = 0; c < C; ++c)
          for (std::size_t h = 0; h < H; ++h)
            for (std::size_t w = 0; w < W; ++w) put(c, h, w);
        break;
      case Layout::kChannelTimeBand:
        for (std::size_t c = 0; c < C; ++c)
          for (std::size_t w = 0; w < W; ++w)
            for (std::size_t h = 0; h < H; ++h) put(c, h, w);
        break;
      case Layout::kBandTimeChannel:
        for (std::size_t h = 0; h < H; ++h)
          for (std::size_t w = 0; w < W; ++w)
            for (std::size_t c = 0; c < C; ++c) put(c, h, w);
        break;
      case Layout::kTimeBandChannel:
        for (std::size_t w = 0; w < W; ++w)
          for (std::size_t h = 0; h < H; ++h)
            for (std::size_t c = 0; c < C; ++c) put(c, h, w);
        break;
    }
  }
  return out;
}

// Every combination of padding, resizing, scaling and layout, the last two in turn.
inline std::vector<ImageSettings> many_settings() {
  std::vector<ImageSettings> all;
  int turn = 0;
  for (const PadValue pad : {PadValue::kZero, PadValue::kMin, PadValue::kEdge, PadValue::kNumber}) {
    for (const Resize resize : {Resize::kNone, Resize::kNearest, Resize::kNearestExact, Resize::kBilinear,
                                Resize::kBilinearCorners}) {
      for (const Scaling scaling :
           {Scaling::kNone, Scaling::kMinMax1, Scaling::kMinMax255, Scaling::kStandardise}) {
        ImageSettings s;
        s.channels = turn % 4 == 3 ? 1 : turn % 4 == 2 ? 2 : 3;
        s.layout = static_cast<Layout>(turn / 4 % 4);
        s.pad_value = pad;
        s.pad_number = -35;
        s.resize = resize;
        s.height = resize == Resize::kNone ? 0 : 1 + turn % 7;
        s.width = resize == Resize::kNone ? 0 : 1 + turn % 11;
        s.scaling = scaling;
        all.push_back(s);
        ++turn;
      }
    }
  }
  return all;
}

}  // namespace serval::features::testing_support
