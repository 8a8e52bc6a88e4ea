// Multi-head attention of "Attention is all you need": with heads side by side in the features,
//   y = concat over heads of softmax(q k^T / sqrt(width of a head)) v, times w_out^T + b_out
// q, k and v are linear in the input; with a second input, k and v are linear in that. Steps past a sequence's end are
// not looked at.
//
// Blocks, as in PyTorch's nn.MultiheadAttention (there in_proj_weight, in_proj_bias, out_proj) and in the qkv and proj of
// timm's ViT and DeiT; F features, heads in ascending order within each F:
//   w_in [3 F, F]: of q, k, v     b_in [3 F]     w_out [F, F]     b_out [F]      (no b_* without bias)
// where the second input has K features instead of F, in the place of w_in:
//   w_q [F, F]     w_k [F, K]     w_v [F, K]
//
// The weights of attention are computed a group of heads at a time and again in backward, so memory does not grow with
// the square of the steps.
#include "multi_head_attention.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "serval/nn/attention.h"

#include "../layer.h"
#include "layers.h"

namespace serval::nn {

namespace {

// Scores at a time, in floats: what stays in the caches of a processor, or gives a GPU enough to do.
std::int64_t group_floats(const Context& context) {
  return context.device().kind == DeviceKind::kCpu ? std::int64_t{1} << 18 : std::int64_t{1} << 24;
}
// Queries of a unit that has more scores than that are taken in blocks of a multiple of so many: as many as a product
// sums at a time on the CPU, so that the sums over all queries round as they would in one piece.
constexpr std::int64_t kQueryBlock = 256;

class MultiHeadAttentionLayer : public Layer {
 public:
  MultiHeadAttentionLayer(const LayerBuild& build, std::int64_t heads, bool bias, double rate,
                          std::uint32_t number)
      : Layer(build),
        heads_(heads),
        feature_(build.input().item[0]),
        bias_(bias),
        rate_(static_cast<float>(rate)),
        number_(number),
        cross_(build.node.inputs.size() > 1),
        packed_(build.input(cross_ ? 1 : 0).item[0] == feature_) {
    const std::int64_t queries = build.max_time(input());
    const std::int64_t keys = build.max_time(source());
    SERVAL_CHECK(std::max(queries, keys) < AttentionRows::kStride, "attention over ", keys, " steps");
    const std::int64_t query_floats = build.max_rows(input()) * feature_;
    const std::int64_t key_floats = build.max_rows(source()) * feature_;
    const std::int64_t scores = std::min(build.sizes.max_batch * heads * queries * keys,
                                         std::max(group_floats(build.context), kQueryBlock * keys));
    projected_ = build.floats(query_floats + 2 * key_floats);
    heard_ = build.floats(query_floats);
    scores_ = build.floats(scores);
    if (!build.sizes.training) return;
    projected_gradient_ = build.floats(query_floats + 2 * key_floats);
    heard_gradient_ = build.floats(query_floats);
    scores_gradient_ = build.floats(scores);
  }

  void forward(const LayerCall& call, std::span<const ConstTensorView> x, TensorView y) override {
    const Projected q = projected(call, projected_);
    const ConstTensorView from = x[cross_ ? 1 : 0];
    if (!cross_) {
      // One product for each third of w_in.
      const std::int64_t rows = call.rows(input());
      run<GemmBatched>(call.context, GemmBatchedArgs{.first = {.transpose_b = Transpose::kYes,
                                                               .m = rows,
                                                               .n = feature_,
                                                               .k = feature_,
                                                               .a = x[0].data,
                                                               .lda = feature_,
                                                               .b = parameter(call, 0).data,
                                                               .ldb = feature_,
                                                               .c = q[0].data,
                                                               .ldc = feature_},
                                                     .count = 3,
                                                     .stride_b = feature_ * feature_,
                                                     .stride_c = rows * feature_});
    }
    for (std::size_t i = 0; i < 3; ++i) {
      if (cross_) multiply(call.context, i == 0 ? x[0] : from, weight(call, i), q[i]);
      if (bias_) add_bias(call, q[i], part(parameter(call, in_bias()), i));
    }
    const TensorView heard = heard_.view(0, q[0].shape);
    for_each_group(call, false, [&](const AttentionRows& rows, float) {
      const TensorView weights = scores(call, rows, q, scores_);
      run<AttentionWeights>(call.context, AttentionWeightsArgs{.rows = rows, .scores = weights});
      GemmArgs sum{.m = rows.queries, .n = head(), .k = rows.keys};
      product(call, rows, sum, {weights.data, kScores}, {q[2].data, kKeys}, {heard.data, kQueries});
    });
    multiply(call.context, heard, parameter(call, out_weight()), y);
    if (bias_) add_bias(call, y, parameter(call, out_weight() + 1));
  }

