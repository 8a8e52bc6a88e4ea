#include <algorithm>
#include <vector>

#include "serval/core/parallel.h"
#include "serval/features/detail/segment_math.h"

namespace serval::features {

namespace {

// One channel of a segment before it is resized: [band, frame].
struct Channel {
  std::int64_t bands = 0;
  std::int64_t frames = 0;
  std::vector<float> values;

  void read(detail::SegmentSource source, std::int64_t band_count, std::int64_t frame_count) {
    bands = band_count;
    frames = frame_count;
    values.resize(static_cast<std::size_t>(bands * frames));
    if (source.pad_value == PadValue::kMin && frames > source.real_frames) {
      source.minimum = source.real(0, 0);
      for (std::int64_t t = 0; t < source.real_frames; ++t) {
        for (std::int64_t b = 0; b < bands; ++b) source.minimum = std::min(source.minimum, source.real(b, t));
      }
    }
    for (std::int64_t t = 0; t < frames; ++t) {
      for (std::int64_t b = 0; b < bands; ++b)
        values[static_cast<std::size_t>(b * frames + t)] = source.at(b, t);
    }
  }

  detail::Affine affine(Scaling scaling) const {
    if (scaling == Scaling::kNone) return {};
    if (scaling != Scaling::kStandardise) {
      const auto [low, high] = std::minmax_element(values.begin(), values.end());
      return detail::min_max(*low, *high, scaling);
    }
    const double count = static_cast<double>(values.size());
    double sum = 0;
    for (const float value : values) sum += static_cast<double>(value);
    const double mean = sum / count;
    double squares = 0;
    for (const float value : values) {
      const double distance = static_cast<double>(value) - mean;
      squares += distance * distance;
    }
    return detail::standardise(mean, squares / count);
  }
};

std::vector<detail::Tap> taps(Resize resize, std::int64_t source, std::int64_t out) {
  std::vector<detail::Tap> all;
  for (std::int64_t i = 0; i < out; ++i) all.push_back(detail::resize_tap(resize, i, source, out));
  return all;
}

void gather_one(const GatherSegmentsArgs& args, std::int64_t segment) {
  const SegmentImage& image = args.image;
  const std::int64_t frames = args.frames.data[segment];
  const std::int64_t real = args.real_frames.data[segment];
  const std::int64_t start = args.starts.data[segment];
  const std::int64_t rows = (args.values.size() + args.more_values.size()) / (image.channels * image.bands);
  SERVAL_CHECK(real >= 1 && real <= frames && start >= 0 && start + real <= rows, "segment ", segment, " is ",
               real, " of ", frames, " frames from ", start, " of ", rows);
  SERVAL_CHECK(image.resize != Resize::kNone || frames == image.width && image.bands == image.height,
               "segment ", segment, " of ", image.bands, " x ", frames, " is not resized to ", image.height,
               " x ", image.width);
  const std::vector<detail::Tap> across = taps(image.resize, frames, image.width);
  Channel channel;
  float* const out = args.x.data + segment * image.channels * image.height * image.width;
  for (std::int64_t c = 0; c < image.channels; ++c) {
    channel.read(detail::segment_source(args, segment, c), image.bands, frames);
    const detail::Affine affine = channel.affine(image.scaling);
    for (float& value : channel.values) value = affine(value);
    for (std::int64_t h = 0; h < image.height; ++h) {
      const detail::Tap down = detail::resize_tap(image.resize, h, image.bands, image.height);
      const float* const upper = channel.values.data() + down.low * frames;
      const float* const lower = channel.values.data() + down.high * frames;
      for (std::int64_t w = 0; w < image.width; ++w) {
        const detail::Tap& tap = across[static_cast<std::size_t>(w)];
        out[detail::pixel_index(image, c, h, w)] =
            detail::between(detail::between(upper[tap.low], upper[tap.high], tap.weight),
                            detail::between(lower[tap.low], lower[tap.high], tap.weight), down.weight);
      }
    }
  }
}

void gather_segments(const Context& context, const GatherSegmentsArgs& args) {
  detail::check_gather(args);
  parallel_for(static_cast<std::size_t>(args.segments), context.threads(),
               [&](std::size_t segment) { gather_one(args, static_cast<std::int64_t>(segment)); });
}

}  // namespace

void register_segment_cpu_ops(OpRegistry& registry) {
  registry.add<GatherSegments>(DeviceKind::kCpu, gather_segments);
}

}  // namespace serval::features
