// Batch norm of vectors, of steps and of images, [channel, height, width] by channel. With per_step, each time step has
// statistics of its own; gamma and beta are shared.
// Blocks: gamma [channels] (scale), beta [channels] (offset); statistics running_mean, running_variance [channels], or
// [max_steps, channels]. Frozen, it uses the running statistics in training too and leaves them as they are, as in Keras.
#include <algorithm>

#include "serval/nn/batch_norm_backward.h"

#include "../layer.h"
#include "activation.h"
#include "layers.h"
#include "shared_settings.h"

namespace serval::nn {

namespace {

struct BatchNormSettings {
  double epsilon = 1e-5;
  double momentum = 0.1;
  bool scale = true;
  bool offset = true;
  double scale_init = 1;
  double offset_init = 0;
  bool unbiased_running = true;
  bool per_step = false;
  std::int64_t max_steps = 0;
  Activation activation = Activation::kNone;
};

class BatchNormLayer : public Layer {
 public:
  BatchNormLayer(const LayerBuild& build, const BatchNormSettings& settings, bool frozen)
      : Layer(build), s_(settings), frozen_(frozen) {
    groups_ = s_.per_step ? build.max_time(input()) : 1;
    NormShape largest;
    largest.groups = groups_;
    largest.rows = build.max_rows(input()) / groups_;
    largest.channels = channels();
    largest.inner = input().item.size() / channels();
    planes_ = build.floats(6 * groups_ * channels());
    sums_ = Array<double>(build.context.device(),
                          {build.sizes.training ? 2 * largest.parts() * largest.statistics() : 0});
  }

  void forward(const LayerCall& call, std::span<const ConstTensorView> x, TensorView y) override {
    if (s_.per_step) check_steps(call);
    const NormShape shape = statistics_shape(call);
    if (of_batch(call.mode)) {
      run<NormSums>(call.context, NormSumsArgs{.shape = shape, .a = x[0], .b = x[0], .sums = sums_.view()});
      run<NormStatistics>(call.context,
                          NormStatisticsArgs{.shape = shape,
                                             .sums = sums_.view(),
                                             .gamma = gamma(call),
                                             .beta = beta(call),
                                             .planes = planes(),
                                             .running_mean = statistic(call, running()).data,
                                             .running_variance = statistic(call, running() + 1).data,
                                             .epsilon = s_.epsilon,
                                             .momentum = s_.momentum,
                                             .unbiased = s_.unbiased_running});
    } else {
      take_running(call);
    }
    run<NormApply>(
        call.context,
        NormApplyArgs{
            .shape = this->shape(call), .x = x[0], .planes = planes(), .y = y, .activation = s_.activation});
  }

  bool gives_norm() const override {
    return !s_.per_step && input().item.rank() > 1 &&
           (s_.activation == Activation::kNone || s_.activation == Activation::kRelu);
  }
  ChannelNorm norm(const LayerCall& call) override {
    take_running(call);
    return {shape(call), planes(), s_.activation};
  }

  void backward(const LayerCall& call, const Backward& b) override {
    const NormShape shape = statistics_shape(call);
    if (s_.activation != Activation::kNone) {
      run<ActivationBackward>(call.context,
                              ActivationBackwardArgs{.y = b.y, .dy = b.dy, .activation = s_.activation});
    }
    float* const means = planes_.data() + 4 * groups_ * channels();
    float* const product_means = means + groups_ * channels();
    if (trains() || of_batch(call.mode)) {
      const auto own = [&](bool there, std::size_t block) {
        return trains() && there ? gradient(call, block) : TensorView{};
      };
      run<NormSums>(call.context, NormSumsArgs{.shape = shape, .a = b.dy, .b = b.x[0], .sums = sums_.view()});
      run<NormGradients>(call.context, NormGradientsArgs{.shape = shape,
                                                         .sums = sums_.view(),
                                                         .planes = planes(),
                                                         .dgamma = own(s_.scale, 0),
                                                         .dbeta = own(s_.offset, s_.scale ? 1 : 0),
                                                         .mean_dz = means,
                                                         .mean_dz_x = product_means,
                                                         .of_running = !of_batch(call.mode)});
    } else {
      run<FillZero>(call.context, planes_.view(4 * groups_ * channels(), {2 * groups_ * channels()}));
    }
    if (b.dx[0].empty()) return;
    run<NormBackward>(call.context, NormBackwardArgs{.shape = this->shape(call),
                                                     .x = b.x[0],
                                                     .dz = b.dy,
                                                     .planes = planes(),
                                                     .mean_dz = means,
                                                     .mean_dz_x = product_means,
                                                     .dx = b.dx[0]});
  }

