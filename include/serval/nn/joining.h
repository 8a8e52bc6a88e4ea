// Several values into one, and their gradients.
#pragma once

#include "serval/core/portable_op.h"

namespace serval::nn {

// Rows of `width` numbers into or out of wider rows: to[r * to_stride + i] = from[r * from_stride + i].
struct CopyColumnsArgs {
  std::int64_t rows = 0, width = 0, from_stride = 0, to_stride = 0;
  const float* from = nullptr;
  float* to = nullptr;

  // Long rows are shared between teams.
  static constexpr std::int64_t kPiece = 8192;
  SERVAL_HD std::int64_t pieces() const { return (width + kPiece - 1) / kPiece; }
  SERVAL_HD std::int64_t teams() const { return rows * pieces(); }
  template <class Team>
  SERVAL_HD void work(const Team& team, std::int64_t index) const {
    const std::int64_t row = index / pieces();
    const std::int64_t first = index % pieces() * kPiece;
    const std::int64_t count = width - first < kPiece ? width - first : kPiece;
    const float* source = from + row * from_stride + first;
    float* target = to + row * to_stride + first;
    for (std::int64_t i = team.rank(); i < count; i += team.size()) target[i] = source[i];
  }
};
struct CopyColumns : PortableOp<CopyColumnsArgs> {
  static constexpr const char* kName = "copy_columns";
};

// y = a + b, of one size.
struct AddPairArgs {
  ConstTensorView a, b;
  TensorView y;

  void check() const {
    SERVAL_CHECK(a.size() == y.size() && b.size() == y.size(), "add ", to_string(a.shape), " and ",
                 to_string(b.shape));
  }
  SERVAL_HD std::int64_t count() const { return y.size(); }
  SERVAL_HD void at(std::int64_t i) const { y.data[i] = a.data[i] + b.data[i]; }
};
struct AddPair : PortableOp<AddPairArgs> {
  static constexpr const char* kName = "add_pair";
};

// x [outer, rows, inner] times a gate that says the same along some of these axes, those whose stride is 0:
//   y[o, r, i] = x[o, r, i] * gate[o * outer_stride + r * row_stride + i * inner_stride]
struct GateShape {
  std::int64_t outer = 1, rows = 1, inner = 1;
  std::int64_t outer_stride = 0, row_stride = 0, inner_stride = 0;
};
struct GateArgs {
  GateShape shape;
  ConstTensorView x, gate;
  TensorView y;

  void check() const {
    SERVAL_CHECK(x.size() == shape.outer * shape.rows * shape.inner && y.size() == x.size(), "gate ",
                 to_string(x.shape));
  }
  SERVAL_HD std::int64_t teams() const { return shape.outer * shape.rows; }
  template <class Team>
  SERVAL_HD void work(const Team& team, std::int64_t index) const {
    const float* from = x.data + index * shape.inner;
    float* to = y.data + index * shape.inner;
    const float* factor =
        gate.data + index / shape.rows * shape.outer_stride + index % shape.rows * shape.row_stride;
    for (std::int64_t i = team.rank(); i < shape.inner; i += team.size())
      to[i] = from[i] * factor[i * shape.inner_stride];
  }
};
struct Gate : PortableOp<GateArgs> {
  static constexpr const char* kName = "gate";
};

// Gradient of a gate without an inner axis: dgate = sum of dy * x over inner, and over outer where that has no stride.
struct GateGradientArgs {
  GateShape shape;
  ConstTensorView x, dy;
  TensorView dgate;  // [outer, rows], or [rows]

  void check() const {
    SERVAL_CHECK(shape.inner_stride == 0 && dgate.size() == teams(), "gate_gradient ",
                 to_string(dgate.shape));
  }
  SERVAL_HD std::int64_t teams() const {
    return shape.outer_stride > 0 ? shape.outer * shape.rows : shape.rows;
  }
  template <class Team>
  SERVAL_HD void work(const Team& team, std::int64_t index) const {
    const std::int64_t turns = shape.outer_stride > 0 ? 1 : shape.outer;
    double sum = 0;
    for (std::int64_t o = 0; o < turns; ++o) {
      const std::int64_t first = (o * shape.rows + index) * shape.inner;
      for (std::int64_t i = team.rank(); i < shape.inner; i += team.size())
        sum += static_cast<double>(x.data[first + i]) * static_cast<double>(dy.data[first + i]);
    }
    sum = team.sum(sum);
    if (team.rank() == 0) dgate.data[index] = static_cast<float>(sum);
  }
};
struct GateGradient : PortableOp<GateGradientArgs> {
  static constexpr const char* kName = "gate_gradient";
};

// The same of a gate that is one vector for all of `outer`, [inner], where there are no rows between.
struct GateVectorGradientArgs {
  std::int64_t outer = 0;
  ConstTensorView x, dy;  // [outer, inner]
  TensorView dgate;       // [inner]

  void check() const {
    SERVAL_CHECK(x.size() == outer * dgate.size() && dy.size() == x.size(), "gate_vector_gradient ",
                 to_string(dgate.shape));
  }
  SERVAL_HD std::int64_t count() const { return dgate.size(); }
  SERVAL_HD void at(std::int64_t i) const {
    const std::int64_t inner = dgate.size();
    double sum = 0;
    for (std::int64_t o = 0; o < outer; ++o)
      sum += static_cast<double>(x.data[o * inner + i]) * static_cast<double>(dy.data[o * inner + i]);
    dgate.data[i] = static_cast<float>(sum);
  }
};
struct GateVectorGradient : PortableOp<GateVectorGradientArgs> {
  static constexpr const char* kName = "gate_vector_gradient";
};

template <class List>
void list_joining_ops(List& list) {
  list.template op<CopyColumns>();
  list.template op<AddPair>();
  list.template op<Gate>();
  list.template op<GateGradient>();
  list.template op<GateVectorGradient>();
}

}  // namespace serval::nn