  void backward(const LayerCall& call, const Backward& b) override {
    const Projected q = projected(call, projected_);
    const Projected dq = projected(call, projected_gradient_);
    const TensorView heard = heard_.view(0, q[0].shape);
    const TensorView dheard = heard_gradient_.view(0, q[0].shape);
    if (trains()) multiply_weight_gradient(call.context, heard, b.dy, gradient(call, out_weight()));
    if (trains() && bias_) add_columns(call, b.dy, gradient(call, out_weight() + 1));
    multiply_input_gradient(call.context, b.dy, parameter(call, out_weight()), dheard, 0);

    for_each_group(call, true, [&](const AttentionRows& rows, float beta) {
      const TensorView weights = scores(call, rows, q, scores_);
      run<AttentionWeights>(call.context,
                            AttentionWeightsArgs{.rows = rows, .scores = weights, .drop = false});
      const TensorView dscores = scores_gradient_.view(0, weights.shape);
      GemmArgs back{.transpose_b = Transpose::kYes, .m = rows.queries, .n = rows.keys, .k = head()};
      product(call, rows, back, {dheard.data, kQueries}, {q[2].data, kKeys}, {dscores.data, kScores});
      run<AttentionWeightsBackward>(
          call.context, AttentionWeightsBackwardArgs{.rows = rows, .weights = weights, .gradient = dscores});
      GemmArgs values{
          .transpose_a = Transpose::kYes, .m = rows.keys, .n = head(), .k = rows.queries, .beta = beta};
      product(call, rows, values, {weights.data, kScores}, {dheard.data, kQueries}, {dq[2].data, kKeys});
      values.alpha = scale();
      product(call, rows, values, {dscores.data, kScores}, {q[0].data, kQueries}, {dq[1].data, kKeys});
      GemmArgs queries{.m = rows.queries, .n = head(), .k = rows.keys, .alpha = scale()};
      product(call, rows, queries, {dscores.data, kScores}, {q[1].data, kKeys}, {dq[0].data, kQueries});
    });

    for (std::size_t i = 0; i < 3; ++i) {
      const std::size_t from = cross_ && i > 0 ? 1 : 0;
      if (trains()) multiply_weight_gradient(call.context, b.x[from], dq[i], weight_gradient(call, i));
      if (trains() && bias_) add_columns(call, dq[i], part(gradient(call, in_bias()), i));
      const TensorView dx = b.dx[from];
      const bool first = i == 0 || (cross_ && i == 1);
      if (!dx.empty()) multiply_input_gradient(call.context, dq[i], weight(call, i), dx, first ? 0.0f : 1.0f);
    }
  }

 private:
  using Projected = std::array<TensorView, 3>;  // q, k, v: [time, batch, F] each
  // How matrices of a group lie: [time, batch, heads, head] of queries or keys, or [units, queries, keys].
  enum Form { kQueries, kKeys, kScores };
  template <class T>
  struct Matrices {
    T* data;
    Form form;
  };

  const ValueType& source() const { return input(cross_ ? 1 : 0); }
  std::int64_t head() const { return feature_ / heads_; }
  float scale() const { return static_cast<float>(1 / std::sqrt(static_cast<double>(head()))); }
  std::size_t in_bias() const { return packed_ ? 1 : 3; }
  std::size_t out_weight() const { return (packed_ ? 1u : 3u) + (bias_ ? 1u : 0u); }

  template <class T>
  View<T> third(View<T> rows, std::size_t i, std::int64_t columns) const {
    return {rows.data + static_cast<std::int64_t>(i) * feature_ * columns, Shape{feature_, columns},
            rows.device};
  }
  ConstTensorView weight(const LayerCall& call, std::size_t i) const {
    return packed_ ? third(parameter(call, 0), i, feature_) : parameter(call, i);
  }
  TensorView weight_gradient(const LayerCall& call, std::size_t i) const {
    return packed_ ? third(gradient(call, 0), i, feature_) : gradient(call, i);
  }
  template <class T>
  View<T> part(View<T> bias, std::size_t i) const {
    return {bias.data + static_cast<std::int64_t>(i) * feature_, Shape{feature_}, bias.device};
  }
  void add_bias(const LayerCall& call, TensorView y, ConstTensorView bias) const {
    run<BiasActivation>(
        call.context,
        BiasActivationArgs{.rows = y.size() / feature_, .columns = feature_, .y = y, .bias = bias});
  }
  void add_columns(const LayerCall& call, ConstTensorView x, TensorView sums) const {
    run<ColumnSum>(call.context,
                   ColumnSumArgs{.rows = x.size() / feature_, .columns = feature_, .x = x, .sums = sums});
  }

  Projected projected(const LayerCall& call, Tensor& memory) const {
    const Shape queries{call.rows(input()), feature_};
    const Shape keys{call.rows(source()), feature_};
    return {memory.view(0, queries), memory.view(queries.size(), keys),
            memory.view(queries.size() + keys.size(), keys)};
  }

