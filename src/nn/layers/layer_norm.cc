// Layer norm over the last axis of each item: of a vector, its features.
// Blocks (where affine): gamma [columns], beta [columns]; PyTorch's weight and bias.
#include "serval/nn/layer_norm.h"

#include "../layer.h"
#include "layers.h"

namespace serval::nn {

namespace {

class LayerNormLayer : public Layer {
 public:
  LayerNormLayer(const LayerBuild& build, double epsilon, bool affine)
      : Layer(build),
        epsilon_(static_cast<float>(epsilon)),
        affine_(affine),
        columns_(input().item[input().item.rank() - 1]) {
    const std::int64_t rows = build.max_rows(input()) * (input().item.size() / columns_);
    statistics_ = build.floats(2 * rows);
    sums_ = build.floats(build.sizes.training && trains() ? 2 * columns_ * layer_norm_parts(rows) : 0);
  }

  void forward(const LayerCall& call, std::span<const ConstTensorView> x, TensorView y) override {
    const std::int64_t rows = y.size() / columns_;
    run<LayerNorm>(call.context, LayerNormArgs{.rows = rows,
                                               .columns = columns_,
                                               .x = x[0],
                                               .gamma = affine_ ? parameter(call, 0) : ConstTensorView{},
                                               .beta = affine_ ? parameter(call, 1) : ConstTensorView{},
                                               .y = y,
                                               .statistics = statistics_.view(0, {rows, 2}),
                                               .epsilon = epsilon_});
  }

  void backward(const LayerCall& call, const Backward& b) override {
    const std::int64_t rows = b.y.size() / columns_;
    const ConstTensorView statistics = statistics_.view(0, {rows, 2});
    if (trains()) {
      const std::int64_t parts = layer_norm_parts(rows);
      const TensorView sums = sums_.view(0, {parts, 2, columns_});
      run<LayerNormSums>(call.context, LayerNormSumsArgs{.rows = rows,
                                                         .columns = columns_,
                                                         .x = b.x[0],
                                                         .dy = b.dy,
                                                         .statistics = statistics,
                                                         .sums = sums});
      run<LayerNormGather>(call.context, LayerNormGatherArgs{.parts = parts,
                                                             .columns = columns_,
                                                             .sums = sums,
                                                             .dgamma = gradient(call, 0),
                                                             .dbeta = gradient(call, 1)});
    }
    if (b.dx[0].empty()) return;
    run<LayerNormBackward>(call.context,
                           LayerNormBackwardArgs{.rows = rows,
                                                 .columns = columns_,
                                                 .x = b.x[0],
                                                 .dy = b.dy,
                                                 .statistics = statistics,
                                                 .gamma = affine_ ? parameter(call, 0) : ConstTensorView{},
                                                 .dx = b.dx[0]});
  }

 private:
  float epsilon_;
  bool affine_;
  std::int64_t columns_;
  Tensor statistics_;
  Tensor sums_;
};

struct LayerNormBody : LayerBodyOf<LayerNormBody> {
  static constexpr const char* kType = "layer_norm";
  double epsilon = 1e-5;
  bool affine = true;

  void describe(SettingsVisitor& v) override {
    v.real("epsilon", epsilon, {.min = 0, .max = 1, .above_min = true},
           {"added to the variance; 1e-5 in PyTorch, 1e-3 in Keras"});
    v.flag("affine", affine, {"scales and shifts each feature by learned amounts"});
  }
  void plan(NodePlan& node) const override {
    node.need_inputs(1);
    const ValueType x = node.input();
    const std::int64_t columns = x.item[x.item.rank() - 1];
    if (affine) {
      node.block("gamma", {columns}, {.kind = InitKind::kOnes});
      node.block("beta", {columns}, {});
    }
    node.set_reversed_from(node.reversed_from());
    node.layer<LayerNormLayer>(x, epsilon, affine);
  }
};

}  // namespace

std::unique_ptr<LayerBody> make_layer_norm() { return std::make_unique<LayerNormBody>(); }
std::unique_ptr<LayerBody> make_layer_norm(double epsilon) {
  auto body = std::make_unique<LayerNormBody>();
  body->epsilon = epsilon;
  return body;
}

}  // namespace serval::nn
