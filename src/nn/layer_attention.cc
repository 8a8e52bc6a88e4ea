// Attention pool: scores from a small hidden layer, softmax over a recording's own steps, weighted sum.
//   blocks: w [units, feature], b [units], v [1, units]
#include "serval/nn/pooling.h"

#include "layer.h"

namespace serval::nn {

namespace {

class AttentionLayer : public Layer {
 public:
  AttentionLayer(const Context& context, const NetworkPlan& plan, const PlannedLayer& layer,
                 const NetworkSizes& sizes)
      : Layer(context, plan, layer, sizes) {
    const Device device = context.device();
    const std::int64_t steps = sizes.max_time * sizes.max_batch;
    hidden_ = Tensor(device, {steps, layer.hidden});
    hidden_gradient_ = Tensor(device, {steps, layer.hidden});
    scores_ = Tensor(device, {steps});
    weights_ = Tensor(device, {steps});
    score_gradient_ = Tensor(device, {steps, 1});
    // The op always writes the gradient of its input, even where the network reads none.
    if (&layer == &plan.layers.front()) unread_dx_ = Tensor(device, {steps, layer.input});
  }

  ConstTensorView forward(const LayerCall& call, ConstTensorView x) override {
    const std::int64_t steps = rows(call);
    const TensorView hidden = hidden_.view(0, {steps, planned().hidden});
    multiply(call.context, x, parameter(call, kW), hidden);
    run<BiasActivation>(call.context, BiasActivationArgs{.rows = steps,
                                                         .columns = planned().hidden,
                                                         .y = hidden,
                                                         .bias = parameter(call, kB),
                                                         .activation = Activation::kTanh});
    AttentionPoolArgs args = common(call);
    const TensorView scores = scores_.view(0, args.weights.shape);
    multiply(call.context, hidden, parameter(call, kV), scores);
    args.x = x;
    args.scores = scores;
    args.y = output(call);
    run<AttentionPoolForward>(call.context, args);
    return args.y;
  }

  void backward(const LayerCall& call, ConstTensorView x, ConstTensorView dy, TensorView dx) override {
    const std::int64_t steps = rows(call);
    const bool wanted = !dx.empty();
    if (!wanted) dx = unread_dx_.view(0, x.shape);
    run<FillZero>(call.context, dx);
    AttentionPoolArgs args = common(call);
    args.x = x;
    args.dy = dy;
    args.dx = dx;
    args.dscores = score_gradient_.view(0, args.weights.shape);
    run<AttentionPoolBackward>(call.context, args);

    const TensorView hidden = hidden_.view(0, {steps, planned().hidden});
    const TensorView hidden_gradient = hidden_gradient_.view(0, hidden.shape);
    const ConstTensorView dscores = score_gradient_.view(0, {steps, 1});
    multiply_weight_gradient(call.context, hidden, dscores, gradient(call, kV));
    multiply_input_gradient(call.context, dscores, parameter(call, kV), hidden_gradient, 0);
    run<ActivationBackward>(
        call.context,
        ActivationBackwardArgs{.y = hidden, .dy = hidden_gradient, .activation = Activation::kTanh});
    multiply_weight_gradient(call.context, x, hidden_gradient, gradient(call, kW));
    run<ColumnSum>(
        call.context,
        ColumnSumArgs{
            .rows = steps, .columns = planned().hidden, .x = hidden_gradient, .sums = gradient(call, kB)});
    if (wanted) multiply_input_gradient(call.context, hidden_gradient, parameter(call, kW), dx, 1);
  }

 private:
  enum Block : std::size_t { kW, kB, kV };

  AttentionPoolArgs common(const LayerCall& call) {
    AttentionPoolArgs args;
    args.shape = {call.batch.time, call.batch.batch, planned().input};
    args.lengths = call.batch.lengths;
    args.weights = weights_.view(0, {call.batch.time, call.batch.batch});
    return args;
  }

  Tensor hidden_;
  Tensor hidden_gradient_;
  Tensor scores_;
  Tensor weights_;
  Tensor score_gradient_;
  Tensor unread_dx_;
};

}  // namespace

std::unique_ptr<Layer> make_attention_layer(const Context& context, const NetworkPlan& plan,
                                            const PlannedLayer& planned, const NetworkSizes& sizes) {
  return std::make_unique<AttentionLayer>(context, plan, planned, sizes);
}

}  // namespace serval::nn
