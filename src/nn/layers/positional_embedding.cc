// What tells the steps of a sequence apart for layers that do not know their order, added to each:
//   learned       a row for each step
//   sinusoidal    of "Attention is all you need": feature 2 i is sin(t / 10000^(2 i / feature)), 2 i + 1 its cos
// Blocks where learned: p [steps, feature]; DeiT's pos_embed.
#include <cmath>

#include "serval/nn/arithmetic.h"
#include "serval/nn/tokens.h"

#include "../layer.h"
#include "layers.h"
#include "shared_settings.h"

namespace serval::nn {

namespace {

enum class PositionKind { kLearned, kSinusoidal };

std::vector<float> sinusoids(std::int64_t steps, std::int64_t feature) {
  std::vector<float> out;
  for (std::int64_t t = 0; t < steps; ++t) {
    for (std::int64_t f = 0; f < feature; ++f) {
      const double power = static_cast<double>(f / 2 * 2) / static_cast<double>(feature);
      const double angle = static_cast<double>(t) / std::pow(10000.0, power);
      out.push_back(static_cast<float>(f % 2 == 0 ? std::sin(angle) : std::cos(angle)));
    }
  }
  return out;
}

std::string too_many(std::int64_t rows, std::int64_t steps) {
  return cat("has positions for ", rows, " steps, but a sequence has ", steps,
             "; make max_steps that large, or cut the recordings");
}

class PositionsLayer : public Layer {
 public:
  PositionsLayer(const LayerBuild& build, PositionKind kind) : Layer(build) {
    const std::int64_t steps = build.max_time(input());
    if (kind == PositionKind::kLearned) {
      const std::int64_t rows = build.plan.blocks[build.node.blocks[0]].shape[0];
      if (steps > rows) throw ConfigError(cat("layer ", name(), " ", too_many(rows, steps)));
      return;
    }
    const std::int64_t feature = input().item[0];
    fixed_ = Tensor::from_host(build.context.device(), sinusoids(steps, feature), {steps, feature});
  }

  void forward(const LayerCall& call, std::span<const ConstTensorView> x, TensorView y) override {
    run<AddPositions>(call.context, AddPositionsArgs{.batch = call.batch,
                                                     .feature = input().item[0],
                                                     .x = x[0],
                                                     .p = learned() ? parameter(call, 0) : fixed_.view(),
                                                     .y = y});
  }
  void backward(const LayerCall& call, const Backward& b) override {
    if (trains()) {
      run<SumOverBatch>(call.context, SumOverBatchArgs{.time = call.steps(input()).time,
                                                       .batch = call.batch,
                                                       .feature = input().item[0],
                                                       .dy = b.dy,
                                                       .sums = gradient(call, 0)});
    }
    if (!b.dx[0].empty()) run<AddInto>(call.context, AddIntoArgs{.from = b.dy, .to = b.dx[0], .beta = 0});
  }

 private:
  bool learned() const { return fixed_.size() == 0; }
  Tensor fixed_;
};

struct PositionalEmbedding : LayerBodyOf<PositionalEmbedding> {
  static constexpr const char* kType = "positional_embedding";
  PositionKind kind = PositionKind::kLearned;
  std::int64_t max_steps = 0;
  InitKind init = InitKind::kTruncatedNormal;

  void describe(SettingsVisitor& v) override {
    v.variants(
        "kind", kind,
        Options<PositionKind>{{"learned", PositionKind::kLearned}, {"sinusoidal", PositionKind::kSinusoidal}},
        {"a learned row for each step, or sines and cosines of its number"}, [this](SettingsVisitor& fields) {
          if (kind != PositionKind::kLearned) return;
          fields.integer("max_steps", max_steps, {.min = 0, .max = 1 << 20},
                         {"rows; 0: as many as the sequence always has", "steps"});
          describe_initialiser(fields, init);
        });
  }

  void plan(NodePlan& node) const override {
    node.need_inputs(1);
    const ValueType x = node.need_sequence();
    if (kind == PositionKind::kLearned) {
      const std::int64_t always = node.clock_steps(x.clock);
      const std::int64_t steps = max_steps > 0 ? max_steps : always;
      if (steps == 0) {
        node.fail(cat("needs max_steps, the most that a sequence can have: those of \"",
                      node.clock_name(x.clock), "\" differ from recording to recording"));
      }
      if (always > steps) node.fail_size(too_many(steps, always));
      node.block("p", {steps, x.item[0]}, initialiser(init, x.item[0], steps));
    }
    node.layer<PositionsLayer>(x, kind);
  }
};

}  // namespace

std::unique_ptr<LayerBody> make_positional_embedding() { return std::make_unique<PositionalEmbedding>(); }

}  // namespace serval::nn
