// Batch norm: each channel brought to mean 0 and variance 1 over the batch, then scaled and shifted.
//   x^ = (x - mean) / sqrt(variance + epsilon),  y = activation(gamma x^ + beta)
//
// Values are [groups, rows, channels, inner]. A group has statistics of its own: there is one for all, or one for each
// time step. Rows are items, those of a sequence [time, batch]; what lies beyond a recording's length is left out of
// every sum, and gives 0. inner is height x width of images and 1 of vectors.
//
// Sums are made in double precision of a fixed number of rows, then added up in order: more padding, which comes last,
// leaves the bits as they are. A mean square minus a squared mean loses nothing there: products of floats are exact.
#pragma once

#include <cmath>
#include <type_traits>

#include "serval/core/portable_op.h"
#include "serval/nn/detail/activation.h"

namespace serval::nn {

struct NormShape {
  std::int64_t groups = 1, rows = 0, channels = 0, inner = 1;
  std::int64_t batch = 0;            // of sequences
  View<const std::int32_t> lengths;  // [batch]; sequences
  std::int64_t first_step = 0;       // of the rows, where they are some steps of a sequence

  SERVAL_HD std::int64_t all_rows() const { return groups * rows; }
  SERVAL_HD std::int64_t statistics() const { return groups * channels; }
  SERVAL_HD std::int64_t size() const { return all_rows() * channels * inner; }
  SERVAL_HD bool counts(std::int64_t row) const {  // of all rows
    return lengths.data == nullptr || first_step + row / batch < lengths.data[row % batch];
  }
  // Values of a channel in a group.
  SERVAL_HD std::int64_t count(std::int64_t group) const {
    if (lengths.data == nullptr) return rows * inner;
    std::int64_t out = 0;
    for (std::int64_t b = 0; b < batch; ++b) {
      std::int64_t length = lengths.data[b] - first_step;
      if (length < 0) length = 0;
      if (groups == 1) {
        out += length * batch < rows ? length : rows / batch;
      } else {
        out += length > group ? 1 : 0;
      }
    }
    return out * inner;
  }
  SERVAL_HD std::int64_t part_rows() const { return inner == 1 ? 64 : 8; }
  SERVAL_HD std::int64_t parts() const { return (rows + part_rows() - 1) / part_rows(); }
};

// Sums of a and of a * b over part of a group's rows. With a = b = x: what statistics need; with a = dy and b = x: what
// gradients need.
struct NormSumsArgs {
  NormShape shape;
  ConstTensorView a, b;
  View<double> sums;  // [groups, parts, 2, channels]

  void check() const {
    SERVAL_CHECK(a.size() >= shape.size() && b.size() == a.size() &&
                     sums.size() >= 2 * shape.parts() * shape.statistics(),
                 "norm_sums ", to_string(a.shape), " to ", to_string(sums.shape));
  }
  SERVAL_HD std::int64_t teams() const {
    return shape.groups * shape.parts() * (shape.inner == 1 ? 1 : shape.channels);
  }
  SERVAL_HD std::int64_t items() const {
    return shape.inner == 1 ? shape.channels : shape.part_rows() * shape.inner;
  }
  template <class Team>
  SERVAL_HD void work(const Team& team, std::int64_t index) const {
    const std::int64_t channel = shape.inner == 1 ? 0 : index % shape.channels;
    const std::int64_t part = shape.inner == 1 ? index : index / shape.channels;  // of all groups
    const std::int64_t group = part / shape.parts();
    const std::int64_t start = part % shape.parts() * shape.part_rows();
    const std::int64_t left = shape.rows - start;
    const std::int64_t first = group * shape.rows + start;
    const std::int64_t last = first + (left < shape.part_rows() ? left : shape.part_rows());
    double* to = sums.data + part * 2 * shape.channels;
    if (shape.inner == 1) {
      of_vectors(team, first, last, to, to + shape.channels);
    } else {
      of_images(team, first, last, channel, to + channel, to + shape.channels + channel);
    }
  }

 private:
  static constexpr int kLanes = 8;  // several sums at a time, so that one processor's additions overlap

