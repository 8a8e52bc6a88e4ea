// Random changes of values in training, besides dropout (nn/pointwise.h).
#pragma once

#include <cmath>

#include "serval/core/philox.h"
#include "serval/core/portable_op.h"

namespace serval::nn {

// The gate of spatial dropout: for each recording and channel 0, or 1 / (1 - rate). Number b * channels + c of `random`.
struct ChannelMaskArgs {
  TensorView gate;  // [batch, channels]
  float rate = 0;
  RandomStream random;

  SERVAL_HD std::int64_t count() const { return gate.size(); }
  SERVAL_HD void at(std::int64_t i) const {
    gate.data[i] = random.uniform(static_cast<std::uint64_t>(i)) < rate ? 0.0f : 1.0f / (1.0f - rate);
  }
};
struct ChannelMask : PortableOp<ChannelMaskArgs> {
  static constexpr const char* kName = "channel_mask";
};

// y = x + deviation * normal, by Box and Muller from numbers 2 i and 2 i + 1 of `random`. An element's index i is its place
// in its own recording, as in DropoutArgs: (b * time_stride + t) * columns + c.
struct GaussianNoiseArgs {
  std::int64_t batch = 0, columns = 0;  // x is [time, batch, columns]
  std::int64_t time_stride = 1;
  ConstTensorView x;
  TensorView y;
  float deviation = 0;
  RandomStream random;

  void check() const {
    SERVAL_CHECK(x.size() == y.size(), "gaussian_noise ", to_string(x.shape), " to ", to_string(y.shape));
  }
  SERVAL_HD std::int64_t count() const { return y.size(); }
  SERVAL_HD void at(std::int64_t i) const {
    const std::int64_t row = i / columns;
    const std::int64_t place = (row % batch * time_stride + row / batch) * columns + i % columns;
    const auto first = 2 * static_cast<std::uint64_t>(place);
    const float radius = sqrtf(-2 * logf(1 - random.uniform(first)));
    y.data[i] = x.data[i] + deviation * radius * cosf(6.28318531f * random.uniform(first + 1));
  }
};
struct GaussianNoise : PortableOp<GaussianNoiseArgs> {
  static constexpr const char* kName = "gaussian_noise";
};

template <class List>
void list_noise_ops(List& list) {
  list.template op<ChannelMask>();
  list.template op<GaussianNoise>();
}

}  // namespace serval::nn
