// Dropout in training; outside it the input goes through untouched.
#include "layer.h"

namespace serval::nn {

namespace {

// Steps between two sequences in the numbering of the mask. A constant, longer than any recording: were it the
// longest recording of the data, a test recording would have a say in the masks of training.
constexpr std::int64_t kTimeStride = std::int64_t{1} << 24;

class DropoutLayer : public Layer {
 public:
  using Layer::Layer;

  ConstTensorView forward(const LayerCall& call, ConstTensorView x) override {
    if (call.mode == Mode::kInfer) return x;
    drop(call, x, output(call));
    return output(call);
  }
  void backward(const LayerCall& call, ConstTensorView, ConstTensorView dy, TensorView dx) override {
    if (!dx.empty()) drop(call, dy, dx);
  }

 private:
  void drop(const LayerCall& call, ConstTensorView from, TensorView to) const {
    RandomStream random = call.random;
    random.purpose = RandomPurpose::kDropout;
    random.layer = planned().dropout_index;
    const bool sequence = planned().sequence_in;
    run<Dropout>(call.context, DropoutArgs{.time = sequence ? call.batch.time : 1,
                                           .batch = call.batch.batch,
                                           .columns = planned().output,
                                           .time_stride = sequence ? kTimeStride : 1,
                                           .x = from,
                                           .y = to,
                                           .rate = planned().rate,
                                           .random = random});
  }
};

}  // namespace

std::unique_ptr<Layer> make_dropout_layer(const Context& context, const NetworkPlan& plan,
                                          const PlannedLayer& planned, const NetworkSizes& sizes) {
  return std::make_unique<DropoutLayer>(context, plan, planned, sizes);
}

}  // namespace serval::nn
