// What flows between the layers of a network: rows of items.
//
// An item is one feature vector [feature], one image [channel, height, width], or whatever a layer says. Without a
// clock there is one item a recording, in memory [batch, item...]; with one there is one for each step of a sequence,
// [time, batch, item...], of which recording b has as many as the clock says; what stands at later steps means nothing,
// and its gradient is 0. A layer that works on items one by one does not ask which.
#pragma once

#include <cstdint>
#include <string>

#include "serval/core/hd.h"
#include "serval/core/tensor.h"

namespace serval::nn {

constexpr int kNoClock = -1;

struct ValueType {
  Shape item;
  int clock = kNoClock;  // into NetworkPlan::clocks

  bool sequence() const { return clock != kNoClock; }
  friend bool operator==(const ValueType&, const ValueType&) = default;
};
std::string to_string(const ValueType& type);  // "[time, 64]", "[3, 227, 227]"

// How many steps come out of n: same: ceil(n / stride), else floor((n + padding - extent) / stride) + 1.
struct LengthRule {
  std::int64_t extent = 1;  // steps that one result reads: 1 + dilation * (kernel - 1)
  std::int64_t stride = 1;
  std::int64_t padding = 0;  // both ends together
  bool same = false;
  std::int64_t least = 0;  // results of a sequence that is shorter than one reads; not with `same`

  SERVAL_HD std::int64_t operator()(std::int64_t n) const {
    if (same) return (n + stride - 1) / stride;
    const std::int64_t room = n + padding - extent;
    return room < 0 ? least : room / stride + 1;
  }
  std::int64_t shortest() const { return same || least > 0 || extent - padding < 1 ? 1 : extent - padding; }
  friend bool operator==(const LengthRule&, const LengthRule&) = default;
};

}  // namespace serval::nn
