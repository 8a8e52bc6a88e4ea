#include <algorithm>
#include <cmath>

#include "cpu_ops.h"

namespace serval::nn::cpu {

namespace {

void check_pool(const SequenceShape& s, const View<const std::int32_t>& lengths,
                const ConstTensorView& sequence, const ConstTensorView& pooled) {
  SERVAL_CHECK(sequence.size() == s.time * s.batch * s.feature, "pool of ", to_string(sequence.shape),
               ", expected [", s.time, ", ", s.batch, ", ", s.feature, "]");
  SERVAL_CHECK(pooled.size() == s.batch * s.feature, "pooled ", to_string(pooled.shape));
  SERVAL_CHECK(lengths.size() == s.batch, "pool lengths ", to_string(lengths.shape));
  for (std::int64_t b = 0; b < s.batch; ++b) {
    SERVAL_CHECK(lengths.data[b] >= 1 && lengths.data[b] <= s.time, "sequence ", b, " has length ",
                 lengths.data[b], ", expected 1 to ", s.time);
  }
}

std::int64_t row(const SequenceShape& s, std::int64_t t, std::int64_t b) {
  return (t * s.batch + b) * s.feature;
}

// to += scale * from
void add_scaled(std::int64_t count, float scale, const float* from, float* to) {
  for (std::int64_t i = 0; i < count; ++i) to[i] += scale * from[i];
}

}  // namespace

void mean_pool_forward(const Context&, const PoolArgs& args) {
  const SequenceShape& s = args.shape;
  check_pool(s, args.lengths, args.x, args.y);
  for (std::int64_t b = 0; b < s.batch; ++b) {
    float* y = args.y.data + b * s.feature;
    std::fill_n(y, s.feature, 0.0f);
    for (std::int64_t t = 0; t < args.lengths.data[b]; ++t)
      add_scaled(s.feature, 1, args.x.data + row(s, t, b), y);
    const float scale = 1.0f / static_cast<float>(args.lengths.data[b]);
    for (std::int64_t f = 0; f < s.feature; ++f) y[f] *= scale;
  }
}

void mean_pool_backward(const Context&, const PoolArgs& args) {
  const SequenceShape& s = args.shape;
  check_pool(s, args.lengths, args.dx, args.dy);
  for (std::int64_t b = 0; b < s.batch; ++b) {
    const float scale = 1.0f / static_cast<float>(args.lengths.data[b]);
    for (std::int64_t t = 0; t < args.lengths.data[b]; ++t) {
      add_scaled(s.feature, scale, args.dy.data + b * s.feature, args.dx.data + row(s, t, b));
    }
  }
}

void last_pool_forward(const Context&, const PoolArgs& args) {
  const SequenceShape& s = args.shape;
  check_pool(s, args.lengths, args.x, args.y);
  for (std::int64_t b = 0; b < s.batch; ++b) {
    float* y = args.y.data + b * s.feature;
    std::copy_n(args.x.data + row(s, args.lengths.data[b] - 1, b), args.reversed_from, y);
    std::copy_n(args.x.data + row(s, 0, b) + args.reversed_from, s.feature - args.reversed_from,
                y + args.reversed_from);
  }
}

void last_pool_backward(const Context&, const PoolArgs& args) {
  const SequenceShape& s = args.shape;
  check_pool(s, args.lengths, args.dx, args.dy);
  for (std::int64_t b = 0; b < s.batch; ++b) {
    const float* dy = args.dy.data + b * s.feature;
    add_scaled(args.reversed_from, 1, dy, args.dx.data + row(s, args.lengths.data[b] - 1, b));
    add_scaled(s.feature - args.reversed_from, 1, dy + args.reversed_from,
               args.dx.data + row(s, 0, b) + args.reversed_from);
  }
}

void attention_pool_forward(const Context&, const AttentionPoolArgs& args) {
  const SequenceShape& s = args.shape;
  check_pool(s, args.lengths, args.x, args.y);
  for (std::int64_t b = 0; b < s.batch; ++b) {
    const std::int64_t length = args.lengths.data[b];
    const auto score = [&](std::int64_t t) { return args.scores.data[t * s.batch + b]; };
    const auto weight = [&](std::int64_t t) -> float& { return args.weights.data[t * s.batch + b]; };
    float largest = score(0);
    for (std::int64_t t = 1; t < length; ++t) largest = std::max(largest, score(t));
    float sum = 0;
    for (std::int64_t t = 0; t < length; ++t) sum += weight(t) = std::exp(score(t) - largest);
    const float scale = 1.0f / sum;
    float* y = args.y.data + b * s.feature;
    std::fill_n(y, s.feature, 0.0f);
    for (std::int64_t t = 0; t < length; ++t) {
      weight(t) *= scale;
      add_scaled(s.feature, weight(t), args.x.data + row(s, t, b), y);
    }
    for (std::int64_t t = length; t < s.time; ++t) weight(t) = 0;
  }
}

// da_t = x_t . dy,  dscore_t = a_t (da_t - sum_s a_s da_s),  dx_t += a_t dy
void attention_pool_backward(const Context&, const AttentionPoolArgs& args) {
  const SequenceShape& s = args.shape;
  check_pool(s, args.lengths, args.dx, args.dy);
  for (std::int64_t b = 0; b < s.batch; ++b) {
    const std::int64_t length = args.lengths.data[b];
    const float* dy = args.dy.data + b * s.feature;
    float mean = 0;
    for (std::int64_t t = 0; t < length; ++t) {
      const float a = args.weights.data[t * s.batch + b];
      const float* x = args.x.data + row(s, t, b);
      // Eight sums side by side: quick on vectors, and in one fixed order.
      float sums[8] = {};
      std::int64_t f = 0;
      for (; f + 8 <= s.feature; f += 8) {
        for (int lane = 0; lane < 8; ++lane) sums[lane] += x[f + lane] * dy[f + lane];
      }
      for (; f < s.feature; ++f) sums[0] += x[f] * dy[f];
      const float da =
          ((sums[0] + sums[4]) + (sums[1] + sums[5])) + ((sums[2] + sums[6]) + (sums[3] + sums[7]));
      args.dscores.data[t * s.batch + b] = da;
      mean += a * da;
      add_scaled(s.feature, a, dy, args.dx.data + row(s, t, b));
    }
    for (std::int64_t t = 0; t < length; ++t) {
      float& dscore = args.dscores.data[t * s.batch + b];
      dscore = args.weights.data[t * s.batch + b] * (dscore - mean);
    }
    for (std::int64_t t = length; t < s.time; ++t) args.dscores.data[t * s.batch + b] = 0;
  }
}

}  // namespace serval::nn::cpu
