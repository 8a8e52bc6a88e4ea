// What is done to the items of a training batch after they were gathered, [time, batch, feature]. Random numbers name
// the step (by the stream) and the item (by its number), so that an item does not depend on those beside it, but for
// the one that it is mixed with.
#pragma once

#include <cmath>

#include "serval/core/philox.h"
#include "serval/core/portable_op.h"

namespace serval::nn {

// A spectrum over time that is read at another speed and with its bands moved: of each item, its lengths_in steps become
// `lengths` ones, and band k is read at k * factor, factor uniform in [1 - band_stretch, 1 + band_stretch], which on a mel scale is
// near to a longer or shorter vocal tract. Straight lines between steps and between bands; past the last band the last.
//   y[t, b, f] = x at step (t + 0.5) lengths_in[b] / lengths[b] - 0.5 and band f % bands * factor   for t < lengths[b], else 0
struct StretchSpectrumArgs {
  std::int64_t time_in = 0, time = 0, batch = 0, feature = 0;
  ConstTensorView x;                    // [time_in, batch, feature]
  TensorView y;                         // [time, batch, feature]
  View<const std::int32_t> lengths_in;  // [batch]
  View<const std::int32_t> lengths;     // [batch]
  View<const std::int64_t> items;       // [batch]
  RandomStream random;
  float band_stretch = 0;
  std::int64_t bands = 0;

  void check() const {
    SERVAL_CHECK(x.size() == time_in * batch * feature && y.size() == time * batch * feature &&
                     x.data != y.data && lengths_in.size() == batch && lengths.size() == batch &&
                     items.size() == batch,
                 "stretching ", to_string(x.shape), " into ", to_string(y.shape));
    SERVAL_CHECK(bands >= 1 && feature % bands == 0, bands, " bands of ", feature, " features");
  }
  SERVAL_HD std::int64_t count() const { return y.size(); }
  SERVAL_HD void at(std::int64_t i) const {
    const std::int64_t f = i % feature;
    const std::int64_t b = i / feature % batch;
    const std::int64_t t = i / (feature * batch);
    if (t >= lengths.data[b]) {
      y.data[i] = 0;
      return;
    }
    const Place step = step_of(b, t);
    const std::int64_t band = f % bands;
    const Place moved = band_of(band, factor(b));
    const float* item = x.data + b * feature + f - band;
    const float low = moved.value(item + step.at * batch * feature);
    const float high = moved.value(item + step.next * batch * feature);
    y.data[i] = between(low, high, step.share);
  }

  // Between `at` and `next`, `share` of the way.
  struct Place {
    std::int64_t at, next;
    float share;
    SERVAL_HD float value(const float* row) const { return between(row[at], row[next], share); }
  };
  SERVAL_HD static float between(float low, float high, float share) { return low + share * (high - low); }
  SERVAL_HD Place step_of(std::int64_t b, std::int64_t t) const {
    const float rate = static_cast<float>(lengths_in.data[b]) / static_cast<float>(lengths.data[b]);
    return place((static_cast<float>(t) + 0.5f) * rate - 0.5f, lengths_in.data[b]);
  }
  SERVAL_HD float factor(std::int64_t b) const {
    const float drawn = random.uniform(static_cast<std::uint64_t>(items.data[b]));
    return 1 + band_stretch * (2 * drawn - 1);
  }
  SERVAL_HD Place band_of(std::int64_t band, float factor) const {
    return place(static_cast<float>(band) * factor, bands);
  }

 private:
  SERVAL_HD static Place place(float where, std::int64_t count) {
    const float last = static_cast<float>(count - 1);
    const float inside = where < 0 ? 0 : where > last ? last : where;
    const auto at = static_cast<std::int64_t>(inside);
    return {at, at + 1 < count ? at + 1 : at, inside - static_cast<float>(at)};
  }
};
struct StretchSpectrum : PortableOp<StretchSpectrumArgs> {
  static constexpr const char* kName = "stretch_spectrum";
};

// SpecAugment's masks (Park et al., 2019): of each item, `time_masks` runs of at most min(time_width, time_share *
// length) steps and `band_masks` runs of at most band_width of its bands become 0, which is the training recordings'
// mean where features are normalised, or the item's own mean of that feature. Widths are uniform from 0 to the most,
// places uniform. Features are bands, several times over: feature f belongs to band f % bands.
struct MaskSpectrumArgs {
  std::int64_t time = 0, batch = 0, feature = 0;
  TensorView x;                      // [time, batch, feature]
  View<const std::int32_t> lengths;  // [batch]
  View<const std::int64_t> items;    // [batch]
  RandomStream random;
  std::int64_t time_masks = 0, time_width = 0;
  float time_share = 1;
  std::int64_t band_masks = 0, band_width = 0, bands = 0;
  bool fill_mean = false;

