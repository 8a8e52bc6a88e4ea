// Items in another shape. No blocks.
#include <algorithm>

#include "serval/nn/rearrange.h"

#include "../layer.h"
#include "layers.h"
#include "rearranged.h"

namespace serval::nn {

StridedCopyArgs permuted(const Shape& from, const int* order) {
  constexpr int kAxes = StridedCopyArgs::kAxes;
  SERVAL_CHECK(from.rank() <= kAxes, "permuting ", to_string(from));
  StridedCopyArgs out;
  for (int k = 0; k < from.rank(); ++k) {
    std::int64_t stride = 1;
    for (int axis = order[k] + 1; axis < from.rank(); ++axis) stride *= from[axis];
    out.size[kAxes - from.rank() + k] = from[order[k]];
    out.stride[kAxes - from.rank() + k] = stride;
  }
  return out;
}

namespace {

struct Flatten : LayerBodyOf<Flatten> {
  static constexpr const char* kType = "flatten";

  void describe(SettingsVisitor&) override {}
  void plan(NodePlan& node) const override {
    node.need_inputs(1);
    node.view(Shape{node.input().item.size()});
  }
};

struct Reshape : LayerBodyOf<Reshape> {
  static constexpr const char* kType = "reshape";
  std::vector<std::int64_t> shape;

  void describe(SettingsVisitor& v) override {
    v.integers("shape", shape, {.min = -1, .max = 1 << 24},
               {"of an item, the last axis fastest; one -1: what is left over", "", Need::kRequired});
    const bool few = shape.size() <= 4;
    const bool full = std::count(shape.begin(), shape.end(), 0) == 0;
    const bool one = std::count(shape.begin(), shape.end(), -1) <= 1;
    v.check(few, "shape", "an item has at most 4 axes");
    v.check(full, "shape", "an axis has at least one value");
    v.check(one, "shape", "only one size can follow from the others");
    if (!few || !full || !one) shape = {-1};  // the layers are planned even so, to find more mistakes
  }
  void plan(NodePlan& node) const override {
    node.need_inputs(1);
    if (shape.empty()) node.fail("has no shape; give that of its items, as in \"shape\": [1, 40, -1]");
    const std::int64_t size = node.input().item.size();
    std::int64_t known = 1;
    for (const std::int64_t dim : shape) known *= dim < 0 ? 1 : dim;
    Shape item;
    for (const std::int64_t dim : shape) item.append(dim < 0 ? std::max<std::int64_t>(size / known, 1) : dim);
    if (item.size() != size) {
      node.fail_size(cat("would make ", serval::to_string(item), ", ", item.size(), " values, of ",
                         to_string(node.input()), ", which has ", size, " an item"));
    }
    node.view(item);
  }
};

struct Permute : LayerBodyOf<Permute> {
  static constexpr const char* kType = "permute";
  std::vector<std::int64_t> axes;

  void describe(SettingsVisitor& v) override {
    v.integers("axes", axes, {.min = 0, .max = 3},
               {"which axis of the item comes first, second and so on, counted from 0", "", Need::kRequired});
  }
  void plan(NodePlan& node) const override {
    node.need_inputs(1);
    const ValueType& x = node.input();
    std::vector<std::int64_t> all;
    for (int k = 0; k < x.item.rank(); ++k) all.push_back(k);
    if (!std::is_permutation(axes.begin(), axes.end(), all.begin(), all.end())) {
      node.fail(cat("must name each of the ", x.item.rank(), " axes of the items of ", to_string(x),
                    " once, from 0, as in \"axes\": [1, 2, 0] for three"));
    }
    std::vector<int> order{0};  // items stay where they are
    Shape item;
    for (const std::int64_t axis : axes) {
      order.push_back(static_cast<int>(axis) + 1);
      item.append(x.item[static_cast<int>(axis)]);
    }
    node.layer<RearrangedLayer>(ValueType{item, x.clock}, x.item, order, false);
  }
};

}  // namespace

std::unique_ptr<LayerBody> make_flatten() { return std::make_unique<Flatten>(); }
std::unique_ptr<LayerBody> make_reshape() { return std::make_unique<Reshape>(); }
std::unique_ptr<LayerBody> make_permute() { return std::make_unique<Permute>(); }

}  // namespace serval::nn