  // Calls work(rows, beta) for groups of units that together make all; beta is 0 for the first queries of a unit.
  template <class Work>
  void for_each_group(const LayerCall& call, bool backward, const Work& work) const {
    const Steps& asking = call.steps(input());
    const Steps& asked = call.steps(source());
    const std::int64_t all = call.batch * heads_;
    const std::int64_t room = group_floats(call.context);
    AttentionRows rows;
    rows.heads = heads_;
    rows.keys = asked.time;
    rows.query_lengths = asking.lengths;
    rows.key_lengths = asked.lengths;
    rows.rate = backward || call.mode == Mode::kTrain ? rate_ : 0.0f;
    rows.random = call.random;
    rows.random.purpose = RandomPurpose::kDropout;
    rows.random.layer = number_;
    const bool whole = asking.time * asked.time <= room;
    const std::int64_t units = whole ? room / (asking.time * asked.time) : 1;
    const std::int64_t queries =
        whole ? asking.time : std::max<std::int64_t>(1, room / asked.time / kQueryBlock) * kQueryBlock;
    for (std::int64_t unit = 0; unit < all; unit += units) {
      for (std::int64_t query = 0; query < asking.time; query += queries) {
        rows.first_unit = unit;
        rows.units = std::min(units, all - unit);
        rows.first_query = query;
        rows.queries = std::min(queries, asking.time - query);
        work(rows, query == 0 ? 0.0f : 1.0f);
      }
    }
  }

  // C = alpha op(A) op(B) + beta C for each unit of a group; sizes, alpha and beta are given.
  void product(const LayerCall& call, const AttentionRows& rows, GemmArgs args, Matrices<const float> a,
               Matrices<const float> b, Matrices<float> c) const {
    GemmBatchedArgs all;
    const auto place = [&](const auto& matrices, auto& data, std::int64_t& leading, std::int64_t& stride) {
      if (matrices.form == kScores) {
        data = matrices.data;
        leading = rows.keys;
        stride = rows.queries * rows.keys;
        return;
      }
      const std::int64_t step = call.batch * feature_;
      data = matrices.data + rows.first_unit * head() +
             (matrices.form == kQueries ? rows.first_query * step : 0);
      leading = step;
      stride = head();
    };
    place(a, args.a, args.lda, all.stride_a);
    place(b, args.b, args.ldb, all.stride_b);
    place(c, args.c, args.ldc, all.stride_c);
    all.first = args;
    all.count = rows.units;
    run<GemmBatched>(call.context, all);
  }
  TensorView scores(const LayerCall& call, const AttentionRows& rows, const Projected& q,
                    Tensor& memory) const {
    const TensorView out = memory.view(0, {rows.units, rows.queries, rows.keys});
    const GemmArgs args{
        .transpose_b = Transpose::kYes, .m = rows.queries, .n = rows.keys, .k = head(), .alpha = scale()};
    product(call, rows, args, {q[0].data, kQueries}, {q[1].data, kKeys}, {out.data, kScores});
    return out;
  }

  std::int64_t heads_, feature_;
  bool bias_;
  float rate_;
  std::uint32_t number_;
  bool cross_, packed_;
  Tensor projected_, projected_gradient_;
  Tensor heard_, heard_gradient_;  // what the heads say, side by side, before w_out
  Tensor scores_, scores_gradient_;
};

}  // namespace

void MultiHeadAttention::describe(SettingsVisitor& v) {
  v.integer("heads", heads, {.min = 1, .max = 1024}, {"into which the features are divided"});
  v.flag("bias", bias, {"adds biases to queries, keys, values and results"});
  v.real("dropout", dropout, {.min = 0, .max = 0.99},
         {"share of the weights of attention set to 0 in training"});
  describe_initialiser(v, init);
}

void MultiHeadAttention::plan(NodePlan& node) const {
  if (node.input_count() != 2) node.need_inputs(1);
  const ValueType x = node.need_sequence();
  const ValueType source = node.need_sequence(node.input_count() - 1);
  const std::int64_t feature = x.item[0];
  if (feature % heads != 0)
    node.fail_size(cat("cannot divide ", feature, " features among ", heads,
                       " heads; the number of heads must divide the features"));
  const std::int64_t width = source.item[0];
  if (width == feature) {
    node.block("w_in", {3 * feature, feature}, initialiser(init, feature, 3 * feature));
  } else {
    node.block("w_q", {feature, feature}, initialiser(init, feature, feature));
    node.block("w_k", {feature, width}, initialiser(init, width, feature));
    node.block("w_v", {feature, width}, initialiser(init, width, feature));
  }
  if (bias) node.block("b_in", {3 * feature}, {});
  node.block("w_out", {feature, feature}, initialiser(init, feature, feature));
  if (bias) node.block("b_out", {feature}, {});
  node.layer<MultiHeadAttentionLayer>(x, heads, bias, dropout, node.next_random_layer());
}

std::unique_ptr<LayerBody> make_multi_head_attention() { return std::make_unique<MultiHeadAttention>(); }

}  // namespace serval::nn
