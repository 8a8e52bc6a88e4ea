// Images unfolded for a matrix product, what goes back, and what stands behind one: bias and activation by channel.
#pragma once

#include "serval/core/portable_op.h"
#include "serval/nn/conv.h"
#include "serval/nn/detail/activation.h"

namespace serval::nn {

// columns [group_in * taps, out_pixels] of one image and group: what each result reads, 0 outside the image.
struct UnfoldImageArgs {
  ConvShape shape;
  ConstTensorView x;  // [batch, in, height, width]
  TensorView columns;
  std::int64_t image = 0, group = 0;

  void check() const {
    SERVAL_CHECK(x.size() == shape.input_size() && columns.size() == count(), "unfold_image ",
                 to_string(x.shape), " to ", to_string(columns.shape));
  }
  SERVAL_HD std::int64_t count() const { return shape.group_in() * shape.taps() * shape.out_pixels(); }
  SERVAL_HD void at(std::int64_t index) const {
    const std::int64_t pixel = index % shape.out_pixels();
    const std::int64_t p = index / shape.out_pixels();
    const std::int64_t tap = p % shape.taps();
    const std::int64_t i = pixel / shape.out_width() * shape.stride_height - shape.top +
                           tap / shape.kernel_width * shape.dilation_height;
    const std::int64_t j = pixel % shape.out_width() * shape.stride_width - shape.left +
                           tap % shape.kernel_width * shape.dilation_width;
    const bool inside = i >= 0 && i < shape.height && j >= 0 && j < shape.width;
    const std::int64_t channel = image * shape.in_channels + group * shape.group_in() + p / shape.taps();
    columns.data[index] = inside ? x.data[channel * shape.pixels() + i * shape.width + j] : 0.0f;
  }
};
struct UnfoldImage : PortableOp<UnfoldImageArgs> {
  static constexpr const char* kName = "unfold_image";
};

// dx of that image and group: for each pixel the sum over the taps that read it; overwritten.
struct FoldImageArgs {
  ConvShape shape;
  ConstTensorView columns;
  TensorView dx;
  std::int64_t image = 0, group = 0;

  void check() const {
    SERVAL_CHECK(dx.size() == shape.input_size() &&
                     columns.size() == shape.group_in() * shape.taps() * shape.out_pixels(),
                 "fold_image ", to_string(columns.shape), " to ", to_string(dx.shape));
  }
  SERVAL_HD std::int64_t count() const { return shape.group_in() * shape.pixels(); }
  SERVAL_HD void at(std::int64_t index) const {
    const std::int64_t c = index / shape.pixels();
    const std::int64_t y = index % shape.pixels() / shape.width + shape.top;
    const std::int64_t x = index % shape.width + shape.left;
    float sum = 0;
    for (std::int64_t tap = 0; tap < shape.taps(); ++tap) {
      const std::int64_t i = y - tap / shape.kernel_width * shape.dilation_height;
      const std::int64_t j = x - tap % shape.kernel_width * shape.dilation_width;
      if (i < 0 || j < 0 || i % shape.stride_height != 0 || j % shape.stride_width != 0) continue;
      const std::int64_t row = i / shape.stride_height;
      const std::int64_t column = j / shape.stride_width;
      if (row >= shape.out_height() || column >= shape.out_width()) continue;
      sum += columns.data[(c * shape.taps() + tap) * shape.out_pixels() + row * shape.out_width() + column];
    }
    dx.data[(image * shape.in_channels + group * shape.group_in() + c) * shape.pixels() +
            index % shape.pixels()] = sum;
  }
};
struct FoldImage : PortableOp<FoldImageArgs> {
  static constexpr const char* kName = "fold_image";
};

// Planes with zeros around them; with `crop` the way back, which drops what is around.
struct PadImagesArgs {
  std::int64_t planes = 0, height = 0, width = 0, padded_height = 0, padded_width = 0;
  std::int64_t top = 0, left = 0;
  ConstTensorView from = {};  // [planes, height, width]
  TensorView to = {};         // [planes, padded_height, padded_width]; with crop the other way round
  bool crop = false;

