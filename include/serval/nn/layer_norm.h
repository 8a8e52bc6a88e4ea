// Layer norm: rows of `columns` numbers, each brought to mean 0 and variance 1 by itself, then scaled and shifted.
//   x^ = (x - mean) / sqrt(variance + epsilon),  y = gamma x^ + beta
// The variance is that of the row itself, divided by `columns`, as in PyTorch and Keras.
#pragma once

#include <cmath>

#include "serval/core/portable_op.h"

namespace serval::nn {

struct LayerNormArgs {
  std::int64_t rows = 0, columns = 0;
  ConstTensorView x;            // [rows, columns]
  ConstTensorView gamma, beta;  // [columns]; both may be empty: 1 and 0
  TensorView y;                 // [rows, columns]
  TensorView statistics;        // [rows, 2]: mean, 1 / sqrt(variance + epsilon)
  float epsilon = 1e-5f;

  void check() const {
    SERVAL_CHECK(x.size() == rows * columns && y.size() == x.size() && statistics.size() == 2 * rows,
                 "layer_norm ", to_string(x.shape), " to ", to_string(y.shape));
  }
  SERVAL_HD std::int64_t teams() const { return rows; }
  template <class Team>
  SERVAL_HD void work(const Team& team, std::int64_t row) const {
    const float* from = x.data + row * columns;
    float* to = y.data + row * columns;
    double sum = 0;
    for (std::int64_t c = team.rank(); c < columns; c += team.size()) sum += static_cast<double>(from[c]);
    const double mean = team.sum(sum) / static_cast<double>(columns);
    double squares = 0;
    for (std::int64_t c = team.rank(); c < columns; c += team.size()) {
      const double difference = static_cast<double>(from[c]) - mean;
      squares += difference * difference;
    }
    const double variance = team.sum(squares) / static_cast<double>(columns);
    const auto center = static_cast<float>(mean);
    const auto scale = static_cast<float>(1 / sqrt(variance + static_cast<double>(epsilon)));
    for (std::int64_t c = team.rank(); c < columns; c += team.size()) {
      const float normed = (from[c] - center) * scale;
      to[c] = gamma.data == nullptr ? normed : normed * gamma.data[c] + beta.data[c];
    }
    if (team.rank() == 0) {
      statistics.data[2 * row] = center;
      statistics.data[2 * row + 1] = scale;
    }
  }
};
struct LayerNorm : PortableOp<LayerNormArgs> {
  static constexpr const char* kName = "layer_norm";
};

// With g = gamma dy: dx = (g - mean(g) - x^ mean(g x^)) / sqrt(variance + epsilon)
struct LayerNormBackwardArgs {
  std::int64_t rows = 0, columns = 0;
  ConstTensorView x, dy;       // [rows, columns]
  ConstTensorView statistics;  // [rows, 2], of the forward
  ConstTensorView gamma;       // [columns] or empty
  TensorView dx;               // [rows, columns], overwritten