 private:
  void take_running(const LayerCall& call) {
    const NormShape shape = statistics_shape(call);
    run<NormRunning>(call.context, NormRunningArgs{.groups = shape.groups,
                                                   .channels = shape.channels,
                                                   .gamma = gamma(call),
                                                   .beta = beta(call),
                                                   .running_mean = parameter(call, running()),
                                                   .running_variance = parameter(call, running() + 1),
                                                   .planes = planes(),
                                                   .epsilon = s_.epsilon});
  }
  bool of_batch(Mode mode) const { return mode == Mode::kTrain && !frozen_; }
  std::int64_t channels() const { return input().item[0]; }
  std::size_t running() const { return (s_.scale ? 1U : 0U) + (s_.offset ? 1U : 0U); }
  ConstTensorView gamma(const LayerCall& call) const {
    return s_.scale ? parameter(call, 0) : ConstTensorView{};
  }
  ConstTensorView beta(const LayerCall& call) const {
    return s_.offset ? parameter(call, s_.scale ? 1 : 0) : ConstTensorView{};
  }
  NormPlanes planes() {
    float* const first = planes_.data();
    const std::int64_t size = groups_ * channels();
    return {first, first + size, first + 2 * size, first + 3 * size};
  }
  NormShape shape(const LayerCall& call) const {
    NormShape out;
    out.rows = call.rows(input());
    out.channels = channels();
    out.inner = input().item.size() / channels();
    if (input().sequence()) {
      out.batch = call.batch;
      out.lengths = call.steps(input()).lengths;
    }
    if (s_.per_step) {
      out.groups = call.steps(input()).time;
      out.rows = call.batch;
    }
    return out;
  }
  // Without steps that no recording has: there may be more of them than statistics.
  NormShape statistics_shape(const LayerCall& call) const {
    NormShape out = shape(call);
    if (s_.per_step) out.groups = std::min(out.groups, s_.max_steps);
    return out;
  }
  void check_steps(const LayerCall& call) const {
    for (std::int64_t b = 0; b < call.batch; ++b) {
      const std::int32_t length = call.steps(input()).host_lengths[b];
      if (length > s_.max_steps) {
        throw DataError(cat("layer ", name(), " has statistics for ", s_.max_steps,
                            " steps, but a sequence has ", length, "; raise max_steps"));
      }
    }
  }

  BatchNormSettings s_;
  bool frozen_;
  std::int64_t groups_;
  Tensor planes_;  // those of NormPlanes, then two for the gradient
  Array<double> sums_;
};

struct BatchNorm : LayerBodyOf<BatchNorm> {
  static constexpr const char* kType = "batch_norm";
  BatchNormSettings s;

  void describe(SettingsVisitor& v) override {
    v.real("epsilon", s.epsilon, {.min = 0, .max = 1, .above_min = true},
           {"added to the variance; 1e-5 in PyTorch, 1e-3 in Keras"});
    v.real("momentum", s.momentum, {.min = 0, .max = 1},
           {"share of the newest batch in the running statistics, as in PyTorch; Keras' 0.99 is 0.01 here"});
    v.flag("scale", s.scale, {"multiplies each channel by a learned gamma"});
    v.flag("offset", s.offset, {"adds a learned beta to each channel"});
    v.real("scale_init", s.scale_init, {.min = -100, .max = 100}, {"first value of gamma"});
    v.real("offset_init", s.offset_init, {.min = -100, .max = 100}, {"first value of beta"});
    v.flag("unbiased_running", s.unbiased_running,
           {"the running variance counts n - 1 for n values, as in PyTorch; Keras: false"});
    v.flag("per_step", s.per_step, {"statistics of each time step by itself, with shared gamma and beta"});
    v.integer("max_steps", s.max_steps, {.min = 0, .max = 1 << 16},
              {"per_step: how many steps have statistics; 0: as many as the sequence always has", "steps"});
    describe_activation(v, s.activation);
    v.check(s.max_steps == 0 || s.per_step, "max_steps", "belongs to \"per_step\": true");
  }

  void plan(NodePlan& node) const override {
    node.need_inputs(1);
    const ValueType x = node.input();
    if (!fusable(s.activation)) {
      BatchNorm linear = *this;
      linear.s.activation = Activation::kNone;
      return node.result(
          add_activation(node, node.add("linear", linear, {node.input_value()}), s.activation));
    }
    if (x.item.rank() != 1) node.need_images();
    BatchNormSettings settings = s;
    const std::int64_t channels = x.item[0];
    Shape statistics{channels};
    if (s.per_step) {
      if (!x.sequence()) node.fail(cat("has per_step, but gets ", to_string(x), ", which has no steps"));
      const std::int64_t steps = node.clock_steps(x.clock);
      if (settings.max_steps == 0) settings.max_steps = steps;
      if (settings.max_steps == 0) {
        node.fail("has per_step and sequences of any length; give the steps of the longest one as max_steps");
      }
      if (steps > settings.max_steps) {
        node.fail_size(cat("has statistics for ", settings.max_steps, " steps, but its input has ", steps,
                           "; raise max_steps, or leave it out"));
      }
      statistics = Shape{settings.max_steps, channels};
    }
    const auto constant = [](double value) {
      return Initialiser{.kind = InitKind::kConstant, .scale = value};
    };
    if (s.scale) node.block("gamma", {channels}, constant(s.scale_init));
    if (s.offset) node.block("beta", {channels}, constant(s.offset_init));
    node.block("running_mean", statistics, {}, true);
    node.block("running_variance", statistics, {.kind = InitKind::kOnes}, true);
    node.set_reversed_from(node.reversed_from());
    node.layer<BatchNormLayer>(x, settings, node.frozen());
  }
};

}  // namespace

std::unique_ptr<LayerBody> make_batch_norm() { return std::make_unique<BatchNorm>(); }
std::unique_ptr<LayerBody> make_batch_norm(Activation activation) {
  auto body = std::make_unique<BatchNorm>();
  body->s.activation = activation;
  return body;
}
std::unique_ptr<LayerBody> make_step_norm(std::int64_t max_steps) {
  auto body = std::make_unique<BatchNorm>();
  body->s.per_step = max_steps > 0;
  body->s.max_steps = max_steps;
  return body;
}

}  // namespace serval::nn