  template <class Team>
  SERVAL_HD void of_images(const Team& team, std::int64_t first, std::int64_t last, std::int64_t channel,
                           double* plain, double* product) const {
    double sum = 0;
    double products = 0;
    if constexpr (kSolo<Team>) {
      double s[kLanes] = {};
      double p[kLanes] = {};
      for (std::int64_t row = first; row < last; ++row) {
        if (!shape.counts(row)) continue;
        const float* u = a.data + (row * shape.channels + channel) * shape.inner;
        const float* v = b.data + (row * shape.channels + channel) * shape.inner;
        std::int64_t i = 0;
        for (; i + kLanes <= shape.inner; i += kLanes) {
          for (int lane = 0; lane < kLanes; ++lane) {
            const auto value = static_cast<double>(u[i + lane]);
            s[lane] += value;
            p[lane] += value * static_cast<double>(v[i + lane]);
          }
        }
        for (; i < shape.inner; ++i) {
          sum += static_cast<double>(u[i]);
          products += static_cast<double>(u[i]) * static_cast<double>(v[i]);
        }
      }
      for (int lane = 0; lane < kLanes; ++lane) {
        sum += s[lane];
        products += p[lane];
      }
    } else {
      for (std::int64_t row = first; row < last; ++row) {
        if (!shape.counts(row)) continue;
        const std::int64_t place = (row * shape.channels + channel) * shape.inner;
        for (std::int64_t i = team.rank(); i < shape.inner; i += team.size()) {
          const auto value = static_cast<double>(a.data[place + i]);
          sum += value;
          products += value * static_cast<double>(b.data[place + i]);
        }
      }
    }
    sum = team.sum(sum);
    products = team.sum(products);
    if (team.rank() == 0) {
      *plain = sum;
      *product = products;
    }
  }
  template <class Team>
  SERVAL_HD void of_vectors(const Team& team, std::int64_t first, std::int64_t last, double* plain,
                            double* product) const {
    for (std::int64_t c = team.rank(); c < shape.channels; c += team.size()) plain[c] = product[c] = 0;
    for (std::int64_t row = first; row < last; ++row) {
      if (!shape.counts(row)) continue;
      const float* u = a.data + row * shape.channels;
      const float* v = b.data + row * shape.channels;
      for (std::int64_t c = team.rank(); c < shape.channels; c += team.size()) {
        const auto value = static_cast<double>(u[c]);
        plain[c] += value;
        product[c] += value * static_cast<double>(v[c]);
      }
    }
  }
  template <class Team>
  static constexpr bool kSolo = std::is_same_v<Team, SoloTeam>;
};
struct NormSums : PortableOp<NormSumsArgs> {
  static constexpr const char* kName = "norm_sums";
};

// What normalising needs of each group and channel, as planes of `groups * channels` numbers.
struct NormPlanes {
  float* center = nullptr;   // the mean
  float* inverse = nullptr;  // 1 / sqrt(variance + epsilon)
  float* scale = nullptr;    // gamma * inverse
  float* shift = nullptr;    // beta

  // Of the mean and variance of group * channels + c.
  SERVAL_HD void set(std::int64_t i, std::int64_t c, double mean, double variance, double epsilon,
                     const float* gamma, const float* beta) const {
    const double one_over = 1 / sqrt(variance + epsilon);
    center[i] = static_cast<float>(mean);
    inverse[i] = static_cast<float>(one_over);
    scale[i] = static_cast<float>(gamma == nullptr ? one_over : one_over * static_cast<double>(gamma[c]));
    shift[i] = beta == nullptr ? 0.0f : beta[c];
  }
};

// All that a norm of images does when its numbers do not depend on the batch: for whoever makes its x to do at once.
struct ChannelNorm {
  NormShape shape;
  NormPlanes planes;
  Activation activation = Activation::kNone;
};

// In training: the statistics of this batch from its sums, and the running ones moved towards them:
//   running += momentum * (batch - running)
// The variance that normalises is divided by the number n of values. The running one is by n - 1 where `unbiased`, as in
// PyTorch; one value alone then leaves it as it is.
struct NormStatisticsArgs {
  NormShape shape;
  View<const double> sums;
  ConstTensorView gamma, beta;  // [channels] or empty
  NormPlanes planes;
  float* running_mean = nullptr;  // [groups, channels]
  float* running_variance = nullptr;
  double epsilon = 1e-5, momentum = 0.1;
  bool unbiased = true;

