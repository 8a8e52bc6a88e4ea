// A sequence cut into stretches that overlap, each of them one step of a shorter sequence: what networks read that look at
// segments one by one and then over them. Step k holds the input's steps [k shift, k shift + frames) as an item
// [frames, features]; what lies past the end is 0. No blocks.
#include "serval/nn/arithmetic.h"
#include "serval/nn/unfold_steps.h"

#include "../layer.h"
#include "layers.h"

namespace serval::nn {

namespace {

class SegmentsLayer : public Layer {
 public:
  SegmentsLayer(const LayerBuild& build, StepWindow window) : Layer(build), window_(window) {}

  void forward(const LayerCall& call, std::span<const ConstTensorView> x, TensorView y) override {
    const Steps& steps = call.steps(input());
    run<UnfoldSteps>(call.context, UnfoldStepsArgs{.window = window_,
                                                   .time = steps.time,
                                                   .batch = call.batch,
                                                   .features = features(),
                                                   .steps = call.steps(output()).time,
                                                   .width = features(),
                                                   .x = x[0],
                                                   .lengths = steps.lengths,
                                                   .columns = y});
  }
  void backward(const LayerCall& call, const Backward& b) override {
    if (b.dx[0].empty()) return;
    run<FillZero>(call.context, b.dx[0]);
    const Steps& steps = call.steps(input());
    run<FoldSteps>(call.context, FoldStepsArgs{.window = window_,
                                               .time = steps.time,
                                               .batch = call.batch,
                                               .features = features(),
                                               .steps = call.steps(output()).time,
                                               .width = features(),
                                               .columns = b.dy,
                                               .lengths = steps.lengths,
                                               .dx = b.dx[0]});
  }

 private:
  std::int64_t features() const { return input().item[0]; }

  StepWindow window_;
};

enum class Tail { kPad, kDrop };
const Options<Tail>& tails() {
  static const Options<Tail> options{{"pad", Tail::kPad}, {"drop", Tail::kDrop}};
  return options;
}

struct Segments : LayerBodyOf<Segments> {
  static constexpr const char* kType = "segments";
  std::int64_t frames = 64;
  std::int64_t shift = 0;
  Tail tail = Tail::kPad;

  void describe(SettingsVisitor& v) override {
    v.integer("frames", frames, {.min = 1, .max = 65536}, {"steps of a segment", "", Need::kRequired});
    v.integer("shift", shift, {.min = 0, .max = 65536},
              {"from the start of one segment to that of the next; 0: half a segment"});
    v.choice("tail", tail, tails(),
             {"steps behind the last full segment: one more with zeros behind them, or none; a shorter "
              "sequence is "
              "one segment either way"});
    v.check(shift <= frames, "shift", "is longer than a segment, so that steps between two would be in none");
  }
  void plan(NodePlan& node) const override {
    node.need_inputs(1);
    const ValueType x = node.need_sequence();
    const std::int64_t apart = shift > 0 ? shift : (frames + 1) / 2;
    StepWindow window;
    window.kernel = frames;
    window.rule = {
        .extent = frames, .stride = apart, .padding = tail == Tail::kPad ? apart - 1 : 0, .least = 1};
    node.layer<SegmentsLayer>(ValueType{Shape{frames, x.item[0]}, node.clock(x.clock, window.rule)}, window);
  }
};

}  // namespace

std::unique_ptr<LayerBody> make_segments() { return std::make_unique<Segments>(); }

}  // namespace serval::nn
