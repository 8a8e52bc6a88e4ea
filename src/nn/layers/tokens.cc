// Learned tokens before a sequence, and the mean of its first steps, where they are after a transformer.
// Blocks of class_tokens: token0 [feature], token1 [feature], ...; DeiT's cls_token, dist_token.
#include "serval/nn/tokens.h"

#include "serval/nn/arithmetic.h"

#include "../layer.h"
#include "layers.h"
#include "shared_settings.h"
#include "tokens.h"

namespace serval::nn {

namespace {

class ClassTokensLayer : public Layer {
 public:
  ClassTokensLayer(const LayerBuild& build, std::int64_t count) : Layer(build), count_(count) {}

  void forward(const LayerCall& call, std::span<const ConstTensorView> x, TensorView y) override {
    run<PrependTokens>(call.context, PrependTokensArgs{.tokens = count_,
                                                       .batch = call.batch,
                                                       .feature = input().item[0],
                                                       .token = tokens(parameter(call, 0)),
                                                       .x = x[0],
                                                       .y = y});
  }
  void backward(const LayerCall& call, const Backward& b) override {
    const std::int64_t feature = input().item[0];
    if (trains()) {
      run<SumOverBatch>(call.context, SumOverBatchArgs{.time = count_,
                                                       .batch = call.batch,
                                                       .feature = feature,
                                                       .dy = b.dy,
                                                       .sums = tokens(gradient(call, 0))});
    }
    const TensorView dx = b.dx[0];
    if (dx.empty()) return;
    // The input may have steps that no recording has, and the output none for them.
    const std::int64_t skipped = count_ * call.batch * feature;
    const std::int64_t kept = b.dy.size() - skipped;
    run<AddInto>(call.context, AddIntoArgs{.from = {b.dy.data + skipped, Shape{kept}, b.dy.device},
                                           .to = {dx.data, Shape{kept}, dx.device},
                                           .beta = 0});
    if (kept < dx.size())
      run<FillZero>(call.context, TensorView{dx.data + kept, Shape{dx.size() - kept}, dx.device});
  }

 private:
  // All of them: the blocks of a layer follow each other in memory.
  template <class T>
  View<T> tokens(View<T> first) const {
    return {first.data, Shape{count_, input().item[0]}, first.device};
  }
  std::int64_t count_;
};

struct ClassTokens : LayerBodyOf<ClassTokens> {
  static constexpr const char* kType = "class_tokens";
  std::int64_t count = 1;
  InitKind init = InitKind::kTruncatedNormal;

  void describe(SettingsVisitor& v) override {
    v.integer("count", count, {.min = 1, .max = 1024}, {"how many steps are put before the sequence"});
    describe_initialiser(v, init);
  }
  void plan(NodePlan& node) const override {
    node.need_inputs(1);
    const ValueType x = node.need_sequence();
    for (std::int64_t i = 0; i < count; ++i)
      node.block(cat("token", i), {x.item[0]}, initialiser(init, x.item[0], 1));
    node.layer<ClassTokensLayer>(ValueType{x.item, node.clock(x.clock, LengthRule{.padding = count})}, count);
  }
};

class TokenMeanLayer : public Layer {
 public:
  TokenMeanLayer(const LayerBuild& build, std::int64_t count) : Layer(build), count_(count) {}

  void forward(const LayerCall& call, std::span<const ConstTensorView> x, TensorView y) override {
    for (std::int64_t b = 0; b < call.batch; ++b) {
      const std::int32_t length = call.steps(input()).host_lengths[b];
      if (length >= count_) continue;
      throw DataError(cat("layer ", name(), " needs ", count_, " steps, but a sequence has ", length,
                          "; make its count smaller, or leave out short recordings"));
    }
    run<FirstStepsMean>(call.context,
                        FirstStepsMeanArgs{.steps = count_, .width = y.size(), .x = x[0], .y = y});
  }
  void backward(const LayerCall& call, const Backward& b) override {
    if (b.dx[0].empty()) return;
    run<FirstStepsMeanBackward>(
        call.context,
        FirstStepsMeanBackwardArgs{.steps = count_, .width = b.dy.size(), .dy = b.dy, .dx = b.dx[0]});
  }

 private:
  std::int64_t count_;
};

struct TokenMean : LayerBodyOf<TokenMean> {
  static constexpr const char* kType = "token_mean";
  std::int64_t count = 1;

  void describe(SettingsVisitor& v) override {
    v.integer("count", count, {.min = 1, .max = 1024},
              {"of how many steps, from the first; the mean of all is mean_pool"});
  }
  void plan(NodePlan& node) const override {
    node.need_inputs(1);
    const ValueType x = node.need_sequence();
    const std::int64_t steps = node.clock_steps(x.clock);
    if (steps > 0 && count > steps)
      node.fail_size(cat("takes the mean of ", count, " steps of a sequence that has ", steps));
    node.layer<TokenMeanLayer>(ValueType{x.item, kNoClock}, count);
  }
};

template <class Body>
std::unique_ptr<LayerBody> with_count(std::int64_t count) {
  auto body = std::make_unique<Body>();
  body->count = count;
  return body;
}

}  // namespace

std::unique_ptr<LayerBody> make_class_tokens() { return std::make_unique<ClassTokens>(); }
std::unique_ptr<LayerBody> make_token_mean() { return std::make_unique<TokenMean>(); }
std::unique_ptr<LayerBody> make_class_tokens(std::int64_t count) { return with_count<ClassTokens>(count); }
std::unique_ptr<LayerBody> make_token_mean(std::int64_t count) { return with_count<TokenMean>(count); }

}  // namespace serval::nn
