// From images to sequences and back, and steps out of sequences. No blocks.
#include <algorithm>

#include "serval/nn/arithmetic.h"

#include "../layer.h"
#include "layers.h"
#include "rearranged.h"

namespace serval::nn {

namespace {

enum class ImageAxis { kWidth, kHeight };
const Options<ImageAxis>& image_axes() {
  static const Options<ImageAxis> options{{"width", ImageAxis::kWidth}, {"height", ImageAxis::kHeight}};
  return options;
}

// Image [C, H, W] to a sequence: along the width W steps of C * H features, along the height H steps of C * W; the
// channel is the slowest. A matrix [H, W] counts as one channel, a vector as steps of one feature.
struct ToSequence : LayerBodyOf<ToSequence> {
  static constexpr const char* kType = "to_sequence";
  ImageAxis axis = ImageAxis::kWidth;

  void describe(SettingsVisitor& v) override {
    v.choice("axis", axis, image_axes(),
             {"along which steps follow each other; width: the time of spectrograms [channel, band, frame]"});
  }
  void plan(NodePlan& node) const override {
    node.need_inputs(1);
    const ValueType& x = node.input();
    if (x.sequence()) {
      node.fail(cat("gets ", to_string(x),
                    ", a sequence already; make its steps vectors with {\"type\": \"flatten\"} instead"));
    }
    const int rank = x.item.rank();
    if (rank > 3) node.fail(cat("reads images [channel, height, width], but gets ", to_string(x)));
    const std::int64_t width = x.item[rank - 1];
    const std::int64_t height = rank > 1 ? x.item[rank - 2] : 1;
    const std::int64_t channels = rank > 2 ? x.item[0] : 1;
    if (axis == ImageAxis::kWidth) {
      node.layer<RearrangedLayer>(ValueType{Shape{channels * height}, node.fixed_clock(width)},
                                  Shape{channels * height, width}, std::vector<int>{2, 0, 1}, false);
    } else {
      node.layer<RearrangedLayer>(ValueType{Shape{channels * width}, node.fixed_clock(height)},
                                  Shape{channels, height, width}, std::vector<int>{2, 0, 1, 3}, false);
    }
  }
};

// The way back, for a sequence that always has as many steps.
struct ToImage : LayerBodyOf<ToImage> {
  static constexpr const char* kType = "to_image";
  ImageAxis axis = ImageAxis::kWidth;
  std::int64_t channels = 1;

  void describe(SettingsVisitor& v) override {
    v.choice("axis", axis, image_axes(), {"along which the steps are put"});
    v.integer("channels", channels, {.min = 1, .max = 65536}, {"into which a step's features are divided"});
  }
  void plan(NodePlan& node) const override {
    node.need_inputs(1);
    const ValueType& x = node.input();
    if (!x.sequence()) {
      node.fail(cat("reads a sequence, but gets ", to_string(x),
                    "; {\"type\": \"reshape\", \"shape\": [1, ...]} makes an image of one item"));
    }
    node.need_sequence();
    const std::int64_t steps = node.clock_steps(x.clock);
    if (steps == 0) {
      node.fail(cat("needs a sequence that always has as many steps, but that of \"",
                    node.clock_name(x.clock),
                    "\" differs from recording to recording; declare the input as an image instead"));
    }
    const std::int64_t feature = x.item[0];
    if (feature % channels != 0)
      node.fail_size(cat("cannot divide ", feature, " features into ", channels, " channels"));
    const std::int64_t side = feature / channels;
    if (axis == ImageAxis::kWidth) {
      node.layer<RearrangedLayer>(ValueType{Shape{channels, side, steps}, kNoClock}, Shape{feature},
                                  std::vector<int>{1, 2, 0}, true);
    } else {
      node.layer<RearrangedLayer>(ValueType{Shape{channels, steps, side}, kNoClock}, Shape{channels, side},
                                  std::vector<int>{1, 2, 0, 3}, true);
    }
  }
};

class SelectStepLayer : public Layer {
 public:
  SelectStepLayer(const LayerBuild& build, std::int64_t at) : Layer(build), at_(at) {}

  void forward(const LayerCall& call, std::span<const ConstTensorView> x, TensorView y) override {
    const std::int64_t needed = at_ < 0 ? -at_ : at_ + 1;
    for (std::int64_t b = 0; b < call.batch; ++b) {
      const std::int32_t length = call.steps(input()).host_lengths[b];
      if (length < needed) {
        throw DataError(cat("layer ", name(), " needs ", needed, " steps, but a sequence has ", length,
                            "; choose another step, or leave out short recordings"));
      }
    }
    run<SelectStep>(call.context, args(call, x[0], y, false));
  }
  void backward(const LayerCall& call, const Backward& b) override {
    if (!b.dx[0].empty()) run<SelectStep>(call.context, args(call, b.dy, b.dx[0], true));
  }

 private:
  SelectStepArgs args(const LayerCall& call, ConstTensorView from, TensorView to, bool backward) const {
    const Steps& steps = call.steps(input());
    return {.time = steps.time,
            .batch = call.batch,
            .width = output().item.size(),
            .at = at_,
            .lengths = steps.lengths,
            .from = from,
            .to = to,
            .backward = backward};
  }
  std::int64_t at_;
};

struct SelectStepBody : LayerBodyOf<SelectStepBody> {
  static constexpr const char* kType = "select_step";
  std::int64_t step = 0;

