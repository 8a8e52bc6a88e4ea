// One LSTM layer, one way or both.   blocks for each direction: w_x, w_h, b, one after the other in memory
#include <array>

#include "serval/nn/lstm.h"

#include "layer.h"

namespace serval::nn {

namespace {

class LstmLayer : public Layer {
 public:
  LstmLayer(const Context& context, const NetworkPlan& plan, const PlannedLayer& layer,
            const NetworkSizes& sizes)
      : Layer(context, plan, layer, sizes) {
    for (int direction = 0; direction < directions(); ++direction) {
      LstmShape largest{sizes.max_time, sizes.max_batch, layer.input, layer.hidden, direction == 1};
      reserve_[static_cast<std::size_t>(direction)] =
          Tensor(context.device(), {lstm_reserve_size(context, largest)});
    }
  }

  ConstTensorView forward(const LayerCall& call, ConstTensorView x) override {
    const TensorView y = output(call);
    for (int direction = 0; direction < directions(); ++direction) {
      LstmForwardArgs args = common<LstmForwardArgs>(call, x, direction);
      args.y = y.data + direction * planned().hidden;
      args.training = call.mode == Mode::kTrain;
      lstm_forward(call.context, args);
    }
    return y;
  }

  void backward(const LayerCall& call, ConstTensorView x, ConstTensorView dy, TensorView dx) override {
    if (!dx.empty()) run<FillZero>(call.context, dx);
    const TensorView y = output(call);
    for (int direction = 0; direction < directions(); ++direction) {
      LstmBackwardArgs args = common<LstmBackwardArgs>(call, x, direction);
      args.y = y.data + direction * planned().hidden;
      args.dy = dy.data + direction * planned().hidden;
      args.dx = dx;
      TensorView gradients = gradient(call, first_block(direction));
      gradients.shape = args.weights.shape;
      args.dweights = gradients;
      lstm_backward(call.context, args);
    }
  }

 private:
  int directions() const { return planned().bidirectional ? 2 : 1; }
  static std::size_t first_block(int direction) { return static_cast<std::size_t>(3 * direction); }

  template <class Args>
  Args common(const LayerCall& call, ConstTensorView x, int direction) {
    Args args;
    args.shape = {call.batch.time, call.batch.batch, planned().input, planned().hidden, direction == 1};
    args.x = x;
    args.lengths = call.batch.lengths;
    args.host_lengths = call.batch.host_lengths;
    args.weights = parameter(call, first_block(direction));  // and the two blocks behind it
    args.weights.shape = {lstm_parameter_count(planned().input, planned().hidden)};
    args.y_stride = planned().output;
    args.reserve = reserve_[static_cast<std::size_t>(direction)].view();
    return args;
  }

  std::array<Tensor, 2> reserve_;
};

}  // namespace

std::unique_ptr<Layer> make_lstm_layer(const Context& context, const NetworkPlan& plan,
                                       const PlannedLayer& planned, const NetworkSizes& sizes) {
  return std::make_unique<LstmLayer>(context, plan, planned, sizes);
}

}  // namespace serval::nn
