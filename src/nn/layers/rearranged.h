// A layer that gives its input's numbers in another order.
#pragma once

#include <vector>

#include "serval/nn/rearrange.h"

#include "../layer.h"

namespace serval::nn {

class RearrangedLayer : public Layer {
 public:
  // The input seen as [rows, inner...], or [time, batch, inner...]; axis k of the result is axis order[k] of that.
  RearrangedLayer(const LayerBuild& build, Shape inner, std::vector<int> order, bool with_time)
      : Layer(build), inner_(inner), order_(std::move(order)), back_(order_.size()), with_time_(with_time) {
    for (std::size_t k = 0; k < order_.size(); ++k)
      back_[static_cast<std::size_t>(order_[k])] = static_cast<int>(k);
  }

  void forward(const LayerCall& call, std::span<const ConstTensorView> x, TensorView y) override {
    StridedCopyArgs args = permuted(seen(call), order_.data());
    args.x = x[0];
    args.y = y;
    run<StridedCopy>(call.context, args);
  }
  void backward(const LayerCall& call, const Backward& b) override {
    if (b.dx[0].empty()) return;
    const Shape from = seen(call);
    Shape to;
    for (const int axis : order_) to.append(from[axis]);
    StridedCopyArgs args = permuted(to, back_.data());
    args.x = b.dy;
    args.y = b.dx[0];
    run<StridedCopy>(call.context, args);
  }

 private:
  Shape seen(const LayerCall& call) const {
    Shape out = with_time_ ? Shape{call.steps(input()).time, call.batch} : Shape{call.rows(input())};
    return out.append(inner_);
  }

  Shape inner_;
  std::vector<int> order_, back_;
  bool with_time_;
};

}  // namespace serval::nn
