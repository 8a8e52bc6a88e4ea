#include "recurrent.h"

namespace serval::nn {

void RecurrentSettings::describe(SettingsVisitor& v) {
  // The first weights take time with the cube of the width: seconds at 2048, minutes beyond.
  v.integer("hidden", hidden, {.min = 1, .max = 2048}, {"width of the state", "units"});
  v.integer("layers", layers, {.min = 1, .max = 16}, {"how many are stacked"});
  v.flag("bidirectional", bidirectional,
         {"read each sequence in both directions, side by side in the output"});
  v.real("dropout", dropout, {.min = 0, .max = 0.99}, {"rate between stacked layers"});
  describe_initialiser(v, initialiser);
  describe_initialiser(v, recurrent_initialiser, "recurrent_initialiser");
  v.check(dropout == 0 || layers > 1, "dropout",
          "falls between stacked layers and there is one; put a layer of type \"dropout\" after it instead");
}

void describe_recurrent_bias(SettingsVisitor& v, RecurrentBias& bias) {
  static const Options<RecurrentBias> kOptions{{"single", RecurrentBias::kSingle},
                                               {"double", RecurrentBias::kDouble}};
  v.choice("bias", bias, kOptions,
           {"double: one with the inputs and one with the state, as in PyTorch; only their sum matters"});
}

StepProduct::StepProduct(const LayerBuild& build, std::int64_t n, std::int64_t k)
    : n_(n), k_(k), packed_(build.floats(std::max(gemm_pack_size(k, n), gemm_pack_size(n, k)))) {}

void StepProduct::set_project(const Context& context, ConstMatrix w) {
  args_ = {
      {.transpose_b = Transpose::kYes, .n = n_, .k = k_, .lda = k_, .b = w.data, .ldb = w.stride, .ldc = n_},
      packed_.data()};
  serval::run<GemmPack>(context, args_);
}

void StepProduct::set_input_gradient(const Context& context, ConstMatrix w) {
  args_ = {{.n = k_, .k = n_, .lda = n_, .b = w.data, .ldb = w.stride, .ldc = k_}, packed_.data()};
  serval::run<GemmPack>(context, args_);
}

void StepProduct::run(const Context& context, std::int64_t rows, ConstMatrix from, Matrix<float> to,
                      float beta) {
  if (rows == 0) return;
  args_.product.m = rows;
  args_.product.a = from.data;
  args_.product.lda = from.stride;
  args_.product.c = to.data;
  args_.product.ldc = to.stride;
  args_.product.beta = beta;
  serval::run<GemmPacked>(context, args_);
}

std::int64_t Scan::running(std::int64_t s) const {
  std::int64_t batch = call.batch;
  if (call.context.device().kind == DeviceKind::kCpu) {
    while (batch > 0 && steps.host_lengths[batch - 1] <= s) --batch;
  }
  return batch * per;
}

void Scan::bias(float* values, std::int64_t rows, std::int64_t columns, const float* bias,
                Activation activation) const {
  const DeviceKind device = call.context.device().kind;
  run<BiasActivation>(call.context, BiasActivationArgs{.rows = rows,
                                                       .columns = columns,
                                                       .y = {values, Shape{rows, columns}, device},
                                                       .bias = {bias, Shape{columns}, device},
                                                       .activation = activation});
}

void Scan::add_column_sums(const float* values, std::int64_t rows, std::int64_t columns, float* sums) const {
  const DeviceKind device = call.context.device().kind;
  run<ColumnSum>(call.context, ColumnSumArgs{.rows = rows,
                                             .columns = columns,
                                             .x = {values, Shape{rows, columns}, device},
                                             .sums = {sums, Shape{columns}, device}});
}

void Scan::zero(float* values, std::int64_t count) const {
  run<FillZero>(call.context, TensorView{values, Shape{count}, call.context.device().kind});
}

RecurrentLayer::RecurrentLayer(const LayerBuild& build, std::int64_t hidden, bool bidirectional,
                               std::size_t blocks)
    : Layer(build), hidden_(hidden), directions_(bidirectional ? 2 : 1), blocks_(blocks) {
  const std::int64_t rows = build.max_rows(input());
  for (std::size_t d = 0; d < directions_; ++d) {
    x_[d] = build.floats(rows * in());
    h_[d] = build.floats(rows * hidden);
  }
  if (!build.sizes.training) return;
  dh_ = build.floats(rows * hidden);
  dx_ = build.floats(rows * in());
  carry_ = build.floats(build.sizes.max_batch * hidden);
}

void RecurrentLayer::forward(const LayerCall& call, std::span<const ConstTensorView> x, TensorView y) {
  const Scan scan{call, call.steps(input())};
  ReadStepsArgs args{.time = scan.time(), .batch = call.batch, .lengths = scan.steps.lengths};
  for (std::size_t d = 0; d < directions_; ++d) {
    args.reversed = d == 1;
    args.columns = args.from_stride = args.to_stride = in();
    args.from = x[0].data;
    args.to = x_[d].data();
    run<ReadSteps>(call.context, args);
    read(scan, {d, x_[d].data(), h_[d].data()});
    args.columns = args.from_stride = hidden_;
    args.from = h_[d].data();
    args.to = y.data + static_cast<std::int64_t>(d) * hidden_;
    args.to_stride = output().item[0];
    run<ReadSteps>(call.context, args);
  }
}

void RecurrentLayer::backward(const LayerCall& call, const Backward& b) {
  const Scan scan{call, call.steps(input())};
  ReadStepsArgs args{.time = scan.time(), .batch = call.batch, .lengths = scan.steps.lengths};
  const bool wanted = !b.dx[0].empty();
  for (std::size_t d = 0; d < directions_; ++d) {
    args.reversed = d == 1;
    args.columns = args.to_stride = hidden_;
    args.from = b.dy.data + static_cast<std::int64_t>(d) * hidden_;
    args.from_stride = output().item[0];
    args.to = dh_.data();
    args.add = false;
    run<ReadSteps>(call.context, args);
    scan.zero(carry_.data(), scan.rows() * hidden_);
    read_backward(scan, {d, x_[d].data(), h_[d].data()}, dh_.data(), wanted ? dx_.data() : nullptr);
    if (!wanted) continue;
    args.columns = args.from_stride = args.to_stride = in();
    args.from = dx_.data();
    args.to = b.dx[0].data;
    args.add = d == 1;
    run<ReadSteps>(call.context, args);
  }
}

}  // namespace serval::nn
