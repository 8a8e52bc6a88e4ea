// From a sequence to one vector, without parameters: the mean over time, the largest of each feature, and the last step.
#include "serval/nn/pooling.h"
#include "serval/nn/tokens.h"

#include "../layer.h"
#include "layers.h"

namespace serval::nn {

namespace {

template <class Forward, class BackwardOp>
class SequencePoolLayer : public Layer {
 public:
  SequencePoolLayer(const LayerBuild& build, std::int64_t reversed_from)
      : Layer(build), reversed_from_(reversed_from) {}

  void forward(const LayerCall& call, std::span<const ConstTensorView> x, TensorView y) override {
    PoolArgs args = common(call);
    args.x = x[0];
    args.y = y;
    run<Forward>(call.context, args);
  }

  void backward(const LayerCall& call, const Backward& b) override {
    if (b.dx[0].empty()) return;
    run<FillZero>(call.context, b.dx[0]);
    PoolArgs args = common(call);
    args.dy = b.dy;
    args.dx = b.dx[0];
    run<BackwardOp>(call.context, args);
  }

 private:
  PoolArgs common(const LayerCall& call) const {
    const Steps& steps = call.steps(input());
    PoolArgs args;
    args.shape = {steps.time, call.batch, input().item[0]};
    args.lengths = steps.lengths;
    args.reversed_from = reversed_from_;
    return args;
  }

  std::int64_t reversed_from_;
};

template <class Derived, class Forward, class BackwardOp>
struct SequencePool : LayerBodyOf<Derived> {
  void describe(SettingsVisitor&) override {}
  void plan(NodePlan& node) const override {
    node.need_inputs(1);
    const ValueType x = node.need_sequence();
    node.layer<SequencePoolLayer<Forward, BackwardOp>>(ValueType{x.item, kNoClock}, node.reversed_from());
  }
};

struct MeanPool : SequencePool<MeanPool, MeanPoolForward, MeanPoolBackward> {
  static constexpr const char* kType = "mean_pool";
};
struct LastPool : SequencePool<LastPool, LastPoolForward, LastPoolBackward> {
  static constexpr const char* kType = "last_pool";
};

class SequenceMaxLayer : public Layer {
 public:
  explicit SequenceMaxLayer(const LayerBuild& build)
      : Layer(build), steps_(build.context.device(), {build.sizes.max_batch * input().item[0]}) {}

  void forward(const LayerCall& call, std::span<const ConstTensorView> x, TensorView y) override {
    run<SequenceMax>(call.context, SequenceMaxArgs{.batch = call.batch,
                                                   .feature = input().item[0],
                                                   .lengths = call.steps(input()).lengths,
                                                   .x = x[0],
                                                   .y = y,
                                                   .steps = steps_.view(0, {y.size()})});
  }
  void backward(const LayerCall& call, const Backward& b) override {
    if (b.dx[0].empty()) return;
    run<SequenceMaxBackward>(
        call.context,
        SequenceMaxBackwardArgs{
            .width = b.dy.size(), .steps = steps_.view(0, {b.dy.size()}), .dy = b.dy, .dx = b.dx[0]});
  }

 private:
  Array<std::int32_t> steps_;
};

struct SequenceMaxPool : LayerBodyOf<SequenceMaxPool> {
  static constexpr const char* kType = "sequence_max_pool";

  void describe(SettingsVisitor&) override {}
  void plan(NodePlan& node) const override {
    node.need_inputs(1);
    const ValueType x = node.need_sequence();
    node.layer<SequenceMaxLayer>(ValueType{x.item, kNoClock});
  }
};

}  // namespace

std::unique_ptr<LayerBody> make_mean_pool() { return std::make_unique<MeanPool>(); }
std::unique_ptr<LayerBody> make_sequence_max_pool() { return std::make_unique<SequenceMaxPool>(); }
std::unique_ptr<LayerBody> make_last_pool() { return std::make_unique<LastPool>(); }

}  // namespace serval::nn
