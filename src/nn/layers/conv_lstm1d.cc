// A convolutional LSTM over the width of each step's item [channels, width] (a vector counts as one channel):
//   [i f g o]_t = w_x * x_t + w_h * h_{t-1} + b,  c_t = sigmoid(f) c_{t-1} + sigmoid(i) tanh(g),  h_t = sigmoid(o) tanh(c_t)
// with * the convolution along the width, padded by (kernel - 1) / 2 zeros on the left and kernel / 2 on the right. Gives
// [hidden, width] at each step.
// Blocks: w_x [4 hidden, channels, kernel], w_h [4 hidden, hidden, kernel], b [4 hidden].
#include "serval/nn/rearrange.h"

#include "lstm_cell.h"

namespace serval::nn {

namespace {

class ConvLstmLayer : public Layer {
 public:
  ConvLstmLayer(const LayerBuild& build, const LstmCellSettings& settings, std::int64_t channels)
      : Layer(build), s_(settings), channels_(channels) {
    const std::int64_t rows = build.max_rows(input()) * s_.width;
    cell_ = LstmCell(build, s_, rows);
    windows_ = build.floats(rows * channels * s_.kernel);
    gates_ = build.floats(rows * 4 * s_.hidden);
    h_ = build.floats(rows * s_.hidden);
    if (build.sizes.training) dh_ = build.floats(rows * s_.hidden);
  }

  void forward(const LayerCall& call, std::span<const ConstTensorView> x, TensorView y) override {
    const Scan scan{call, call.steps(input()), s_.width};
    const std::int64_t gates = 4 * s_.hidden;
    const std::int64_t columns = channels_ * s_.kernel;
    run<LineWindows>(call.context, LineWindowsArgs{windows(scan), x[0].data, windows_.data()});
    project(call.context, scan.all_rows(), gates, columns, {windows_.data(), columns},
            {parameter(call, 0).data, columns}, {gates_.data(), gates}, 0);
    scan.bias(gates_.data(), scan.all_rows(), gates, parameter(call, 2).data);
    cell_.forward(scan, {.w_h = parameter(call, 1).data}, gates_.data(), h_.data());
    swap(scan, h_, y, s_.hidden, s_.width);
  }

  void backward(const LayerCall& call, const Backward& b) override {
    const Scan scan{call, call.steps(input()), s_.width};
    const std::int64_t gates = 4 * s_.hidden;
    const std::int64_t columns = channels_ * s_.kernel;
    swap(scan, b.dy, dh_.view(0, b.dy.shape), s_.width, s_.hidden);
    cell_.backward(scan, {.w_h = parameter(call, 1).data},
                   {.w_h = trains() ? gradient(call, 1).data : nullptr}, gates_.data(), h_.data(),
                   dh_.data());
    const std::int64_t rows = scan.all_rows();
    if (trains()) {
      project_weight_gradient(call.context, rows, gates, columns, {windows_.data(), columns},
                              {gates_.data(), gates}, {gradient(call, 0).data, columns});
      scan.add_column_sums(gates_.data(), rows, gates, gradient(call, 2).data);
    }
    if (b.dx[0].empty()) return;
    project_input_gradient(call.context, rows, gates, columns, {gates_.data(), gates},
                           {parameter(call, 0).data, columns}, {windows_.data(), columns}, 0);
    run<LineWindowsBackward>(call.context,
                             LineWindowsBackwardArgs{windows(scan), windows_.data(), b.dx[0].data});
  }

 private:
  LineWindowsShape windows(const Scan& scan) const {
    return {scan.time() * scan.call.batch, channels_, s_.width, s_.kernel, s_.width, 1};
  }
  // Items [inner, outer] of `from` as [outer, inner].
  static void swap(const Scan& scan, ConstTensorView from, TensorView to, std::int64_t outer,
                   std::int64_t inner) {
    StridedCopyArgs args;
    args.size[2] = scan.time() * scan.call.batch;
    args.size[3] = outer;
    args.size[4] = inner;
    args.stride[2] = outer * inner;
    args.stride[3] = 1;
    args.stride[4] = outer;
    from.shape = to.shape;
    args.x = from;
    args.y = to;
    run<StridedCopy>(scan.call.context, args);
  }
  static void swap(const Scan& scan, Tensor& from, TensorView to, std::int64_t outer, std::int64_t inner) {
    swap(scan, from.view(0, to.shape), to, outer, inner);
  }

  LstmCellSettings s_;
  std::int64_t channels_;
  LstmCell cell_;
  Tensor windows_, gates_, h_, dh_;
};

struct ConvLstm1d : LayerBodyOf<ConvLstm1d> {
  static constexpr const char* kType = "conv_lstm1d";
  std::int64_t hidden = 16;
  std::int64_t kernel = 3;
  double forget_bias = 1;
  InitKind init = InitKind::kGlorotUniform;
  InitKind recurrent_init = InitKind::kOrthogonal;

  void describe(SettingsVisitor& v) override {
    v.integer("hidden", hidden, {.min = 1, .max = 2048}, {"channels of the state"});
    v.integer("kernel", kernel, {.min = 1, .max = 1024}, {"places that a gate reads"});
    v.real("forget_bias", forget_bias, {.min = -100, .max = 100}, {"first bias of the forget gate"});
    describe_initialiser(v, init);
    describe_initialiser(v, recurrent_init, "recurrent_initialiser");
  }
  void plan(NodePlan& node) const override {
    node.need_inputs(1);
    const ValueType x = node.input();
    if (!x.sequence() || x.item.rank() > 2) {
      node.fail(cat("reads a sequence of items [channels, width], but gets ", to_string(x),
                    x.sequence() ? "; put {\"type\": \"reshape\"} before it"
                                 : "; put {\"type\": \"to_sequence\"} before it"));
    }
    const bool vectors = x.item.rank() == 1;
    const std::int64_t channels = vectors ? 1 : x.item[0];
    const std::int64_t width = vectors ? x.item[0] : x.item[1];
    const std::int64_t gates = 4 * hidden;
    node.block("w_x", {gates, channels, kernel}, initialiser(init, channels * kernel, gates * kernel));
    node.block("w_h", {gates, hidden, kernel},
               initialiser(recurrent_init, hidden * kernel, gates * kernel, 4));
    node.block("b", {gates}, {.kind = InitKind::kForgetBias, .scale = forget_bias});
    node.layer<ConvLstmLayer>(ValueType{Shape{hidden, width}, x.clock},
                              LstmCellSettings{.hidden = hidden, .width = width, .kernel = kernel}, channels);
  }
};

}  // namespace

std::unique_ptr<LayerBody> make_conv_lstm1d() { return std::make_unique<ConvLstm1d>(); }

}  // namespace serval::nn
