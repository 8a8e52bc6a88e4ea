#include "serval/features/segment_image.h"

#include "serval/core/error.h"

namespace serval::features {

namespace {

void check_side(const char* side, std::int64_t pixels) {
  if (pixels > kMaxImageSide)
    throw ConfigError(
        cat(side, ": ", pixels, " are more than the ", kMaxImageSide, " that an image may have; resize it"));
}

}  // namespace

SegmentImage segment_image(const ImageSettings& settings, std::int64_t dimension, std::int64_t frames) {
  SERVAL_CHECK(dimension > 0 && frames > 0, "dimension ", dimension, ", frames ", frames);
  if (dimension % settings.channels != 0) {
    throw ConfigError(cat("channels: ", dimension, " columns cannot be split into ", settings.channels,
                          " channels of as many bands each"));
  }
  SegmentImage image;
  image.layout = settings.layout;
  image.pad_value = settings.pad_value;
  image.pad_number = static_cast<float>(settings.pad_number);
  image.resize = settings.resize;
  image.scaling = settings.scaling;
  image.channels = settings.channels;
  image.bands = dimension / settings.channels;
  const bool resized = settings.resize != Resize::kNone;
  image.height = resized && settings.height > 0 ? settings.height : image.bands;
  image.width = resized && settings.width > 0 ? settings.width : frames;
  check_side("height", image.height);
  check_side("width", image.width);
  return image;
}

SegmentImage fitted_image(const ImageSettings& settings, std::int64_t dimension, const FitSettings& fit) {
  if (settings.resize != Resize::kNone)
    throw ConfigError("resize: must be \"none\" beside \"fit\", which says how time is resized");
  ImageSettings image = settings;
  switch (fit.fit) {
    case Fit::kPadOrCut:
      break;
    case Fit::kNearest:
      image.resize = Resize::kNearest;
      break;
    case Fit::kNearestExact:
      image.resize = Resize::kNearestExact;
      break;
    case Fit::kBilinear:
      image.resize = Resize::kBilinear;
      break;
  }
  image.height = 0;
  image.width = fit.frames;
  return segment_image(image, dimension, fit.frames);
}

Shape batch_shape(const SegmentImage& image, std::int64_t segments) {
  switch (image.layout) {
    case Layout::kChannelBandTime:
      break;
    case Layout::kChannelTimeBand:
      return {segments, image.channels, image.width, image.height};
    case Layout::kBandTimeChannel:
      return {segments, image.height, image.width, image.channels};
    case Layout::kTimeBandChannel:
      return {segments, image.width, image.height, image.channels};
  }
  return {segments, image.channels, image.height, image.width};
}

Shape item_shape(const SegmentImage& image) {
  const Shape batch = batch_shape(image, 1);
  Shape item;
  for (int axis = 1; axis < batch.rank(); ++axis) item.append(batch[axis]);
  return item;
}

SegmentTable segment_table(const SegmentIndex& index, const std::vector<std::int64_t>& offsets,
                           const Device& device) {
  SERVAL_CHECK(index.offsets.size() == offsets.size(), index.offsets.size(), " segment offsets, ",
               offsets.size(), " frame offsets");
  std::vector<std::int64_t> starts;
  std::vector<std::int32_t> real_frames, frames;
  for (const Segment& segment : index.segments) {
    const auto r = static_cast<std::size_t>(segment.recording);
    SERVAL_CHECK(segment.first_frame + segment.real_frames <= offsets[r + 1] - offsets[r],
                 "segment of frames ", segment.first_frame, " + ", segment.real_frames, " in recording ", r,
                 " of ", offsets[r + 1] - offsets[r]);
    starts.push_back(offsets[r] + segment.first_frame);
    real_frames.push_back(static_cast<std::int32_t>(segment.real_frames));
    frames.push_back(static_cast<std::int32_t>(segment.frames));
  }
  return {Array<std::int64_t>::from_host(device, starts), Array<std::int32_t>::from_host(device, real_frames),
          Array<std::int32_t>::from_host(device, frames)};
}

}  // namespace serval::features
