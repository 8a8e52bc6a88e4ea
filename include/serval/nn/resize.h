// Images made larger or smaller, as PyTorch's interpolate with align_corners false.
//
// Result o of `out` along an axis lies at (o + 0.5) * in / out - 0.5 of the input's `in`, not before 0. Bilinear takes the
// two inputs beside that place (the last one twice, at the end), nearest takes input floor(o * in / out), in whole
// numbers.
#pragma once

#include "serval/core/portable_op.h"

namespace serval::nn {

struct ResizeAxis {
  std::int64_t in = 1, out = 1;
  bool nearest = false;

  struct Taps {
    std::int64_t low, high;
    float share;  // of high
  };
  SERVAL_HD Taps taps(std::int64_t o) const {
    if (nearest) {
      const std::int64_t place = o * in / out;
      return {place, place, 0.0f};
    }
    double place = (static_cast<double>(o) + 0.5) * static_cast<double>(in) / static_cast<double>(out) - 0.5;
    if (place < 0) place = 0;
    const auto low = static_cast<std::int64_t>(place);
    return {low, low + 1 < in ? low + 1 : low, static_cast<float>(place - static_cast<double>(low))};
  }
  // How much of input i is in result o.
  SERVAL_HD float weight(std::int64_t o, std::int64_t i) const {
    const Taps t = taps(o);
    return (t.low == i ? 1 - t.share : 0.0f) + (t.high == i ? t.share : 0.0f);
  }
  // Results outside these do not read input i.
  SERVAL_HD std::int64_t first_reader(std::int64_t i) const {
    const std::int64_t first = (i - 1) * out / in - 2;
    return i == 0 || first < 0 ? 0 : first;
  }
  SERVAL_HD std::int64_t last_reader(std::int64_t i) const {
    const std::int64_t last = (i + 2) * out / in + 1;
    return last >= out ? out - 1 : last;
  }
};

struct ResizeArgs {
  std::int64_t images = 0;  // channels of all items
  ResizeAxis height, width;
  ConstTensorView x;  // [images, height.in, width.in]
  TensorView y;       // [images, height.out, width.out]

  void check() const {
    SERVAL_CHECK(x.size() == images * height.in * width.in && y.size() == images * height.out * width.out,
                 "resize ", to_string(x.shape), " to ", to_string(y.shape));
  }
  SERVAL_HD std::int64_t teams() const { return images * height.out; }
  template <class Team>
  SERVAL_HD void work(const Team& team, std::int64_t index) const {
    const ResizeAxis::Taps rows = height.taps(index % height.out);
    const float* image = x.data + index / height.out * height.in * width.in;
    const float* low = image + rows.low * width.in;
    const float* high = image + rows.high * width.in;
    for (std::int64_t o = team.rank(); o < width.out; o += team.size()) {
      const ResizeAxis::Taps columns = width.taps(o);
      const float upper = low[columns.low] * (1 - columns.share) + low[columns.high] * columns.share;
      const float lower = high[columns.low] * (1 - columns.share) + high[columns.high] * columns.share;
      y.data[index * width.out + o] = upper * (1 - rows.share) + lower * rows.share;
    }
  }
};
struct Resize : PortableOp<ResizeArgs> {
  static constexpr const char* kName = "resize";
};

struct ResizeBackwardArgs {
  std::int64_t images = 0;
  ResizeAxis height, width;
  ConstTensorView dy;
  TensorView dx;

  void check() const {
    SERVAL_CHECK(dx.size() == images * height.in * width.in && dy.size() == images * height.out * width.out,
                 "resize_backward ", to_string(dx.shape));
  }
  SERVAL_HD std::int64_t teams() const { return images * height.in; }
  template <class Team>
  SERVAL_HD void work(const Team& team, std::int64_t index) const {
    const std::int64_t row = index % height.in;
    const float* image = dy.data + index / height.in * height.out * width.out;
    for (std::int64_t column = team.rank(); column < width.in; column += team.size()) {
      float sum = 0;
      for (std::int64_t r = height.first_reader(row); r <= height.last_reader(row); ++r) {
        const float of_row = height.weight(r, row);
        if (of_row == 0) continue;
        float part = 0;
        for (std::int64_t c = width.first_reader(column); c <= width.last_reader(column); ++c)
          part += width.weight(c, column) * image[r * width.out + c];
        sum += of_row * part;
      }
      dx.data[index * width.in + column] = sum;
    }
  }
};
struct ResizeBackward : PortableOp<ResizeBackwardArgs> {
  static constexpr const char* kName = "resize_backward";
};

template <class List>
void list_resize_ops(List& list) {
  list.template op<Resize>();
  list.template op<ResizeBackward>();
}

}  // namespace serval::nn
