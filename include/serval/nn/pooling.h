// From a sequence of vectors to one vector per sequence, over its own steps only.
//   last       y = x_{len-1} of the forward half and x_0 of the reversed half: the last step each has seen
//   mean       y = sum_{t < len} x_t / len
//   attention  a_t = softmax_{t < len}( v . tanh(W x_t + b) ),  y = sum_t a_t x_t
#pragma once

#include "serval/core/context.h"

namespace serval::nn {

struct SequenceShape {
  std::int64_t time = 0;     // T
  std::int64_t batch = 0;    // B
  std::int64_t feature = 0;  // F
};

struct PoolArgs {
  SequenceShape shape;
  View<const std::int32_t> lengths;  // [B]
  ConstTensorView x;                 // [T, B, F]; forward
  TensorView y;                      // [B, F]; forward
  ConstTensorView dy;                // [B, F]; backward
  TensorView dx;                     // [T, B, F]; backward, accumulated into
  // last: columns from here on belong to the reversed direction (F for a one-way layer)
  std::int64_t reversed_from = 0;
};
struct MeanPoolForward {
  static constexpr const char* kName = "mean_pool_forward";
  using Signature = void(const Context&, const PoolArgs&);
};
struct MeanPoolBackward {
  static constexpr const char* kName = "mean_pool_backward";
  using Signature = void(const Context&, const PoolArgs&);
};
struct LastPoolForward {
  static constexpr const char* kName = "last_pool_forward";
  using Signature = void(const Context&, const PoolArgs&);
};
struct LastPoolBackward {
  static constexpr const char* kName = "last_pool_backward";
  using Signature = void(const Context&, const PoolArgs&);
};

// The part of attention after the scores: masked softmax over time and the weighted sum. The layer computes
// the scores with GEMMs and tanh (nn/gemm.h, nn/pointwise.h).
struct AttentionPoolArgs {
  SequenceShape shape;
  View<const std::int32_t> lengths;  // [B]
  ConstTensorView x;                 // [T, B, F]
  ConstTensorView scores;            // [T, B], forward
  TensorView weights;                // [T, B]: a_t, 0 at padded steps; written by forward, read by backward
  TensorView y;                      // [B, F], forward
  ConstTensorView dy;                // [B, F], backward
  TensorView dx;                     // [T, B, F], backward, accumulated into
  TensorView dscores;                // [T, B], backward, overwritten (0 at padded steps)
};
struct AttentionPoolForward {
  static constexpr const char* kName = "attention_pool_forward";
  using Signature = void(const Context&, const AttentionPoolArgs&);
};
struct AttentionPoolBackward {
  static constexpr const char* kName = "attention_pool_backward";
  using Signature = void(const Context&, const AttentionPoolArgs&);
};

}  // namespace serval::nn
