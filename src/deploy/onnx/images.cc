// Segments as images, as features/segment_image.h makes them: normalised, padded, scaled, resized.
#include "serval/core/error.h"
#include "serval/features/detail/segment_math.h"

#include "items.h"

namespace serval::deploy::onnx {

using features::Layout;
using features::PadValue;
using features::Resize;
using features::Scaling;
using features::SegmentImage;

namespace {

class ImageWriter {
 public:
  ImageWriter(Graph& graph, const SegmentImage& image, const ItemFrames& items)
      : g_(graph), image_(image), items_(items) {
    places_ = unsqueeze(g_, range(g_, size_of(g_, items.values, 1)), {0});
  }

  Name write(const NamedArray& mean, const NamedArray& scale) {
    const std::int64_t columns = image_.channels * image_.bands;
    const Name means = g_.floats({columns}, mean.values), scales = g_.floats({columns}, scale.values);
    Name x = multiply(g_, subtract(g_, items_.values, means), scales);  // [item, frame, column]
    x = where(g_, before(items_.real), x, padding(x, means, scales));
    // [item, frame, channel, band]
    x = scaled(reshape(g_, x, {0, 0, image_.channels, image_.bands}));
    x = along_bands(along_time(x));
    return transpose(g_, x, image_.layout == Layout::kChannelTimeBand ? Ints{0, 2, 1, 3} : Ints{0, 2, 3, 1});
  }

 private:
  // Frames before `end` [item]: bool [item, frame, 1].
  Name before(const Name& end) { return unsqueeze(g_, less(g_, places_, unsqueeze(g_, end, {1})), {2}); }

  Name padding(const Name& x, const Name& means, const Name& scales) {
    switch (image_.pad_value) {
      case PadValue::kZero:
        break;
      case PadValue::kNumber:
        return multiply(g_, subtract(g_, g_.number(image_.pad_number), means), scales);
      case PadValue::kEdge:
        return gather_rows(g_, x, unsqueeze(g_, subtract(g_, items_.real, g_.integer(1)), {1}));
      case PadValue::kMin: {
        const Name kept = where(g_, before(items_.real), x, g_.number(-kLowest));
        const Name split = reshape(g_, kept, {0, 0, image_.channels, image_.bands});
        const Name least = reduce(g_, "ReduceMin", split, {1, 3}, true);  // [item, 1, channel, 1]
        const Name shape = g_.integers({1, 1, image_.channels, image_.bands});
        return reshape(g_, g_.op("Expand", {least, shape}), {0, 1, -1});
      }
    }
    return g_.number(0);
  }

  // Of each channel, over all bands and frames, padding included.
  Name scaled(const Name& x) {
    if (image_.scaling == Scaling::kNone) return x;
    const Name there = unsqueeze(g_, before(items_.frames), {3});
    const auto over = [&](const char* op, float outside) {
      return reduce(g_, op, where(g_, there, x, g_.number(outside)), {1, 3}, true);
    };
    if (image_.scaling != Scaling::kStandardise) {
      const Name low = over("ReduceMin", -kLowest);
      const Name range = subtract(g_, over("ReduceMax", kLowest), low);
      const Name flat = g_.op("Not", {g_.op("Greater", {range, g_.number(0)})});
      const Name top = g_.number(image_.scaling == Scaling::kMinMax255 ? 255.0f : 1.0f);
      const Name gain = where(g_, flat, g_.number(0), divide(g_, top, where(g_, flat, g_.number(1), range)));
      return multiply(g_, subtract(g_, x, low), gain);
    }
    const Name count =
        multiply(g_, cast(g_, items_.frames, Element::kFloat), g_.number(static_cast<float>(image_.bands)));
    const auto mean = [&](const Name& values) {
      const Name total = sum(g_, where(g_, there, values, g_.number(0)), {1, 3}, true);
      return divide(g_, total, unsqueeze(g_, count, {1, 2, 3}));
    };
    const Name distance = subtract(g_, x, mean(x));
    const Name deviation = g_.op("Sqrt", {mean(multiply(g_, distance, distance))});
    return divide(g_, distance, larger(g_, deviation, g_.number(1e-5f)));
  }

  // Places of results along time: those of features::detail::resize_tap, each item by its own frames.
  Name along_time(const Name& x) {
    if (image_.resize == Resize::kNone) return x;
    const std::int64_t out = image_.width;
    Ints results;
    for (std::int64_t i = 0; i < out; ++i) results.push_back(i);
    const Name i = g_.table({1, out}, results);
    const Name n = unsqueeze(g_, items_.frames, {1});
    Name numerator;
    std::int64_t denominator = 1;
    switch (image_.resize) {
      case Resize::kNone:
        break;
      case Resize::kNearest:
        numerator = multiply(g_, i, n);
        denominator = out;
        break;
      case Resize::kNearestExact:
      case Resize::kBilinear: {
        const Name odd = add(g_, multiply(g_, i, g_.integer(2)), g_.integer(1));
        numerator = multiply(g_, odd, n);
        if (image_.resize == Resize::kBilinear)
          numerator = at_least(g_, subtract(g_, numerator, g_.integer(out)), 0);
        denominator = 2 * out;
        break;
      }
      case Resize::kBilinearCorners:
        numerator = multiply(g_, i, subtract(g_, n, g_.integer(1)));
        denominator = out > 1 ? out - 1 : 1;
        break;
    }
    const Name whole = g_.integer(denominator);
    const Name low = divide(g_, numerator, whole);
    const Name from = gather_rows(g_, x, low);
    if (!bilinear()) return from;
    const Name rest = subtract(g_, numerator, multiply(g_, low, whole));
    const Name high = smaller(g_, add(g_, low, g_.integer(1)), subtract(g_, n, g_.integer(1)));
    const Name weight =
        divide(g_, cast(g_, rest, Element::kFloat), g_.number(static_cast<float>(denominator)));
    const Name to = gather_rows(g_, x, high);
    return add(g_, from, multiply(g_, subtract(g_, to, from), unsqueeze(g_, weight, {2, 3})));
  }

  Name along_bands(const Name& x) {
    if (image_.resize == Resize::kNone) return x;
    const std::int64_t in = image_.bands, out = image_.height;
    std::vector<float> shares(static_cast<std::size_t>(in * out), 0.0f);
    for (std::int64_t i = 0; i < out; ++i) {
      const features::detail::Tap tap = features::detail::resize_tap(image_.resize, i, in, out);
      shares[static_cast<std::size_t>(tap.low * out + i)] += 1 - tap.weight;
      shares[static_cast<std::size_t>(tap.high * out + i)] += tap.weight;
    }
    return product(g_, x, g_.floats({in, out}, shares));
  }

  bool bilinear() const {
    return image_.resize == Resize::kBilinear || image_.resize == Resize::kBilinearCorners;
  }

  Graph& g_;
  const SegmentImage& image_;
  const ItemFrames& items_;
  Name places_;  // [1, frame]
};

}  // namespace

NetworkInput write_image(Graph& g, const SegmentImage& image, const ItemFrames& items, const NamedArray& mean,
                         const NamedArray& scale) {
  return {ImageWriter(g, image, items).write(mean, scale), ""};
}

}  // namespace serval::deploy::onnx