  SERVAL_HD std::int64_t count() const { return shape.statistics(); }
  SERVAL_HD void at(std::int64_t i) const {
    const std::int64_t group = i / shape.channels;
    const std::int64_t c = i % shape.channels;
    const auto n = static_cast<double>(shape.count(group));
    if (n == 0) {  // no recording lasts so long
      planes.center[i] = planes.inverse[i] = planes.scale[i] = planes.shift[i] = 0;
      return;
    }
    double sum = 0;
    double squares = 0;
    for (std::int64_t part = 0; part < shape.parts(); ++part) {
      const double* from = sums.data + (group * shape.parts() + part) * 2 * shape.channels + c;
      sum += from[0];
      squares += from[shape.channels];
    }
    const double mean = sum / n;
    const double difference = squares / n - mean * mean;
    const double variance = difference > 0 ? difference : 0;
    planes.set(i, c, mean, variance, epsilon, gamma.data, beta.data);
    move(running_mean[i], mean);
    if (!unbiased) {
      move(running_variance[i], variance);
    } else if (n > 1) {
      move(running_variance[i], variance * n / (n - 1));
    }
  }

 private:
  SERVAL_HD void move(float& running, double batch) const {
    const auto before = static_cast<double>(running);
    running = static_cast<float>(before + momentum * (batch - before));
  }
};
struct NormStatistics : PortableOp<NormStatisticsArgs> {
  static constexpr const char* kName = "norm_statistics";
};

// Outside training: the running statistics instead.
struct NormRunningArgs {
  std::int64_t groups = 1, channels = 0;
  ConstTensorView gamma, beta;
  ConstTensorView running_mean, running_variance;
  NormPlanes planes;
  double epsilon = 1e-5;

  SERVAL_HD std::int64_t count() const { return groups * channels; }
  SERVAL_HD void at(std::int64_t i) const {
    planes.set(i, i % channels, static_cast<double>(running_mean.data[i]),
               static_cast<double>(running_variance.data[i]), epsilon, gamma.data, beta.data);
  }
};
struct NormRunning : PortableOp<NormRunningArgs> {
  static constexpr const char* kName = "norm_running";
};

struct NormApplyArgs {
  NormShape shape;
  ConstTensorView x;
  NormPlanes planes;
  TensorView y;
  Activation activation = Activation::kNone;

  void check() const {
    SERVAL_CHECK(x.size() == shape.size() && y.size() == x.size(), "norm_apply ", to_string(x.shape), " to ",
                 to_string(y.shape));
  }
  SERVAL_HD std::int64_t teams() const { return shape.all_rows() * (shape.inner == 1 ? 1 : shape.channels); }
  SERVAL_HD std::int64_t items() const { return shape.inner == 1 ? shape.channels : shape.inner; }
  template <class Team>
  SERVAL_HD void work(const Team& team, std::int64_t index) const {
    // One loop for each of the frequent activations, so that the compiler sees a constant.
    if (activation == Activation::kNone) {
      apply<Activation::kNone>(team, index);
    } else if (activation == Activation::kRelu) {
      apply<Activation::kRelu>(team, index);
    } else {
      apply<Activation::kGelu>(team, index);
    }
  }

 private:
  template <Activation kKnown>
  SERVAL_HD float result(float x_centered, float scale, float shift) const {
    const float value = x_centered * scale + shift;
    if constexpr (kKnown == Activation::kNone) return value;
    if constexpr (kKnown == Activation::kRelu) return value < 0 ? 0.0f : value;
    return detail::activate(activation, value);
  }
  template <Activation kKnown, class Team>
  SERVAL_HD void apply(const Team& team, std::int64_t index) const {
    const std::int64_t row = shape.inner == 1 ? index : index / shape.channels;
    const std::int64_t group = row / shape.rows;
    const std::int64_t width = shape.inner == 1 ? shape.channels : shape.inner;
    const float* from = x.data + index * width;
    float* to = y.data + index * width;
    if (!shape.counts(row)) {
      for (std::int64_t i = team.rank(); i < width; i += team.size()) to[i] = 0;
    } else if (shape.inner == 1) {
      const float* center = planes.center + group * shape.channels;
      const float* scale = planes.scale + group * shape.channels;
      const float* shift = planes.shift + group * shape.channels;
      for (std::int64_t i = team.rank(); i < width; i += team.size())
        to[i] = result<kKnown>(from[i] - center[i], scale[i], shift[i]);
    } else {
      const std::int64_t at = group * shape.channels + index % shape.channels;
      const float center = planes.center[at];
      const float scale = planes.scale[at];
      const float shift = planes.shift[at];
      for (std::int64_t i = team.rank(); i < width; i += team.size())
        to[i] = result<kKnown>(from[i] - center, scale, shift);
    }
  }
};
struct NormApply : PortableOp<NormApplyArgs> {
  static constexpr const char* kName = "norm_apply";
};

}  // namespace serval::nn
