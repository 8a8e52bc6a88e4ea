// One direction of one LSTM layer over a padded batch of sequences.
//
//   [i f g o] = W_x x_t + W_h h_{t-1} + b       gates in cuDNN's and PyTorch's order, H rows each
//   c_t = sigmoid(f) * c_{t-1} + sigmoid(i) * tanh(g)
//   h_t = sigmoid(o) * tanh(c_t)                h_0 = c_0 = 0
//
// Sequence b has lengths[b] >= 1 steps; steps past it neither change the result nor receive a gradient, and
// the output there is 0. A reversed layer reads each sequence from its own last step to its first, never from
// the padding, and writes h_t at the step it belongs to.
//
// One weight matrix per direction, canonical on every device, packed in one block of
// lstm_parameter_count(I, H) floats:  W_x [4H, I], W_h [4H, H], b [4H]   (one bias: there is no second one).
#pragma once

#include "serval/core/context.h"

namespace serval::nn {

struct LstmShape {
  std::int64_t time = 0;    // T, of this batch: the longest sequence in it
  std::int64_t batch = 0;   // B
  std::int64_t input = 0;   // I
  std::int64_t hidden = 0;  // H
  bool reversed = false;
};

inline std::int64_t lstm_parameter_count(std::int64_t input, std::int64_t hidden) {
  return 4 * hidden * (input + hidden + 1);
}

// Where the layer's output goes inside a wider row: a bidirectional layer writes its two directions side by
// side, so y is [T, B, y_stride] and this direction owns columns [y_offset, y_offset + H).
struct LstmForwardArgs {
  LstmShape shape;
  ConstTensorView x;                           // [T, B, I]
  View<const std::int32_t> lengths;            // [B]
  const std::int32_t* host_lengths = nullptr;  // the same on the host, [B]
  ConstTensorView weights;                     // [lstm_parameter_count]
  float* y = nullptr;                          // [T, B, y_stride], column offset already applied
  std::int64_t y_stride = 0;
  TensorView reserve;  // what backward needs; lstm_reserve_size floats
  bool training = false;
};

struct LstmBackwardArgs {
  LstmShape shape;
  ConstTensorView x;
  View<const std::int32_t> lengths;
  const std::int32_t* host_lengths = nullptr;
  ConstTensorView weights;
  const float* y = nullptr;
  std::int64_t y_stride = 0;
  const float* dy = nullptr;  // as y; values at padded steps are ignored
  TensorView reserve;
  TensorView dx;        // [T, B, I], accumulated into; empty: not wanted
  TensorView dweights;  // [lstm_parameter_count], accumulated into; empty: not wanted
};

// Floats of reserve (kept from forward to backward) for a batch of that shape.
struct LstmReserveSize {
  static constexpr const char* kName = "lstm_reserve_size";
  using Signature = void(const Context&, const LstmShape&, std::int64_t* floats);
};
struct LstmForward {
  static constexpr const char* kName = "lstm_forward";
  using Signature = void(const Context&, const LstmForwardArgs&);
};
struct LstmBackward {
  static constexpr const char* kName = "lstm_backward";
  using Signature = void(const Context&, const LstmBackwardArgs&);
};

// Checked entries: shapes, sizes, lengths in [1, T].
void lstm_forward(const Context& context, const LstmForwardArgs& args);
void lstm_backward(const Context& context, const LstmBackwardArgs& args);
std::int64_t lstm_reserve_size(const Context& context, const LstmShape& shape);

}  // namespace serval::nn
