// LSTM layers, one way or both, stacked.
// Blocks, for each direction (and layer of a stack, <layer>.stack0 and so on), gates in the order i, f, g, o:
//   forward.w_x [4 hidden, in], forward.w_h [4 hidden, hidden], forward.b [4 hidden] (nn/lstm.h)
//   two biases: forward.b_h [4 hidden], added to b
//   peepholes of the gates i, f and o: forward.w_c, [3 hidden] where diagonal, [3 hidden, hidden] where full;
//     i and f look at the cell before the step, o at that or at the new one (nn/lstm_cell.h)
//   then the same with reversed.
#include "serval/nn/lstm.h"

#include "serval/nn/arithmetic.h"

#include "lstm_cell.h"

namespace serval::nn {

namespace {

class LstmLayer : public Layer {
 public:
  LstmLayer(const LayerBuild& build, std::int64_t hidden, bool bidirectional, RecurrentBias bias)
      : Layer(build),
        hidden_(hidden),
        directions_(bidirectional ? 2 : 1),
        blocks_(bias == RecurrentBias::kDouble ? 4 : 3) {
    for (int direction = 0; direction < directions_; ++direction) {
      LstmShape largest{build.max_time(input()), build.sizes.max_batch, input().item[0], hidden,
                        direction == 1};
      reserve_[static_cast<std::size_t>(direction)] = build.floats(lstm_reserve_size(build.context, largest));
    }
    const std::int64_t count = lstm_parameter_count(input().item[0], hidden);
    if (blocks_ == 4) weights_ = build.floats(count);
    if (build.sizes.training && trains() && blocks_ == 4) gradients_ = build.floats(count);
  }

  void forward(const LayerCall& call, std::span<const ConstTensorView> x, TensorView y) override {
    for (int direction = 0; direction < directions_; ++direction) {
      LstmForwardArgs args = common<LstmForwardArgs>(call, x[0], direction);
      args.y = y.data + direction * hidden_;
      args.training = call.mode == Mode::kTrain;
      lstm_forward(call.context, args);
    }
  }

  void backward(const LayerCall& call, const Backward& b) override {
    if (!b.dx[0].empty()) run<FillZero>(call.context, b.dx[0]);
    for (int direction = 0; direction < directions_; ++direction) {
      LstmBackwardArgs args = common<LstmBackwardArgs>(call, b.x[0], direction);
      args.y = b.y.data + direction * hidden_;
      args.dy = b.dy.data + direction * hidden_;
      args.dx = b.dx[0];
      if (!trains()) {
        lstm_backward(call.context, args);
        continue;
      }
      TensorView gradients = gradient(call, first_block(direction));
      gradients.shape = args.weights.shape;
      args.dweights = gradients;
      if (blocks_ == 4) {
        args.dweights = gradients_.view();
        run<FillZero>(call.context, args.dweights);
      }
      lstm_backward(call.context, args);
      if (blocks_ == 3) continue;
      run<AddInto>(call.context, AddIntoArgs{.from = args.dweights, .to = gradients});
      const TensorView bias = gradient(call, first_block(direction) + 3);
      run<AddInto>(
          call.context,
          AddIntoArgs{.from = gradients_.view(gradients_.size() - bias.size(), bias.shape), .to = bias});
    }
  }

 private:
  std::size_t first_block(int direction) const { return blocks_ * static_cast<std::size_t>(direction); }

  template <class Args>
  Args common(const LayerCall& call, ConstTensorView x, int direction) {
    const Steps& steps = call.steps(input());
    Args args;
    args.shape = {steps.time, call.batch, input().item[0], hidden_, direction == 1};
    args.x = x;
    args.lengths = steps.lengths;
    args.host_lengths = steps.host_lengths;
    args.weights = parameter(call, first_block(direction));  // and the two blocks behind it
    args.weights.shape = {lstm_parameter_count(input().item[0], hidden_)};
    if (blocks_ == 4) {  // the op has one bias: that of both
      run<AddInto>(call.context, AddIntoArgs{.from = args.weights, .to = weights_.view(), .beta = 0});
      const ConstTensorView second = parameter(call, first_block(direction) + 3);
      run<AddInto>(
          call.context,
          AddIntoArgs{.from = second, .to = weights_.view(weights_.size() - second.size(), second.shape)});
      args.weights = weights_.view();
    }
    args.y_stride = output().item[0];
    args.reserve = reserve_[static_cast<std::size_t>(direction)].view();
    return args;
  }

  std::int64_t hidden_;
  int directions_;
  std::size_t blocks_;
  std::array<Tensor, 2> reserve_;
  Tensor weights_, gradients_;  // with two biases: what the op works on
};

class PeepholeLstmLayer : public RecurrentLayer {
 public:
  PeepholeLstmLayer(const LayerBuild& build, const LstmCellSettings& settings, bool bidirectional,
                    RecurrentBias bias)
      : RecurrentLayer(build, settings.hidden, bidirectional, bias == RecurrentBias::kDouble ? 5 : 4),
        second_bias_(bias == RecurrentBias::kDouble) {
    for (std::size_t d = 0; d < (bidirectional ? 2 : 1); ++d) {
      cells_[d] = LstmCell(build, settings, build.max_rows(input()));
      gates_[d] = build.floats(build.max_rows(input()) * 4 * settings.hidden);
    }
  }

