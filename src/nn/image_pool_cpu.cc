// Pools of images on the CPU: plane by plane, without dividing. What goes back is added at the places that were read, in
// the order in which the portable bodies look for it.
#include <algorithm>

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

}  // namespace

void max_pool2d(const Context&, const MaxPool2dArgs& args) {
  args.check();
  const PoolShape& s = args.shape;
  for_each_result(s, [&](std::int64_t plane, std::int64_t result, const PoolSpan& span) {
    const float* from = args.x.data + plane * s.pixels();
    std::int64_t place = span.y0 * s.width + span.x0;
    float largest = from[place];
    for (std::int64_t row = span.y0; row < span.y1; ++row) {
      for (std::int64_t at = row * s.width + span.x0; at < row * s.width + span.x1; ++at) {
        const float value = from[at];
        const bool better = value > largest || value != value;
        largest = better ? value : largest;
        place = better ? at : place;
      }
    }
    args.y.data[result] = largest;
    args.places.data[result] = static_cast<std::int32_t>(place);
  });
}

void max_pool2d_backward(const Context&, const MaxPool2dBackwardArgs& args) {
  args.check();
  const PoolShape& s = args.shape;
  std::fill_n(args.dx.data, args.count(), 0.0f);
  for (std::int64_t plane = 0; plane < s.planes; ++plane) {
    float* to = args.dx.data + plane * s.pixels();
    for (std::int64_t r = plane * s.out_pixels(); r < (plane + 1) * s.out_pixels(); ++r)
      to[args.places.data[r]] += args.dy.data[r];
  }
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