  void check() const {
    SERVAL_CHECK(x.size() == time * batch * feature && lengths.size() == batch && items.size() == batch,
                 "masks of ", to_string(x.shape));
    SERVAL_CHECK(bands >= 1 && feature % bands == 0, bands, " bands of ", feature, " features");
  }
  SERVAL_HD std::int64_t teams() const { return batch; }
  template <class Team>
  SERVAL_HD void work(const Team& team, std::int64_t b) const {
    const std::int64_t length = lengths.data[b];
    const auto share = static_cast<std::int64_t>(time_share * static_cast<float>(length));
    const std::int64_t widest_time = time_width < share ? time_width : share;
    const std::int64_t widest_band = band_width < bands ? band_width : bands;
    for (std::int64_t f = team.rank(); f < feature; f += team.size()) {
      float* column = x.data + b * feature + f;
      const float fill = fill_mean ? mean(column, length) : 0.0f;
      for (std::int64_t m = 0; m < time_masks; ++m) {
        const Run run = draw(b, m, widest_time, length);
        for (std::int64_t t = run.first; t < run.end; ++t) column[t * batch * feature] = fill;
      }
      for (std::int64_t m = 0; m < band_masks; ++m) {
        const Run run = draw(b, time_masks + m, widest_band, bands);
        if (f % bands < run.first || f % bands >= run.end) continue;
        for (std::int64_t t = 0; t < length; ++t) column[t * batch * feature] = fill;
      }
    }
  }

 private:
  struct Run {
    std::int64_t first, end;
  };
  SERVAL_HD Run draw(std::int64_t b, std::int64_t mask, std::int64_t widest, std::int64_t room) const {
    const std::uint64_t index =
        2 * static_cast<std::uint64_t>(items.data[b] * (time_masks + band_masks) + mask);
    const auto width = static_cast<std::int64_t>(random.below(index, static_cast<std::uint32_t>(widest + 1)));
    const auto first =
        static_cast<std::int64_t>(random.below(index + 1, static_cast<std::uint32_t>(room - width + 1)));
    return {first, first + width};
  }
  SERVAL_HD float mean(const float* column, std::int64_t length) const {
    double sum = 0;
    for (std::int64_t t = 0; t < length; ++t) sum += static_cast<double>(column[t * batch * feature]);
    return static_cast<float>(sum / static_cast<double>(length));
  }
};
struct MaskSpectrum : PortableOp<MaskSpectrumArgs> {
  static constexpr const char* kName = "mask_spectrum";
};

// y[t, b] = share[b] x[t, b] + (1 - share[b]) x[t, b + 1], the last one with the first, for t < lengths[b], else 0.
// Steps that the other does not have count as 0, which is what stands there after gathering.
struct MixNeighboursArgs {
  std::int64_t time = 0, batch = 0, feature = 0;
  ConstTensorView x;                 // [time, batch, feature]
  TensorView y;                      // [time, batch, feature]
  View<const std::int32_t> lengths;  // [batch]
  ConstTensorView shares;            // [batch]

  void check() const {
    SERVAL_CHECK(x.size() == time * batch * feature && y.size() == x.size() && x.data != y.data &&
                     lengths.size() == batch && shares.size() == batch,
                 "mixing ", to_string(x.shape), " into ", to_string(y.shape));
  }
  SERVAL_HD std::int64_t count() const { return y.size(); }
  SERVAL_HD void at(std::int64_t i) const {
    const std::int64_t b = i / feature % batch;
    const std::int64_t t = i / (feature * batch);
    const std::int64_t other = b + 1 < batch ? i + feature : i - b * feature;
    const float share = shares.data[b];
    y.data[i] = t < lengths.data[b] ? share * x.data[i] + (1 - share) * x.data[other] : 0.0f;
  }
};
struct MixNeighbours : PortableOp<MixNeighboursArgs> {
  static constexpr const char* kName = "mix_neighbours";
};

// x[t, b, f] += deviation * a normal number, for t < lengths[b].
struct AddNoiseArgs {
  std::int64_t time = 0, batch = 0, feature = 0;
  std::int64_t item_stride = 0;      // above time * feature of every item: each has its own numbers
  TensorView x;                      // [time, batch, feature]
  View<const std::int32_t> lengths;  // [batch]
  View<const std::int64_t> items;    // [batch]
  RandomStream random;
  float deviation = 0;

  void check() const {
    SERVAL_CHECK(x.size() == time * batch * feature && lengths.size() == batch && items.size() == batch &&
                     item_stride >= time * feature,
                 "noise on ", to_string(x.shape));
  }
  SERVAL_HD std::int64_t count() const { return x.size(); }
  SERVAL_HD void at(std::int64_t i) const {
    const std::int64_t f = i % feature;
    const std::int64_t b = i / feature % batch;
    const std::int64_t t = i / (feature * batch);
    if (t >= lengths.data[b]) return;
    // Two of a block's four numbers for each value: Box and Muller's pair.
    const auto index = static_cast<std::uint64_t>(items.data[b] * item_stride + t * feature + f);
    const PhiloxBlock block = random.block(index / 2);
    const int half = index % 2 == 0 ? 0 : 2;
    const float radius =
        sqrtf(-2 * logf(RandomStream::uniform_of(block.value[half]) + 0x1p-25f));  // never log 0
    x.data[i] += deviation * radius * cosf(6.2831853f * RandomStream::uniform_of(block.value[half + 1]));
  }
};
struct AddNoise : PortableOp<AddNoiseArgs> {
  static constexpr const char* kName = "add_noise";
};

}  // namespace serval::nn
