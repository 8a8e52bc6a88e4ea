// Small steps between layers.
#pragma once

#include "serval/core/portable_op.h"
#include "serval/nn/value_type.h"

namespace serval::nn {

// to = from + beta * to; with beta 0, `to` is not read.
struct AddIntoArgs {
  ConstTensorView from;
  TensorView to;
  float beta = 1;

  void check() const {
    SERVAL_CHECK(from.size() == to.size(), "add_into ", to_string(from.shape), " to ", to_string(to.shape));
  }
  SERVAL_HD std::int64_t count() const { return to.size(); }
  SERVAL_HD void at(std::int64_t i) const {
    to.data[i] = beta == 0 ? from.data[i] : from.data[i] + beta * to.data[i];
  }
};
struct AddInto : PortableOp<AddIntoArgs> {
  static constexpr const char* kName = "add_into";
};

// Lengths of sequences that a layer made shorter.
struct DeriveLengthsArgs {
  View<const std::int32_t> from;  // [batch]
  View<std::int32_t> to;          // [batch]
  LengthRule rule;

  void check() const { SERVAL_CHECK(from.size() == to.size(), from.size(), " lengths to ", to.size()); }
  SERVAL_HD std::int64_t count() const { return to.size(); }
  SERVAL_HD void at(std::int64_t i) const { to.data[i] = static_cast<std::int32_t>(rule(from.data[i])); }
};
struct DeriveLengths : PortableOp<DeriveLengthsArgs> {
  static constexpr const char* kName = "derive_lengths";
};

template <class List>
void list_arithmetic_ops(List& list) {
  list.template op<AddInto>();
  list.template op<DeriveLengths>();
}

}  // namespace serval::nn
