// Pools of images: a window that moves over each channel, or one number for all of it.
#pragma once

#include <cmath>

#include "serval/core/portable_op.h"

namespace serval::nn {

// Result (i, j) of a plane sees rows i * stride_height - top + [0, kernel_height) of the input, and columns likewise.
struct PoolShape {
  std::int64_t planes = 0;  // images times channels
  std::int64_t height = 0, width = 0, out_height = 0, out_width = 0;
  std::int64_t kernel_height = 1, kernel_width = 1, stride_height = 1, stride_width = 1;
  std::int64_t top = 0, left = 0;
  bool count_padding = false;  // average: zeros around the image count

  SERVAL_HD std::int64_t pixels() const { return height * width; }
  SERVAL_HD std::int64_t out_pixels() const { return out_height * out_width; }
  bool apart() const {  // no pixel is seen twice
    return stride_height >= kernel_height && stride_width >= kernel_width;
  }
};

// What one result sees of the input: rows [y0, y1), columns [x0, x1).
struct PoolSpan {
  std::int64_t y0, y1, x0, x1;
  SERVAL_HD PoolSpan(const PoolShape& s, std::int64_t i, std::int64_t j)
      : y0(i * s.stride_height - s.top),
        y1(y0 + s.kernel_height < s.height ? y0 + s.kernel_height : s.height),
        x0(j * s.stride_width - s.left),
        x1(x0 + s.kernel_width < s.width ? x0 + s.kernel_width : s.width) {
    y0 = y0 > 0 ? y0 : 0;
    x0 = x0 > 0 ? x0 : 0;
  }
  SERVAL_HD float count(const PoolShape& s) const {
    return static_cast<float>(s.count_padding ? s.kernel_height * s.kernel_width : (y1 - y0) * (x1 - x0));
  }
};

// The results that see one pixel: rows [i0, i1), columns [j0, j1).
struct PoolReaders {
  std::int64_t i0, i1, j0, j1;
  SERVAL_HD PoolReaders(const PoolShape& s, std::int64_t y, std::int64_t x)
      : i0(first(y + s.top, s.kernel_height, s.stride_height)),
        i1(end(y + s.top, s.stride_height, s.out_height)),
        j0(first(x + s.left, s.kernel_width, s.stride_width)),
        j1(end(x + s.left, s.stride_width, s.out_width)) {}

 private:
  SERVAL_HD static std::int64_t first(std::int64_t place, std::int64_t kernel, std::int64_t stride) {
    return place < kernel ? 0 : (place - kernel) / stride + 1;
  }
  SERVAL_HD static std::int64_t end(std::int64_t place, std::int64_t stride, std::int64_t count) {
    const std::int64_t past = place / stride + 1;
    return past < count ? past : count;
  }
};

// y: the largest; places: which pixel of the plane it was: the first of equals, a NaN before any number.
struct MaxPool2dArgs {
  PoolShape shape;
  ConstTensorView x;          // [planes, height, width]
  TensorView y;               // [planes, out_height, out_width]
  View<std::int32_t> places;  // as y

  void check() const {
    SERVAL_CHECK(x.size() == shape.planes * shape.pixels() && y.size() == count() && places.size() >= count(),
                 "max_pool2d ", to_string(x.shape), " to ", to_string(y.shape));
  }
  SERVAL_HD std::int64_t count() const { return shape.planes * shape.out_pixels(); }
  SERVAL_HD void at(std::int64_t index) const {
    const float* plane = x.data + index / shape.out_pixels() * shape.pixels();
    const std::int64_t pixel = index % shape.out_pixels();
    const PoolSpan span(shape, pixel / shape.out_width, pixel % shape.out_width);
    std::int64_t place = span.y0 * shape.width + span.x0;
    for (std::int64_t row = span.y0; row < span.y1; ++row) {
      for (std::int64_t column = span.x0; column < span.x1; ++column) {
        const float value = plane[row * shape.width + column];
        if (value > plane[place] || value != value) place = row * shape.width + column;
      }
    }
    y.data[index] = plane[place];
    places.data[index] = static_cast<std::int32_t>(place);
  }
};
struct MaxPool2d : PortableOp<MaxPool2dArgs> {
  static constexpr const char* kName = "max_pool2d";
};

struct MaxPool2dBackwardArgs {
  PoolShape shape;
  ConstTensorView dy;
  View<const std::int32_t> places;
  TensorView dx;  // overwritten

