// The rows of attention between its matrix products: scores become weights, and back.
//
// A unit is one head of one recording, unit = recording * heads + head. Scores and weights of a group of units are
// [units, queries, keys], of which some queries and keys lie past their sequence's end: their weights are 0.
#pragma once

#include <cmath>

#include "serval/core/philox.h"
#include "serval/core/portable_op.h"

namespace serval::nn {

// Which numbers a group of rows is about.
struct AttentionRows {
  std::int64_t first_unit = 0, units = 0;
  std::int64_t heads = 1;
  std::int64_t first_query = 0, queries = 0;  // of each unit
  std::int64_t keys = 0;
  View<const std::int32_t> query_lengths, key_lengths;  // [batch]
  // Dropout of the weights. A weight's number is that of its place in its recording, so that the mask does not depend on
  // how long the others are.
  float rate = 0;
  RandomStream random;

  static constexpr std::int64_t kStride = std::int64_t{1} << 22;  // more steps than a sequence has

  SERVAL_HD std::int64_t count() const { return units * queries; }
  SERVAL_HD std::int64_t recording(std::int64_t row) const { return (first_unit + row / queries) / heads; }
  SERVAL_HD std::int64_t query(std::int64_t row) const { return first_query + row % queries; }
  // Keys that the row looks at; 0 of a query that is past the end.
  SERVAL_HD std::int64_t seen(std::int64_t row) const {
    const std::int64_t b = recording(row);
    return query(row) < query_lengths.data[b] ? key_lengths.data[b] : 0;
  }
  // The number of the row's first weight in the random stream.
  SERVAL_HD std::uint64_t first_number(std::int64_t row) const {
    return static_cast<std::uint64_t>((first_unit + row / queries) * kStride + query(row)) *
           static_cast<std::uint64_t>(kStride);
  }
  // Calls apply(key, factor) for those of the row's first `keys` keys that belong to this thread: factor is
  // 1 / (1 - rate), or 0 where the weight is dropped.
  template <class Team, class Apply>
  SERVAL_HD void for_each_factor(const Team& team, std::int64_t row, std::int64_t count,
                                 const Apply& apply) const {
    if (rate == 0) {
      for (std::int64_t k = team.rank(); k < count; k += team.size()) apply(k, 1.0f);
      return;
    }
    const float kept = 1.0f / (1.0f - rate);
    const std::uint64_t first = first_number(row);
    for (std::int64_t k = 4 * team.rank(); k < count; k += 4 * team.size()) {
      const PhiloxBlock block = random.block((first + static_cast<std::uint64_t>(k)) / 4);
      for (std::int64_t i = 0; i < 4 && k + i < count; ++i)
        apply(k + i, RandomStream::uniform_of(block.value[i]) < rate ? 0.0f : kept);
    }
  }
};

// weights = dropout(softmax(scores)) over the keys of the row's own sequence, in place.
struct AttentionWeightsArgs {
  AttentionRows rows;
  TensorView scores;  // [units, queries, keys]
  bool drop = true;   // false: the weights before dropout

  void check() const {
    SERVAL_CHECK(scores.size() == rows.count() * rows.keys, "attention_weights ", to_string(scores.shape));
  }
  SERVAL_HD std::int64_t teams() const { return rows.count(); }
  template <class Team>
  SERVAL_HD void work(const Team& team, std::int64_t row) const {
    float* values = scores.data + row * rows.keys;
    const std::int64_t count = rows.seen(row);
    float largest = count > 0 ? values[0] : 0;
    for (std::int64_t k = team.rank(); k < count; k += team.size()) largest = fmaxf(largest, values[k]);
    largest = team.max(largest);
    float sum = 0;
    for (std::int64_t k = team.rank(); k < count; k += team.size()) {
      values[k] = expf(values[k] - largest);
      sum += values[k];
    }
    const float scale = 1.0f / team.sum(sum);
    team.sync();  // with dropout, the keys of a thread are others from here on
    AttentionRows dropped = rows;
    if (!drop) dropped.rate = 0;
    dropped.for_each_factor(team, row, count,
                            [&](std::int64_t k, float factor) { values[k] = values[k] * scale * factor; });
    for (std::int64_t k = count + team.rank(); k < rows.keys; k += team.size()) values[k] = 0;
  }
};
struct AttentionWeights : PortableOp<AttentionWeightsArgs> {
  static constexpr const char* kName = "attention_weights";
};

// With w the weights before dropout and m its factors, what arrives being g = d loss / d (m w):
//   dscores = w (m g - sum m g w);  and w becomes m w, which the gradient of the values needs.
struct AttentionWeightsBackwardArgs {
  AttentionRows rows;
  TensorView weights;   // [units, queries, keys] in: w, 0 where nothing is seen; out: m w
  TensorView gradient;  // [units, queries, keys] in: g; out: dscores

  void check() const {
    SERVAL_CHECK(weights.size() == rows.count() * rows.keys && gradient.size() == weights.size(),
                 "attention_weights_backward ", to_string(weights.shape));
  }
  SERVAL_HD std::int64_t teams() const { return rows.count(); }
  template <class Team>
  SERVAL_HD void work(const Team& team, std::int64_t row) const {
    float* w = weights.data + row * rows.keys;
    float* g = gradient.data + row * rows.keys;
    const std::int64_t count = rows.seen(row);
    float sum = 0;
    rows.for_each_factor(team, row, count,
                         [&](std::int64_t k, float factor) { sum += factor * g[k] * w[k]; });
    sum = team.sum(sum);
    rows.for_each_factor(team, row, count, [&](std::int64_t k, float factor) {
      g[k] = w[k] * (factor * g[k] - sum);
      w[k] *= factor;
    });
    for (std::int64_t k = count + team.rank(); k < rows.keys; k += team.size()) g[k] = 0;
  }
};
struct AttentionWeightsBackward : PortableOp<AttentionWeightsBackwardArgs> {
  static constexpr const char* kName = "attention_weights_backward";
};

template <class List>
void list_attention_ops(List& list) {
  list.template op<AttentionWeights>();
  list.template op<AttentionWeightsBackward>();
}

}  // namespace serval::nn
