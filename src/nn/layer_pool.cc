// The pools without parameters: the mean over time, and the last step.
#include "serval/nn/pooling.h"

#include "layer.h"

namespace serval::nn {

namespace {

class PoolLayer : public Layer {
 public:
  using Layer::Layer;

  ConstTensorView forward(const LayerCall& call, ConstTensorView x) override {
    PoolArgs args = common(call);
    args.x = x;
    args.y = output(call);
    if (planned().type == LayerType::kMeanPool) {
      run<MeanPoolForward>(call.context, args);
    } else {
      run<LastPoolForward>(call.context, args);
    }
    return args.y;
  }

  void backward(const LayerCall& call, ConstTensorView, ConstTensorView dy, TensorView dx) override {
    if (dx.empty()) return;
    run<FillZero>(call.context, dx);
    PoolArgs args = common(call);
    args.dy = dy;
    args.dx = dx;
    if (planned().type == LayerType::kMeanPool) {
      run<MeanPoolBackward>(call.context, args);
    } else {
      run<LastPoolBackward>(call.context, args);
    }
  }

 private:
  PoolArgs common(const LayerCall& call) const {
    PoolArgs args;
    args.shape = {call.batch.time, call.batch.batch, planned().input};
    args.lengths = call.batch.lengths;
    args.reversed_from = planned().reversed_from;
    return args;
  }
};

}  // namespace

std::unique_ptr<Layer> make_pool_layer(const Context& context, const NetworkPlan& plan,
                                       const PlannedLayer& planned, const NetworkSizes& sizes) {
  return std::make_unique<PoolLayer>(context, plan, planned, sizes);
}

}  // namespace serval::nn
