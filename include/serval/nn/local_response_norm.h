// Local response norm over neighbouring channels, as PyTorch counts them: alpha is divided by `size`, and channel c reads
// size / 2 channels before it and (size - 1) / 2 behind it.
//   s_c = k + alpha / size * sum of x^2 of those channels,  y_c = x_c s_c^-beta
#pragma once

#include <cmath>

#include "serval/core/portable_op.h"

namespace serval::nn {

struct ResponseShape {
  std::int64_t rows = 0, channels = 0, inner = 1;  // values are [rows, channels, inner]
  std::int64_t size = 5;
  float alpha = 1e-4f, beta = 0.75f, k = 1;

  SERVAL_HD std::int64_t teams() const { return rows * channels; }
  SERVAL_HD std::int64_t all() const { return rows * channels * inner; }
  // First and last channel that read, or are read by, channel c.
  SERVAL_HD std::int64_t from(std::int64_t c, std::int64_t reach) const { return c < reach ? 0 : c - reach; }
  SERVAL_HD std::int64_t to(std::int64_t c, std::int64_t reach) const {
    return c + reach < channels ? c + reach : channels - 1;
  }
  // s^-beta; AlexNet's exponent without the power function.
  SERVAL_HD float power(float s) const {
    if (beta == 0.75f) return 1 / (sqrtf(s) * sqrtf(sqrtf(s)));
    return powf(s, -beta);
  }
};

struct LocalResponseArgs {
  ResponseShape shape;
  ConstTensorView x;
  TensorView y, sums;  // sums: s

  void check() const {
    SERVAL_CHECK(x.size() == shape.all() && y.size() == x.size() && sums.size() == x.size(),
                 "local_response ", to_string(x.shape));
  }
  SERVAL_HD std::int64_t teams() const { return shape.teams(); }
  template <class Team>
  SERVAL_HD void work(const Team& team, std::int64_t index) const {
    const std::int64_t c = index % shape.channels;
    const std::int64_t inner = shape.inner;
    const float* image = x.data + (index - c) * inner;
    float* s = sums.data + index * inner;
    float* out = y.data + index * inner;
    const std::int64_t first = shape.from(c, shape.size / 2);
    const std::int64_t last = shape.to(c, (shape.size - 1) / 2);
    const float share = shape.alpha / static_cast<float>(shape.size);
    for (std::int64_t i = team.rank(); i < inner; i += team.size()) s[i] = 0;
    for (std::int64_t other = first; other <= last; ++other) {
      for (std::int64_t i = team.rank(); i < inner; i += team.size())
        s[i] += image[other * inner + i] * image[other * inner + i];
    }
    for (std::int64_t i = team.rank(); i < inner; i += team.size()) {
      s[i] = shape.k + share * s[i];
      out[i] = image[c * inner + i] * shape.power(s[i]);
    }
  }
};
struct LocalResponse : PortableOp<LocalResponseArgs> {
  static constexpr const char* kName = "local_response";
};

// dx_c = dy_c s_c^-beta - 2 alpha beta / size * x_c * sum of dy y / s over the channels that read c
struct LocalResponseBackwardArgs {
  ResponseShape shape;
  ConstTensorView x, y, sums, dy;
  TensorView dx;

  void check() const {
    SERVAL_CHECK(x.size() == shape.all() && y.size() == x.size() && sums.size() == x.size() &&
                     dy.size() == x.size() && dx.size() == x.size(),
                 "local_response_backward ", to_string(dx.shape));
  }
  SERVAL_HD std::int64_t teams() const { return shape.teams(); }
  template <class Team>
  SERVAL_HD void work(const Team& team, std::int64_t index) const {
    const std::int64_t c = index % shape.channels;
    const std::int64_t inner = shape.inner;
    const std::int64_t item = (index - c) * inner;
    const std::int64_t own = index * inner;
    float* out = dx.data + own;
    const std::int64_t first = shape.from(c, (shape.size - 1) / 2);
    const std::int64_t last = shape.to(c, shape.size / 2);
    const float factor = 2 * shape.alpha * shape.beta / static_cast<float>(shape.size);
    for (std::int64_t i = team.rank(); i < inner; i += team.size()) out[i] = 0;
    for (std::int64_t other = first; other <= last; ++other) {
      const std::int64_t at = item + other * inner;
      for (std::int64_t i = team.rank(); i < inner; i += team.size())
        out[i] += dy.data[at + i] * y.data[at + i] / sums.data[at + i];
    }
    for (std::int64_t i = team.rank(); i < inner; i += team.size())
      out[i] = dy.data[own + i] * shape.power(sums.data[own + i]) - factor * x.data[own + i] * out[i];
  }
};
struct LocalResponseBackward : PortableOp<LocalResponseBackwardArgs> {
  static constexpr const char* kName = "local_response_backward";
};

template <class List>
void list_local_response_ops(List& list) {
  list.template op<LocalResponse>();
  list.template op<LocalResponseBackward>();
}

}  // namespace serval::nn