  void check() const {
    SERVAL_CHECK(x.size() == rows * columns && dy.size() == x.size() && dx.size() == x.size() &&
                     statistics.size() == 2 * rows,
                 "layer_norm_backward ", to_string(dx.shape));
  }
  SERVAL_HD std::int64_t teams() const { return rows; }
  template <class Team>
  SERVAL_HD void work(const Team& team, std::int64_t row) const {
    const std::int64_t first = row * columns;
    const float center = statistics.data[2 * row];
    const float scale = statistics.data[2 * row + 1];
    double sum = 0;
    double product = 0;
    for (std::int64_t c = team.rank(); c < columns; c += team.size()) {
      const double g = static_cast<double>(slope(first, c));
      sum += g;
      product += g * static_cast<double>((x.data[first + c] - center) * scale);
    }
    const auto mean = static_cast<float>(team.sum(sum) / static_cast<double>(columns));
    const auto mean_product = static_cast<float>(team.sum(product) / static_cast<double>(columns));
    for (std::int64_t c = team.rank(); c < columns; c += team.size()) {
      const float normed = (x.data[first + c] - center) * scale;
      dx.data[first + c] = (slope(first, c) - mean - normed * mean_product) * scale;
    }
  }
  SERVAL_HD float slope(std::int64_t first, std::int64_t c) const {
    const float value = dy.data[first + c];
    return gamma.data == nullptr ? value : value * gamma.data[c];
  }
};
struct LayerNormBackward : PortableOp<LayerNormBackwardArgs> {
  static constexpr const char* kName = "layer_norm_backward";
};

// The gradients of gamma and beta are sums over the rows: of kLayerNormRows rows at a time here, added up by the op
// below. Rows keep their order, so that more padding, which adds zeros, leaves the bits as they are.
constexpr std::int64_t kLayerNormRows = 32;
inline std::int64_t layer_norm_parts(std::int64_t rows) {
  return (rows + kLayerNormRows - 1) / kLayerNormRows;
}

struct LayerNormSumsArgs {
  std::int64_t rows = 0, columns = 0;
  ConstTensorView x, dy;       // [rows, columns]
  ConstTensorView statistics;  // [rows, 2]
  TensorView sums;             // [parts, 2, columns]: of dy x^, of dy; overwritten

  void check() const {
    SERVAL_CHECK(x.size() == rows * columns && dy.size() == x.size() && statistics.size() == 2 * rows &&
                     sums.size() == 2 * columns * layer_norm_parts(rows),
                 "layer_norm_sums ", to_string(x.shape), " to ", to_string(sums.shape));
  }
  SERVAL_HD std::int64_t teams() const { return (rows + kLayerNormRows - 1) / kLayerNormRows; }
  template <class Team>
  SERVAL_HD void work(const Team& team, std::int64_t part) const {
    float* products = sums.data + part * 2 * columns;
    float* plain = products + columns;
    const std::int64_t first = part * kLayerNormRows;
    const std::int64_t last = first + kLayerNormRows < rows ? first + kLayerNormRows : rows;
    for (std::int64_t c = team.rank(); c < columns; c += team.size()) products[c] = plain[c] = 0;
    for (std::int64_t row = first; row < last; ++row) {
      const float center = statistics.data[2 * row];
      const float scale = statistics.data[2 * row + 1];
      for (std::int64_t c = team.rank(); c < columns; c += team.size()) {
        const float value = dy.data[row * columns + c];
        products[c] += value * ((x.data[row * columns + c] - center) * scale);
        plain[c] += value;
      }
    }
  }
};
struct LayerNormSums : PortableOp<LayerNormSumsArgs> {
  static constexpr const char* kName = "layer_norm_sums";
};

// dgamma and dbeta += the sums of all parts.
struct LayerNormGatherArgs {
  std::int64_t parts = 0, columns = 0;
  ConstTensorView sums;      // [parts, 2, columns]
  TensorView dgamma, dbeta;  // [columns]

  void check() const {
    SERVAL_CHECK(sums.size() == 2 * parts * columns && dgamma.size() == columns && dbeta.size() == columns,
                 "layer_norm_gather ", to_string(sums.shape), " to ", to_string(dgamma.shape));
  }
  SERVAL_HD std::int64_t count() const { return columns; }
  SERVAL_HD void at(std::int64_t c) const {
    double product = 0;
    double plain = 0;
    for (std::int64_t part = 0; part < parts; ++part) {
      product += static_cast<double>(sums.data[part * 2 * columns + c]);
      plain += static_cast<double>(sums.data[(part * 2 + 1) * columns + c]);
    }
    dgamma.data[c] += static_cast<float>(product);
    dbeta.data[c] += static_cast<float>(plain);
  }
};
struct LayerNormGather : PortableOp<LayerNormGatherArgs> {
  static constexpr const char* kName = "layer_norm_gather";
};

template <class List>
void list_layer_norm_ops(List& list) {
  list.template op<LayerNorm>();
  list.template op<LayerNormBackward>();
  list.template op<LayerNormSums>();
  list.template op<LayerNormGather>();
}

}  // namespace serval::nn
