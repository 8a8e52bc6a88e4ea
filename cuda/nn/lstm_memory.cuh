// How the LSTM bodies lay out their memory: what backward needs of forward, and what one call needs.
#pragma once

#include <cstddef>
#include <cstdint>

#include "serval/nn/lstm.h"

namespace serval::nn {

// Memory that cuDNN asks for.
struct LstmSpaces {
  std::size_t weights = 0, workspace = 0, reserve = 0;  // bytes
};

// What an allocation has, and so what cuDNN is used to.
constexpr std::int64_t kAlignment = 256 / sizeof(float);

// Hands out aligned pieces of one block of floats. Without a block it only counts.
class Pieces {
 public:
  explicit Pieces(void* block = nullptr) : block_(static_cast<float*>(block)) {}
  float* take(std::int64_t floats) {
    float* const piece = block_ == nullptr ? nullptr : block_ + used_;
    used_ += (floats + kAlignment - 1) / kAlignment * kAlignment;
    return piece;
  }
  float* take_bytes(std::size_t bytes) {
    return take(static_cast<std::int64_t>((bytes + sizeof(float) - 1) / sizeof(float)));
  }
  std::int64_t floats() const { return used_; }
  std::size_t bytes() const { return static_cast<std::size_t>(used_) * sizeof(float); }

 private:
  float* block_;
  std::int64_t used_ = 0;
};

// What backward needs of forward, in the caller's reserve.
struct Kept {
  float *weights, *x, *y, *cudnn;
  Kept(Pieces& pieces, const LstmSpaces& spaces, const LstmShape& shape)
      : weights(pieces.take_bytes(spaces.weights)),
        x(pieces.take(shape.time * shape.batch * shape.input)),
        y(pieces.take(shape.time * shape.batch * shape.hidden)),
        cudnn(pieces.take_bytes(spaces.reserve)) {}
};

// What one call needs, in the context's workspace.
struct Scratch {
  float *workspace, *dy, *dx, *dweights;
  Scratch(Pieces& pieces, const LstmSpaces& spaces, const LstmShape& shape)
      : workspace(pieces.take_bytes(spaces.workspace)),
        dy(pieces.take(shape.time * shape.batch * shape.hidden)),
        dx(pieces.take(shape.time * shape.batch * shape.input)),
        dweights(pieces.take_bytes(spaces.weights)) {}
};

inline std::int64_t kept_floats(const LstmSpaces& spaces, const LstmShape& shape) {
  Pieces pieces;
  Kept(pieces, spaces, shape);
  return pieces.floats() + kAlignment;  // for a reserve that starts anywhere
}
inline std::size_t scratch_bytes(const LstmSpaces& spaces, const LstmShape& shape) {
  Pieces pieces;
  Scratch(pieces, spaces, shape);
  return pieces.bytes();
}

inline float* align(float* data) {
  constexpr std::uintptr_t kBytes = kAlignment * sizeof(float);
  return reinterpret_cast<float*>((reinterpret_cast<std::uintptr_t>(data) + kBytes - 1) / kBytes * kBytes);
}

}  // namespace serval::nn
