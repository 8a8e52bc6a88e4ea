// to = share * from + keep * to; with keep 0, `to` is not read. Means of weights, sums of logits.
#pragma once

#include "serval/core/portable_op.h"

namespace serval::nn {

struct BlendIntoArgs {
  ConstTensorView from;
  TensorView to;
  float share = 1, keep = 0;

  void check() const {
    SERVAL_CHECK(from.size() == to.size(), "blend ", to_string(from.shape), " into ", to_string(to.shape));
  }
  SERVAL_HD std::int64_t count() const { return to.size(); }
  SERVAL_HD void at(std::int64_t i) const {
    to.data[i] = keep == 0 ? share * from.data[i] : share * from.data[i] + keep * to.data[i];
  }
};
struct BlendInto : PortableOp<BlendIntoArgs> {
  static constexpr const char* kName = "blend_into";
};

}  // namespace serval::nn