  void check() const {
    SERVAL_CHECK(
        dx.size() == count() && dy.size() == shape.planes * shape.out_pixels() && places.size() >= dy.size(),
        "max_pool2d_backward ", to_string(dy.shape), " to ", to_string(dx.shape));
  }
  SERVAL_HD std::int64_t count() const { return shape.planes * shape.pixels(); }
  SERVAL_HD void at(std::int64_t index) const {
    const std::int64_t first = index / shape.pixels() * shape.out_pixels();
    const std::int64_t pixel = index % shape.pixels();
    const PoolReaders readers(shape, pixel / shape.width, pixel % shape.width);
    float sum = 0;
    for (std::int64_t i = readers.i0; i < readers.i1; ++i) {
      for (std::int64_t j = readers.j0; j < readers.j1; ++j) {
        const std::int64_t result = first + i * shape.out_width + j;
        if (places.data[result] == pixel) sum += dy.data[result];
      }
    }
    dx.data[index] = sum;
  }
};
struct MaxPool2dBackward : PortableOp<MaxPool2dBackwardArgs> {
  static constexpr const char* kName = "max_pool2d_backward";
};

// The same where windows stand apart: each result writes all of the plane from its window to the next ones.
struct MaxPool2dScatterArgs {
  PoolShape shape;
  ConstTensorView dy;
  View<const std::int32_t> places;
  TensorView dx;  // overwritten

  void check() const {
    SERVAL_CHECK(shape.apart() && dx.size() == shape.planes * shape.pixels() && dy.size() == count() &&
                     places.size() >= count(),
                 "max_pool2d_scatter ", to_string(dy.shape), " to ", to_string(dx.shape));
  }
  SERVAL_HD std::int64_t count() const { return shape.planes * shape.out_pixels(); }
  SERVAL_HD void at(std::int64_t index) const {
    float* plane = dx.data + index / shape.out_pixels() * shape.pixels();
    const std::int64_t i = index % shape.out_pixels() / shape.out_width;
    const std::int64_t j = index % shape.out_width;
    const std::int64_t y0 = begin(i, shape.out_height, shape.stride_height, shape.top, shape.height);
    const std::int64_t y1 = begin(i + 1, shape.out_height, shape.stride_height, shape.top, shape.height);
    const std::int64_t x0 = begin(j, shape.out_width, shape.stride_width, shape.left, shape.width);
    const std::int64_t x1 = begin(j + 1, shape.out_width, shape.stride_width, shape.left, shape.width);
    for (std::int64_t y = y0; y < y1; ++y)
      for (std::int64_t x = x0; x < x1; ++x) plane[y * shape.width + x] = 0;
    plane[places.data[index]] = dy.data[index];
  }

 private:
  // Where the part of result i of `count` begins along an axis; past the last one, where the axis ends.
  SERVAL_HD static std::int64_t begin(std::int64_t i, std::int64_t count, std::int64_t stride,
                                      std::int64_t before, std::int64_t size) {
    return i == 0 ? 0 : i == count ? size : i * stride - before;
  }
};
struct MaxPool2dScatter : PortableOp<MaxPool2dScatterArgs> {
  static constexpr const char* kName = "max_pool2d_scatter";
};

// y: the mean of the pixels that are there, or with zeros for those around the image (count_padding).
struct AveragePool2dArgs {
  PoolShape shape;
  ConstTensorView x;
  TensorView y;

  void check() const {
    SERVAL_CHECK(x.size() == shape.planes * shape.pixels() && y.size() == count(), "average_pool2d ",
                 to_string(x.shape), " to ", to_string(y.shape));
  }
  SERVAL_HD std::int64_t count() const { return shape.planes * shape.out_pixels(); }
  SERVAL_HD void at(std::int64_t index) const {
    const float* plane = x.data + index / shape.out_pixels() * shape.pixels();
    const std::int64_t pixel = index % shape.out_pixels();
    const PoolSpan span(shape, pixel / shape.out_width, pixel % shape.out_width);
    float sum = 0;
    for (std::int64_t row = span.y0; row < span.y1; ++row)
      for (std::int64_t column = span.x0; column < span.x1; ++column)
        sum += plane[row * shape.width + column];
    y.data[index] = sum / span.count(shape);
  }
};
struct AveragePool2d : PortableOp<AveragePool2dArgs> {
  static constexpr const char* kName = "average_pool2d";
};

struct AveragePool2dBackwardArgs {
  PoolShape shape;
  ConstTensorView dy;
  TensorView dx;  // overwritten

