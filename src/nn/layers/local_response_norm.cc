// Local response norm over the channels of images, or the features of vectors. No blocks.
#include "serval/nn/local_response_norm.h"

#include "../layer.h"
#include "layers.h"

namespace serval::nn {

namespace {

class LocalResponseNormLayer : public Layer {
 public:
  LocalResponseNormLayer(const LayerBuild& build, const ResponseShape& shape) : Layer(build), shape_(shape) {
    shape_.channels = input().item[0];
    shape_.inner = input().item.size() / shape_.channels;
    sums_ = build.floats(build.max_rows(input()) * input().item.size());
  }

  void forward(const LayerCall& call, std::span<const ConstTensorView> x, TensorView y) override {
    shape_.rows = call.rows(input());
    run<LocalResponse>(call.context,
                       LocalResponseArgs{.shape = shape_, .x = x[0], .y = y, .sums = sums_.view(0, y.shape)});
  }
  void backward(const LayerCall& call, const Backward& b) override {
    if (b.dx[0].empty()) return;
    run<LocalResponseBackward>(call.context, LocalResponseBackwardArgs{.shape = shape_,
                                                                       .x = b.x[0],
                                                                       .y = b.y,
                                                                       .sums = sums_.view(0, b.y.shape),
                                                                       .dy = b.dy,
                                                                       .dx = b.dx[0]});
  }

 private:
  ResponseShape shape_;
  Tensor sums_;
};

struct LocalResponseNorm : LayerBodyOf<LocalResponseNorm> {
  static constexpr const char* kType = "local_response_norm";
  std::int64_t size = 5;
  double alpha = 1e-4;
  double beta = 0.75;
  double k = 1;

  void describe(SettingsVisitor& v) override {
    v.integer("size", size, {.min = 1, .max = 1024}, {"how many neighbouring channels count", "channels"});
    v.real("alpha", alpha, {.min = 0, .max = 100},
           {"weight of their squares, divided by size as in PyTorch"});
    v.real("beta", beta, {.min = 0, .max = 10}, {"exponent"});
    v.real("k", k, {.min = 0, .max = 100, .above_min = true}, {"added to the squares; 2 in AlexNet"});
  }
  void plan(NodePlan& node) const override {
    node.need_inputs(1);
    const ValueType& x = node.input();
    if (x.item.rank() != 1) node.need_images();
    node.layer<LocalResponseNormLayer>(x, ResponseShape{.size = size,
                                                        .alpha = static_cast<float>(alpha),
                                                        .beta = static_cast<float>(beta),
                                                        .k = static_cast<float>(k)});
  }
};

}  // namespace

std::unique_ptr<LayerBody> make_local_response_norm() { return std::make_unique<LocalResponseNorm>(); }

}  // namespace serval::nn