  void describe(SettingsVisitor& v) override {
    v.integer("step", step, {.min = -(1 << 20), .max = 1 << 20},
              {"which, from 0; -1 is the last of each sequence"});
  }
  void plan(NodePlan& node) const override {
    node.need_inputs(1);
    const ValueType& x = node.input();
    if (!x.sequence()) node.fail(cat("reads a sequence, but gets ", to_string(x), ", which has no steps"));
    const std::int64_t steps = node.clock_steps(x.clock);
    if (steps > 0 && (step < 0 ? -step : step + 1) > steps)
      node.fail_size(cat("takes step ", step, " of a sequence that has ", steps));
    node.layer<SelectStepLayer>(ValueType{x.item, kNoClock}, step);
  }
};

// The first steps of input 0, as many as input 1 has.
class MatchStepsLayer : public Layer {
 public:
  using Layer::Layer;

  void forward(const LayerCall& call, std::span<const ConstTensorView> x, TensorView y) override {
    const Steps& has = call.steps(input(0));
    const Steps& wanted = call.steps(input(1));
    for (std::int64_t b = 0; b < call.batch; ++b) {
      if (has.host_lengths[b] >= wanted.host_lengths[b]) continue;
      throw DataError(cat("layer ", name(), " takes the first ", wanted.host_lengths[b],
                          " steps of a sequence that has ", has.host_lengths[b],
                          "; it can make sequences shorter, not longer"));
    }
    run<AddInto>(call.context, AddIntoArgs{{x[0].data, y.shape, y.device}, y, 0});
  }
  void backward(const LayerCall& call, const Backward& b) override {
    if (const TensorView dx = b.dx[0]; !dx.empty()) {
      const std::int64_t rest = dx.size() - b.dy.size();
      run<AddInto>(call.context, AddIntoArgs{b.dy, {dx.data, b.dy.shape, dx.device}, 0});
      if (rest > 0) run<FillZero>(call.context, TensorView{dx.data + b.dy.size(), Shape{rest}, dx.device});
    }
    if (!b.dx[1].empty()) run<FillZero>(call.context, b.dx[1]);
  }
};

struct MatchSteps : LayerBodyOf<MatchSteps> {
  static constexpr const char* kType = "match_steps";

  void describe(SettingsVisitor&) override {}
  void plan(NodePlan& node) const override {
    node.need_inputs(2);
    const ValueType& y = node.input(0);
    const ValueType& x = node.input(1);
    if (!y.sequence() || !x.sequence()) {
      node.fail(cat("reads two sequences, the one to cut and the one whose steps count, but gets ",
                    to_string(y), " and ", to_string(x)));
    }
    const std::int64_t has = node.clock_steps(y.clock);
    const std::int64_t wanted = node.clock_steps(x.clock);
    if (has > 0 && wanted > has) {
      node.fail_size(cat("takes the first ", wanted, " steps of a sequence that has ", has,
                         "; name the longer one first"));
    }
    node.layer<MatchStepsLayer>(ValueType{y.item, x.clock});
  }
};

// Means of three steps, two steps apart: one step for two, without the last of them.
class AlignPairwiseLayer : public Layer {
 public:
  static constexpr LengthRule kRule{.extent = 3, .stride = 2, .padding = -1};
  using Layer::Layer;

  void forward(const LayerCall& call, std::span<const ConstTensorView> x, TensorView y) override {
    run<WindowMean>(call.context, WindowMeanArgs{.time_in = call.steps(input()).time,
                                                 .time_out = call.steps(output()).time,
                                                 .row = call.batch * output().item.size(),
                                                 .window = kRule.extent,
                                                 .stride = kRule.stride,
                                                 .x = x[0],
                                                 .y = y});
  }
  void backward(const LayerCall& call, const Backward& b) override {
    if (b.dx[0].empty()) return;
    run<WindowMeanBackward>(call.context, WindowMeanBackwardArgs{.time_in = call.steps(input()).time,
                                                                 .time_out = call.steps(output()).time,
                                                                 .row = call.batch * output().item.size(),
                                                                 .window = kRule.extent,
                                                                 .stride = kRule.stride,
                                                                 .dy = b.dy,
                                                                 .dx = b.dx[0]});
  }
};

struct AlignPairwise : LayerBodyOf<AlignPairwise> {
  static constexpr const char* kType = "align_pairwise";

  void describe(SettingsVisitor&) override {}
  void plan(NodePlan& node) const override {
    node.need_inputs(1);
    const ValueType& x = node.input();
    if (!x.sequence()) node.fail(cat("reads a sequence, but gets ", to_string(x), ", which has no steps"));
    node.layer<AlignPairwiseLayer>(ValueType{x.item, node.clock(x.clock, AlignPairwiseLayer::kRule)});
  }
};

}  // namespace

std::unique_ptr<LayerBody> make_to_sequence() { return std::make_unique<ToSequence>(); }
std::unique_ptr<LayerBody> make_to_image() { return std::make_unique<ToImage>(); }
std::unique_ptr<LayerBody> make_select_step() { return std::make_unique<SelectStepBody>(); }
std::unique_ptr<LayerBody> make_match_steps() { return std::make_unique<MatchSteps>(); }
std::unique_ptr<LayerBody> make_align_pairwise() { return std::make_unique<AlignPairwise>(); }

}  // namespace serval::nn