  void check() const {
    SERVAL_CHECK(dx.size() == count() && dy.size() == shape.planes * shape.out_pixels(),
                 "average_pool2d_backward ", to_string(dy.shape), " to ", to_string(dx.shape));
  }
  SERVAL_HD std::int64_t count() const { return shape.planes * shape.pixels(); }
  SERVAL_HD void at(std::int64_t index) const {
    const std::int64_t first = index / shape.pixels() * shape.out_pixels();
    const std::int64_t pixel = index % shape.pixels();
    const PoolReaders readers(shape, pixel / shape.width, pixel % shape.width);
    float sum = 0;
    for (std::int64_t i = readers.i0; i < readers.i1; ++i)
      for (std::int64_t j = readers.j0; j < readers.j1; ++j)
        sum += dy.data[first + i * shape.out_width + j] / PoolSpan(shape, i, j).count(shape);
    dx.data[index] = sum;
  }
};
struct AveragePool2dBackward : PortableOp<AveragePool2dBackwardArgs> {
  static constexpr const char* kName = "average_pool2d_backward";
};

// One number a plane: the mean, added in double, or the largest with its place as above.
struct GlobalPoolArgs {
  std::int64_t planes = 0, pixels = 0;
  ConstTensorView x;          // [planes, pixels]
  TensorView y;               // [planes]
  View<std::int32_t> places;  // [planes]; empty: the mean

  void check() const {
    SERVAL_CHECK(x.size() == planes * pixels && y.size() == planes, "global_pool ", to_string(x.shape),
                 " to ", to_string(y.shape));
  }
  SERVAL_HD std::int64_t teams() const { return planes; }
  template <class Team>
  SERVAL_HD void work(const Team& team, std::int64_t plane) const {
    const float* from = x.data + plane * pixels;
    if (places.data == nullptr) {
      double sum = 0;
      for (std::int64_t i = team.rank(); i < pixels; i += team.size()) sum += static_cast<double>(from[i]);
      sum = team.sum(sum);
      if (team.rank() == 0) y.data[plane] = static_cast<float>(sum / static_cast<double>(pixels));
      return;
    }
    // Of NaNs the last, as a search that goes on from each would leave it.
    std::int64_t place = team.rank();
    for (std::int64_t i = team.rank(); i < pixels; i += team.size())
      if (from[i] > from[place] || from[i] != from[i]) place = i;
    const bool any = place < pixels;
    const bool nan = any && from[place] != from[place];
    const double last_nan = team.max(nan ? static_cast<double>(place) : -1.0);
    const float largest = team.max(any && !nan ? from[place] : -INFINITY);
    const bool found = any && !nan && from[place] == largest;
    const double first = team.min(static_cast<double>(found ? place : pixels));
    if (team.rank() != 0) return;
    const auto chosen = static_cast<std::int32_t>(last_nan >= 0 ? last_nan : first);
    y.data[plane] = from[chosen];
    places.data[plane] = chosen;
  }
};
struct GlobalPool : PortableOp<GlobalPoolArgs> {
  static constexpr const char* kName = "global_pool";
};

struct GlobalPoolBackwardArgs {
  std::int64_t planes = 0, pixels = 0;
  ConstTensorView dy;               // [planes]
  View<const std::int32_t> places;  // [planes]; empty: of the mean
  TensorView dx;                    // [planes, pixels], overwritten

  void check() const {
    SERVAL_CHECK(dx.size() == planes * pixels && dy.size() == planes, "global_pool_backward ",
                 to_string(dy.shape), " to ", to_string(dx.shape));
  }
  SERVAL_HD std::int64_t teams() const { return planes; }
  template <class Team>
  SERVAL_HD void work(const Team& team, std::int64_t plane) const {
    const bool mean = places.data == nullptr;
    const float value = mean ? dy.data[plane] / static_cast<float>(pixels) : dy.data[plane];
    for (std::int64_t i = team.rank(); i < pixels; i += team.size())
      dx.data[plane * pixels + i] = mean || places.data[plane] == i ? value : 0.0f;
  }
};
struct GlobalPoolBackward : PortableOp<GlobalPoolBackwardArgs> {
  static constexpr const char* kName = "global_pool_backward";
};

template <class List>
void list_image_pool_ops(List& list) {
  list.template op<MaxPool2d>();
  list.template op<MaxPool2dBackward>();
  list.template op<MaxPool2dScatter>();
  list.template op<AveragePool2d>();
  list.template op<AveragePool2dBackward>();
  list.template op<GlobalPool>();
  list.template op<GlobalPoolBackward>();
}

}  // namespace serval::nn
