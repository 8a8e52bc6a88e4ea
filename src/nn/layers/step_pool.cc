// Pools of sequences: the largest or the mean of the steps under a window that moves along time, feature by feature. A
// sequence's end is the end of what is read, however long others are. No blocks.
#include "serval/nn/unfold_steps.h"

#include "../layer.h"
#include "convolution.h"
#include "layers.h"

namespace serval::nn {

namespace {

class StepPoolLayer : public Layer {
 public:
  StepPoolLayer(const LayerBuild& build, StepWindow window, bool largest, bool count_padding)
      : Layer(build), window_(window), largest_(largest), count_padding_(count_padding) {
    if (largest) taps_ = {build.context.device(), {build.max_rows(output()) * output().item[0]}};
  }

  void forward(const LayerCall& call, std::span<const ConstTensorView> x, TensorView y) override {
    const View<const std::int32_t> lengths = call.steps(input()).lengths;
    const std::int64_t steps = call.steps(output()).time;
    if (largest_) {
      run<MaxPoolSteps>(call.context, MaxPoolStepsArgs{.window = window_,
                                                       .batch = call.batch,
                                                       .features = input().item[0],
                                                       .steps = steps,
                                                       .x = x[0],
                                                       .lengths = lengths,
                                                       .y = y,
                                                       .taps = taps_.view()});
      return;
    }
    run<AveragePoolSteps>(call.context, AveragePoolStepsArgs{.window = window_,
                                                             .batch = call.batch,
                                                             .features = input().item[0],
                                                             .steps = steps,
                                                             .count_padding = count_padding_,
                                                             .x = x[0],
                                                             .lengths = lengths,
                                                             .y = y});
  }
  void backward(const LayerCall& call, const Backward& b) override {
    if (b.dx[0].empty()) return;
    PoolStepsBackwardArgs args{.window = window_,
                               .time = call.steps(input()).time,
                               .batch = call.batch,
                               .features = input().item[0],
                               .count_padding = count_padding_,
                               .dy = b.dy,
                               .taps = {},
                               .lengths = call.steps(input()).lengths,
                               .dx = b.dx[0]};
    if (largest_) args.taps = taps_.view();
    run<PoolStepsBackward>(call.context, args);
  }

 private:
  StepWindow window_;
  bool largest_, count_padding_;
  Array<std::int32_t> taps_;
};

template <class Derived, bool kLargest>
struct StepPool : LayerBodyOf<Derived> {
  PoolSettings settings;

  void describe(SettingsVisitor& v) override {
    describe_pool(v, settings, 1);
    if (!kLargest) describe_count_padding(v, settings);
  }
  void plan(NodePlan& node) const override {
    node.need_inputs(1);
    const ValueType x = node.need_sequence();
    check_pool_padding(node, settings, window(settings.window, 1, 0));
    const StepWindow steps = step_window(settings.window);
    node.layer<StepPoolLayer>(ValueType{x.item, node.clock(x.clock, steps.rule)}, steps, kLargest,
                              settings.count_padding);
  }
};
struct MaxPool1d : StepPool<MaxPool1d, true> {
  static constexpr const char* kType = "max_pool1d";
};
struct AveragePool1d : StepPool<AveragePool1d, false> {
  static constexpr const char* kType = "average_pool1d";
};

}  // namespace

std::unique_ptr<LayerBody> make_max_pool1d() { return std::make_unique<MaxPool1d>(); }
std::unique_ptr<LayerBody> make_average_pool1d() { return std::make_unique<AveragePool1d>(); }

}  // namespace serval::nn
