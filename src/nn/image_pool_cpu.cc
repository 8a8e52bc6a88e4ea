// Pools of images on the CPU: plane by plane, without dividing. What goes back is added at the places that were read, in
// the order in which the portable bodies look for it.
#include <algorithm>

#include "cpu_kernels.h"
#include "cpu_ops.h"

namespace serval::nn::cpu {

namespace {

// body(plane, result, what it sees) in ascending order.
template <class Body>
void for_each_result(const PoolShape& s, Body body) {
  std::int64_t result = 0;
  for (std::int64_t plane = 0; plane < s.planes; ++plane) {
    for (std::int64_t i = 0; i < s.out_height; ++i) {
      for (std::int64_t j = 0; j < s.out_width; ++j, ++result) body(plane, result, PoolSpan(s, i, j));
    }
  }
}

// dx is 0 but where results were read: put(dx there, dy). A plane's zeros are still in the cache by then.
template <class Args, class Put>
void to_places(const Args& args, Put put) {
  args.check();
  const PoolShape& s = args.shape;
  for (std::int64_t plane = 0; plane < s.planes; ++plane) {
    float* to = args.dx.data + plane * s.pixels();
    std::fill_n(to, s.pixels(), 0.0f);
    for (std::int64_t r = plane * s.out_pixels(); r < (plane + 1) * s.out_pixels(); ++r)
      put(to[args.places.data[r]], args.dy.data[r]);
  }
}

}  // namespace

void max_pool2d(const Context&, const MaxPool2dArgs& args) {
  args.check();
  const PoolShape& s = args.shape;
  const CpuKernels& kernels = cpu_kernels();
  // Results [first, last) of a row see whole windows; those beside them see less.
  const std::int64_t last = std::clamp<std::int64_t>(
      s.width - s.kernel_width + s.left < 0 ? 0 : (s.width - s.kernel_width + s.left) / s.stride_width + 1, 0,
      s.out_width);
  const std::int64_t first =
      std::clamp<std::int64_t>((s.left + s.stride_width - 1) / s.stride_width, 0, last);
  const float* const end = args.x.data + args.x.size();
  for (std::int64_t plane = 0; plane < s.planes; ++plane) {
    const float* from = args.x.data + plane * s.pixels();
    for (std::int64_t i = 0; i < s.out_height; ++i) {
      const std::int64_t result = plane * s.out_pixels() + i * s.out_width;
      float* y = args.y.data + result;
      std::int32_t* places = args.places.data + result;
      const auto pool = [&](std::int64_t j, std::int64_t count) {
        const PoolSpan span(s, i, j);
        const std::int64_t place = span.y0 * s.width + span.x0;
        kernels.max_pool_row({.count = count,
                              .kernel_height = span.y1 - span.y0,
                              .kernel_width = span.x1 - span.x0,
                              .stride = s.stride_width,
                              .width = s.width,
                              .readable = end - (from + place),
                              .x = from + place,
                              .place = static_cast<std::int32_t>(place),
                              .y = y + j,
                              .places = places + j});
      };
      for (std::int64_t j = 0; j < first; ++j) pool(j, 1);
      if (first < last) pool(first, last - first);
      for (std::int64_t j = last; j < s.out_width; ++j) pool(j, 1);
    }
  }
}

void max_pool2d_backward(const Context&, const MaxPool2dBackwardArgs& args) {
  to_places(args, [](float& dx, float dy) { dx += dy; });
}

void max_pool2d_scatter(const Context&, const MaxPool2dScatterArgs& args) {
  to_places(args, [](float& dx, float dy) { dx = dy; });
}

void average_pool2d(const Context&, const AveragePool2dArgs& args) {
  args.check();
  const PoolShape& s = args.shape;
  for_each_result(s, [&](std::int64_t plane, std::int64_t result, const PoolSpan& span) {
    const float* from = args.x.data + plane * s.pixels();
    float sum = 0;
    for (std::int64_t row = span.y0; row < span.y1; ++row)
      for (std::int64_t column = span.x0; column < span.x1; ++column) sum += from[row * s.width + column];
    args.y.data[result] = sum / span.count(s);
  });
}

void average_pool2d_backward(const Context&, const AveragePool2dBackwardArgs& args) {
  args.check();
  const PoolShape& s = args.shape;
  std::fill_n(args.dx.data, args.count(), 0.0f);
  for_each_result(s, [&](std::int64_t plane, std::int64_t result, const PoolSpan& span) {
    float* to = args.dx.data + plane * s.pixels();
    const float share = args.dy.data[result] / span.count(s);
    for (std::int64_t row = span.y0; row < span.y1; ++row)
      for (std::int64_t column = span.x0; column < span.x1; ++column) to[row * s.width + column] += share;
  });
}

}  // namespace serval::nn::cpu