 protected:
  void read(const Scan& scan, const Direction& d) override {
    const std::int64_t gates = 4 * hidden();
    float* to = gates_[d.index].data();
    project(scan.call.context, scan.all_rows(), gates, in(), {d.x, in()}, {weights(scan, d, 0), in()},
            {to, gates}, 0);
    scan.bias(to, scan.all_rows(), gates, weights(scan, d, 2));
    if (second_bias_) scan.bias(to, scan.all_rows(), gates, weights(scan, d, 3));
    cells_[d.index].forward(scan, {weights(scan, d, 1), weights(scan, d, peepholes())}, to, d.h);
  }
  void read_backward(const Scan& scan, const Direction& d, const float* dh, float* dx) override {
    const std::int64_t gates = 4 * hidden();
    float* from = gates_[d.index].data();
    LstmCell::Gradients dw;
    if (trains()) dw = {weight_gradients(scan, d, 1), weight_gradients(scan, d, peepholes())};
    cells_[d.index].backward(scan, {weights(scan, d, 1), weights(scan, d, peepholes())}, dw, from, d.h, dh);
    const std::int64_t rows = scan.all_rows();
    if (trains()) {
      project_weight_gradient(scan.call.context, rows, gates, in(), {d.x, in()}, {from, gates},
                              {weight_gradients(scan, d, 0), in()});
      scan.add_column_sums(from, rows, gates, weight_gradients(scan, d, 2));
      if (second_bias_) scan.add_column_sums(from, rows, gates, weight_gradients(scan, d, 3));
    }
    if (dx == nullptr) return;
    project_input_gradient(scan.call.context, rows, gates, in(), {from, gates}, {weights(scan, d, 0), in()},
                           {dx, in()}, 0);
  }

 private:
  std::size_t peepholes() const { return second_bias_ ? 4 : 3; }

  bool second_bias_;
  std::array<LstmCell, 2> cells_;
  std::array<Tensor, 2> gates_;
};

enum class OutputPeephole { kPrevious, kCurrent };

struct Lstm : LayerBodyOf<Lstm> {
  static constexpr const char* kType = "lstm";
  RecurrentSettings s;
  RecurrentBias bias = RecurrentBias::kSingle;
  double forget_bias = 1;
  Peephole peephole = Peephole::kNone;
  OutputPeephole output_peephole = OutputPeephole::kCurrent;

  void describe(SettingsVisitor& v) override {
    static const Options<Peephole> kPeepholes{
        {"none", Peephole::kNone}, {"diagonal", Peephole::kDiagonal}, {"full", Peephole::kFull}};
    static const Options<OutputPeephole> kOutputs{{"previous", OutputPeephole::kPrevious},
                                                  {"current", OutputPeephole::kCurrent}};
    s.describe(v);
    describe_recurrent_bias(v, bias);
    v.real("forget_bias", forget_bias, {.min = -100, .max = 100},
           {"added to the first bias of the forget gate: 1 in Keras, 0 in PyTorch"});
    v.choice("peephole", peephole, kPeepholes,
             {"whether gates look at the cell: each unit at its own, or at all of them"});
    v.choice("output_peephole", output_peephole, kOutputs, {"which cell the output gate looks at"});
    v.check(output_peephole == OutputPeephole::kCurrent || peephole != Peephole::kNone, "output_peephole",
            "belongs to \"peephole\": \"diagonal\" or \"full\"");
  }

  void plan(NodePlan& node) const override {
    node.need_inputs(1);
    const ValueType x = node.need_sequence();
    if (s.layers > 1) return plan_stack(node, *this);
    const std::int64_t in = x.item[0];
    const std::int64_t gates = 4 * s.hidden;
    for (std::int64_t d = 0; d < s.directions(); ++d) {
      const std::string prefix = kDirections[static_cast<std::size_t>(d)];
      node.block(prefix + "w_x", {gates, in}, s.input_init(in, 4));
      node.block(prefix + "w_h", {gates, s.hidden}, s.recurrent_init(4));
      Initialiser first = s.bias_init();
      first.kind = InitKind::kForgetBias;
      first.scale = forget_bias;
      node.block(prefix + "b", {gates}, first);
      if (bias == RecurrentBias::kDouble) node.block(prefix + "b_h", {gates}, s.bias_init());
      if (peephole == Peephole::kDiagonal)
        node.block(prefix + "w_c", {3 * s.hidden}, nn::initialiser(s.initialiser, s.hidden, s.hidden));
      if (peephole == Peephole::kFull)
        node.block(prefix + "w_c", {3 * s.hidden, s.hidden}, s.recurrent_init(3));
    }
    node.set_reversed_from(s.hidden);
    const ValueType y{Shape{s.directions() * s.hidden}, x.clock};
    if (peephole == Peephole::kNone) return node.layer<LstmLayer>(y, s.hidden, s.bidirectional, bias);
    node.layer<PeepholeLstmLayer>(
        y,
        LstmCellSettings{.hidden = s.hidden,
                         .peephole = peephole,
                         .output_current = output_peephole == OutputPeephole::kCurrent},
        s.bidirectional, bias);
  }
};

}  // namespace

std::unique_ptr<LayerBody> make_lstm() { return std::make_unique<Lstm>(); }

}  // namespace serval::nn
