// Some of an item's values: `size` of them along its first axis, from `start` on. No blocks.
#include <algorithm>

#include "serval/nn/arithmetic.h"
#include "serval/nn/joining.h"

#include "../layer.h"
#include "layers.h"

namespace serval::nn {

namespace {

class SliceLayer : public Layer {
 public:
  SliceLayer(const LayerBuild& build, std::int64_t start) : Layer(build), start_(start) {}

  void forward(const LayerCall& call, std::span<const ConstTensorView> x, TensorView y) override {
    run<CopyColumns>(call.context, CopyColumnsArgs{.rows = call.rows(input()),
                                                   .width = own(),
                                                   .from_stride = wide(),
                                                   .to_stride = own(),
                                                   .from = x[0].data + first(),
                                                   .to = y.data});
  }
  void backward(const LayerCall& call, const Backward& b) override {
    if (b.dx[0].empty()) return;
    run<FillZero>(call.context, b.dx[0]);
    run<CopyColumns>(call.context, CopyColumnsArgs{.rows = call.rows(input()),
                                                   .width = own(),
                                                   .from_stride = own(),
                                                   .to_stride = wide(),
                                                   .from = b.dy.data,
                                                   .to = b.dx[0].data + first()});
  }

 private:
  std::int64_t wide() const { return input().item.size(); }
  std::int64_t own() const { return output().item.size(); }
  std::int64_t first() const { return start_ * (wide() / input().item[0]); }
  std::int64_t start_;
};

struct Slice : LayerBodyOf<Slice> {
  static constexpr const char* kType = "slice";
  std::int64_t start = 0;
  std::int64_t size = 1;

  void describe(SettingsVisitor& v) override {
    v.integer("start", start, {.min = 0, .max = 1 << 24}, {"the first feature or channel, from 0"});
    v.integer("size", size, {.min = 1, .max = 1 << 24}, {"how many there are", "", Need::kRequired});
  }
  void plan(NodePlan& node) const override {
    node.need_inputs(1);
    const ValueType& x = node.input();
    if (start + size > x.item[0]) {
      node.fail_size(cat("takes ", size, " from ", start, " on, but its input ", to_string(x), " has ",
                         x.item[0], " from 0"));
    }
    Shape item{size};
    for (int axis = 1; axis < x.item.rank(); ++axis) item.append(x.item[axis]);
    if (item.rank() == 1)
      node.set_reversed_from(std::clamp<std::int64_t>(node.reversed_from() - start, 0, size));
    node.layer<SliceLayer>(ValueType{item, x.clock}, start);
  }
};

}  // namespace

std::unique_ptr<LayerBody> make_slice() { return std::make_unique<Slice>(); }
std::unique_ptr<LayerBody> make_slice(std::int64_t start, std::int64_t size) {
  auto body = std::make_unique<Slice>();
  body->start = start;
  body->size = size;
  return body;
}

}  // namespace serval::nn