  void check() const {
    SERVAL_CHECK(to.size() == count() &&
                     from.size() + to.size() == planes * (height * width + padded_height * padded_width),
                 "pad_images ", to_string(from.shape), " to ", to_string(to.shape));
  }
  SERVAL_HD std::int64_t count() const {
    return planes * (crop ? height * width : padded_height * padded_width);
  }
  SERVAL_HD void at(std::int64_t i) const {
    const std::int64_t columns = crop ? width : padded_width;
    const std::int64_t rows = crop ? height : padded_height;
    const std::int64_t plane = i / (rows * columns);
    const std::int64_t y = i / columns % rows;
    const std::int64_t x = i % columns;
    if (crop) {
      to.data[i] = from.data[(plane * padded_height + y + top) * padded_width + x + left];
      return;
    }
    const bool inside = y >= top && y < top + height && x >= left && x < left + width;
    to.data[i] = inside ? from.data[(plane * height + y - top) * width + x - left] : 0.0f;
  }
};
struct PadImages : PortableOp<PadImagesArgs> {
  static constexpr const char* kName = "pad_images";
};

// y[n, c, p] = f(y[n, c, p] + bias[c]), in place; bias may be empty.
struct ChannelBiasActivationArgs {
  std::int64_t images = 0, channels = 0, pixels = 0;
  TensorView y;
  ConstTensorView bias;
  Activation activation = Activation::kNone;

  void check() const {
    SERVAL_CHECK(y.size() == teams() * pixels && (bias.empty() || bias.size() == channels),
                 "channel_bias_activation ", to_string(y.shape), " with ", channels, " channels");
  }
  SERVAL_HD std::int64_t teams() const { return images * channels; }
  SERVAL_HD std::int64_t items() const { return pixels; }
  template <class Team>
  SERVAL_HD void work(const Team& team, std::int64_t plane) const {
    const float shift = bias.data == nullptr ? 0.0f : bias.data[plane % channels];
    float* values = y.data + plane * pixels;
    for (std::int64_t i = team.rank(); i < pixels; i += team.size())
      values[i] = detail::activate(activation, values[i] + shift);
  }
};
struct ChannelBiasActivation : PortableOp<ChannelBiasActivationArgs> {
  static constexpr const char* kName = "channel_bias_activation";
};

// sums[c] += sum over n and p of x[n, c, p], added in double.
struct ChannelSumArgs {
  std::int64_t images = 0, channels = 0, pixels = 0;
  ConstTensorView x;
  TensorView sums;

  void check() const {
    SERVAL_CHECK(x.size() == images * channels * pixels && sums.size() == channels, "channel_sum ",
                 to_string(x.shape), " to ", to_string(sums.shape));
  }
  SERVAL_HD std::int64_t teams() const { return channels; }
  SERVAL_HD std::int64_t items() const { return images * pixels; }
  template <class Team>
  SERVAL_HD void work(const Team& team, std::int64_t c) const {
    constexpr int kAtOnce = 4;  // so many loads are under way
    double sums_at_once[kAtOnce] = {};
    const std::int64_t step = team.size();
    for (std::int64_t n = 0; n < images; ++n) {
      const float* plane = x.data + (n * channels + c) * pixels;
      std::int64_t i = team.rank();
      for (; i + (kAtOnce - 1) * step < pixels; i += kAtOnce * step) {
        for (int k = 0; k < kAtOnce; ++k) sums_at_once[k] += static_cast<double>(plane[i + k * step]);
      }
      for (; i < pixels; i += step) sums_at_once[0] += static_cast<double>(plane[i]);
    }
    const double sum = team.sum((sums_at_once[0] + sums_at_once[1]) + (sums_at_once[2] + sums_at_once[3]));
    if (team.rank() == 0) sums.data[c] += static_cast<float>(sum);
  }
};
struct ChannelSum : PortableOp<ChannelSumArgs> {
  static constexpr const char* kName = "channel_sum";
};

template <class List>
void list_unfold_ops(List& list) {
  list.template op<UnfoldImage>();
  list.template op<FoldImage>();
  list.template op<PadImages>();
  list.template op<ChannelBiasActivation>();
  list.template op<ChannelSum>();
}

}  // namespace serval::nn
