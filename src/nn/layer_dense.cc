// y = activation(x w^T + b), for each row, be it a recording or a time step.
// Blocks: w [units, in], b [units].
#include "layer.h"

namespace serval::nn {

namespace {

class DenseLayer : public Layer {
 public:
  using Layer::Layer;

  ConstTensorView forward(const LayerCall& call, ConstTensorView x) override {
    const TensorView y = output(call);
    multiply(call.context, x, parameter(call, 0), y);
    run<BiasActivation>(call.context, BiasActivationArgs{.rows = rows(call),
                                                         .columns = planned().output,
                                                         .y = y,
                                                         .bias = parameter(call, 1),
                                                         .activation = planned().activation});
    return y;
  }

  void backward(const LayerCall& call, ConstTensorView x, ConstTensorView dy, TensorView dx) override {
    if (planned().activation != Activation::kNone) {
      const TensorView own = output_gradient(call);
      SERVAL_CHECK(dy.data == own.data, planned().name, " has an activation and needs its own gradient");
      run<ActivationBackward>(
          call.context,
          ActivationBackwardArgs{.y = output(call), .dy = own, .activation = planned().activation});
    }
    multiply_weight_gradient(call.context, x, dy, gradient(call, 0));
    run<ColumnSum>(
        call.context,
        ColumnSumArgs{.rows = rows(call), .columns = planned().output, .x = dy, .sums = gradient(call, 1)});
    if (!dx.empty()) multiply_input_gradient(call.context, dy, parameter(call, 0), dx, 0);
  }
};

}  // namespace

std::unique_ptr<Layer> make_dense_layer(const Context& context, const NetworkPlan& plan,
                                        const PlannedLayer& planned, const NetworkSizes& sizes) {
  return std::make_unique<DenseLayer>(context, plan, planned, sizes);
}

}  // namespace serval::nn
