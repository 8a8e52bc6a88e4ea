// Images of another size. No blocks.
#include "serval/nn/resize.h"

#include "../layer.h"
#include "layers.h"

namespace serval::nn {

namespace {

class ResizeLayer : public Layer {
 public:
  ResizeLayer(const LayerBuild& build, bool nearest)
      : Layer(build),
        height_{input().item[1], output().item[1], nearest},
        width_{input().item[2], output().item[2], nearest} {}

  void forward(const LayerCall& call, std::span<const ConstTensorView> x, TensorView y) override {
    run<Resize>(call.context,
                ResizeArgs{.images = images(call), .height = height_, .width = width_, .x = x[0], .y = y});
  }
  void backward(const LayerCall& call, const Backward& b) override {
    if (b.dx[0].empty()) return;
    run<ResizeBackward>(
        call.context,
        ResizeBackwardArgs{
            .images = images(call), .height = height_, .width = width_, .dy = b.dy, .dx = b.dx[0]});
  }

 private:
  std::int64_t images(const LayerCall& call) const { return call.rows(input()) * input().item[0]; }
  ResizeAxis height_, width_;
};

struct ResizeBody : LayerBodyOf<ResizeBody> {
  static constexpr const char* kType = "resize";
  std::vector<std::int64_t> size;
  bool nearest = false;

  void describe(SettingsVisitor& v) override {
    v.integers("size", size, {.min = 1, .max = 65536}, {"[height, width]", "values", Need::kRequired});
    v.choice("method", nearest, Options<bool>{{"bilinear", false}, {"nearest", true}},
             {"as PyTorch's interpolate, align_corners false"});
    v.check(size.empty() || size.size() == 2, "size", "two numbers: [height, width]");
  }
  void plan(NodePlan& node) const override {
    node.need_inputs(1);
    const ValueType& x = node.need_images();
    if (size.size() != 2) node.fail("has no size; give [height, width], such as [224, 224]");
    node.layer<ResizeLayer>(ValueType{Shape{x.item[0], size[0], size[1]}, x.clock}, nearest);
  }
};

}  // namespace

std::unique_ptr<LayerBody> make_resize() { return std::make_unique<ResizeBody>(); }

}  // namespace serval::nn
