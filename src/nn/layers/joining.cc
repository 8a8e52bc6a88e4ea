// Several values as one. No blocks.
#include "serval/nn/joining.h"

#include "serval/nn/arithmetic.h"

#include "../layer.h"
#include "layers.h"

namespace serval::nn {

namespace {

void need_several(const NodePlan& node) {
  if (node.input_count() > 1) return;
  node.fail("joins two inputs or more; name them, as in \"input\": [\"a\", \"b\"]");
}

// Refuses sequences whose steps are not the same ones.
void need_one_clock(const NodePlan& node) {
  const ValueType& first = node.input();
  for (std::size_t i = 1; i < node.input_count(); ++i) {
    const ValueType& other = node.input(i);
    if (first.clock == other.clock) continue;
    if (first.sequence() && other.sequence()) {
      node.fail(cat("joins sequences step by step, but inputs 0 and ", i,
                    " have steps of their own, those of \"", node.clock_name(first.clock), "\" and \"",
                    node.clock_name(other.clock),
                    "\"; put match_steps before it, or pool both to one vector"));
    }
    node.fail(cat("joins ", to_string(first), " and ", to_string(other),
                  ": one is a sequence, the other is not; pool the sequence first"));
  }
}

// --- concat

class ConcatLayer : public Layer {
 public:
  ConcatLayer(const LayerBuild& build, int axis) : Layer(build), axis_(axis) {}

  void forward(const LayerCall& call, std::span<const ConstTensorView> x, TensorView y) override {
    const std::int64_t wide = width(output());
    std::int64_t offset = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
      const std::int64_t own = width(input(i));
      run<CopyColumns>(call.context, CopyColumnsArgs{.rows = y.size() / wide,
                                                     .width = own,
                                                     .from_stride = own,
                                                     .to_stride = wide,
                                                     .from = x[i].data,
                                                     .to = y.data + offset});
      offset += own;
    }
  }
  void backward(const LayerCall& call, const Backward& b) override {
    const std::int64_t wide = width(output());
    std::int64_t offset = 0;
    for (std::size_t i = 0; i < b.dx.size(); ++i) {
      const std::int64_t own = width(input(i));
      if (!b.dx[i].empty()) {
        run<CopyColumns>(call.context, CopyColumnsArgs{.rows = b.dy.size() / wide,
                                                       .width = own,
                                                       .from_stride = wide,
                                                       .to_stride = own,
                                                       .from = b.dy.data + offset,
                                                       .to = b.dx[i].data});
      }
      offset += own;
    }
  }

 private:
  // Numbers that lie together: the joined axis and those within.
  std::int64_t width(const ValueType& type) const {
    std::int64_t out = 1;
    for (int axis = axis_; axis < type.item.rank(); ++axis) out *= type.item[axis];
    return out;
  }
  int axis_;
};

struct Concat : LayerBodyOf<Concat> {
  static constexpr const char* kType = "concat";
  int axis = 0;

  void describe(SettingsVisitor& v) override {
    v.integer(
        "axis", axis, {.min = 0, .max = 3},
        {"of an item, along which they are put side by side; 0: features of vectors, channels of images"});
  }
  void plan(NodePlan& node) const override {
    need_several(node);
    need_one_clock(node);
    ValueType out = node.input();
    if (axis >= out.item.rank()) {
      node.fail(cat("joins along axis ", axis, ", but items of ", to_string(out), " have ", out.item.rank(),
                    out.item.rank() == 1 ? " axis, 0" : " axes, from 0"));
    }
    std::int64_t width = 0;
    for (std::size_t i = 0; i < node.input_count(); ++i) {
      const Shape& item = node.input(i).item;
      bool fits = item.rank() == out.item.rank();
      for (int k = 0; fits && k < item.rank(); ++k) fits = k == axis || item[k] == out.item[k];
      if (!fits) {
        node.fail_size(cat("joins along axis ", axis, " what is equal along the others, but gets ",
                           to_string(out), " and ", to_string(node.input(i)),
                           "; use a resize, flatten or pool before it"));
      }
      width += item[axis];
    }
    Shape item;
    for (int k = 0; k < out.item.rank(); ++k) item.append(k == axis ? width : out.item[k]);
    // What a bidirectional layer read from the end may stay at the end of the features.
    const std::size_t last = node.input_count() - 1;
    bool keeps = item.rank() == 1;
    for (std::size_t i = 0; i < last; ++i) keeps = keeps && node.reversed_from(i) == node.input(i).item[0];
    if (keeps) node.set_reversed_from(width - node.input(last).item[0] + node.reversed_from(last));
    node.layer<ConcatLayer>(ValueType{item, out.clock}, axis);
  }
};

// --- add

class AddLayer : public Layer {
 public:
  using Layer::Layer;

  void forward(const LayerCall& call, std::span<const ConstTensorView> x, TensorView y) override {
    run<AddPair>(call.context, AddPairArgs{.a = x[0], .b = x[1], .y = y});
    for (std::size_t i = 2; i < x.size(); ++i) run<AddInto>(call.context, AddIntoArgs{x[i], y});
  }
  void backward(const LayerCall& call, const Backward& b) override {
    for (const TensorView& dx : b.dx) {
      if (!dx.empty()) run<AddInto>(call.context, AddIntoArgs{b.dy, dx, 0});
    }
  }
};

void keep_reversed(NodePlan& node) {
  for (std::size_t i = 1; i < node.input_count(); ++i) {
    if (node.reversed_from(i) != node.reversed_from(0)) return;
  }
  node.set_reversed_from(node.reversed_from());
}

struct Add : LayerBodyOf<Add> {
  static constexpr const char* kType = "add";

  void describe(SettingsVisitor&) override {}
  void plan(NodePlan& node) const override {
    need_several(node);
    need_one_clock(node);
    for (std::size_t i = 1; i < node.input_count(); ++i) {
      if (node.input(i) == node.input()) continue;
      node.fail_size(cat("adds what has one shape, but gets ", to_string(node.input()), " and ",
                         to_string(node.input(i)),
                         "; bring them to one width with a dense layer or a 1x1 conv2d, "
                         "or use concat"));
    }
    keep_reversed(node);
    node.layer<AddLayer>(node.input());
  }
};

// --- multiply

// x times a gate: input 0 and input 1, or the other way round.
class MultiplyLayer : public Layer {
 public:
  MultiplyLayer(const LayerBuild& build, bool swapped)
      : Layer(build), x_(swapped ? 1 : 0), gate_(swapped ? 0 : 1) {}

  void forward(const LayerCall& call, std::span<const ConstTensorView> x, TensorView y) override {
    run<Gate>(call.context, GateArgs{.shape = shape(call), .x = x[x_], .gate = x[gate_], .y = y});
  }
  void backward(const LayerCall& call, const Backward& b) override {
    const GateShape s = shape(call);
    if (!b.dx[x_].empty())
      run<Gate>(call.context, GateArgs{.shape = s, .x = b.dy, .gate = b.x[gate_], .y = b.dx[x_]});
    if (b.dx[gate_].empty()) return;
    if (s.inner_stride == 0) {
      run<GateGradient>(call.context,
                        GateGradientArgs{.shape = s, .x = b.x[x_], .dy = b.dy, .dgate = b.dx[gate_]});
    } else if (s.row_stride == 0) {
      run<GateVectorGradient>(
          call.context,
          GateVectorGradientArgs{.outer = s.outer, .x = b.x[x_], .dy = b.dy, .dgate = b.dx[gate_]});
    } else {
      run<Gate>(call.context, GateArgs{.shape = s, .x = b.dy, .gate = b.x[x_], .y = b.dx[gate_]});
    }
  }

 private:
  GateShape shape(const LayerCall& call) const {
    const ValueType& x = input(x_);
    const ValueType& gate = input(gate_);
    const std::int64_t channels = gate.item.size();
    const std::int64_t inner = x.item.size() / channels;
    const bool each_step = x.clock == gate.clock;
    if (inner == 1 && each_step)
      return {.rows = call.rows(x), .inner = channels, .row_stride = channels, .inner_stride = 1};
    if (inner == 1) {  // one vector for all steps
      return {.outer = call.steps(x).time, .inner = call.batch * channels, .inner_stride = 1};
    }
    GateShape out{.rows = call.batch * channels, .inner = inner, .row_stride = 1};
    if (x.sequence()) out.outer = call.steps(x).time;
    if (each_step) out.outer_stride = out.rows;
    return out;
  }

  std::size_t x_, gate_;
};

// Whether `gate` says something of each value, channel or feature of x.
bool gates(const ValueType& gate, const ValueType& x) {
  if (gate.clock != x.clock && gate.sequence()) return false;
  if (gate.item == x.item) return gate.clock == x.clock || x.item.rank() == 1;
  return gate.item.rank() == 1 && x.item.rank() == 3 && gate.item[0] == x.item[0];
}

struct Multiply : LayerBodyOf<Multiply> {
  static constexpr const char* kType = "multiply";

  void describe(SettingsVisitor&) override {}
  void plan(NodePlan& node) const override {
    need_several(node);
    if (node.input_count() > 2) {
      int value = node.input_value();
      for (std::size_t i = 1; i < node.input_count(); ++i)
        value = node.add(cat("pair", i), *this, {value, node.input_value(i)});
      return node.result(value);
    }
    const ValueType& a = node.input(0);
    const ValueType& b = node.input(1);
    const bool swapped = !gates(b, a);
    if (swapped && !gates(a, b)) {
      if (a.sequence() && b.sequence()) need_one_clock(node);
      node.fail_size(
          cat("multiplies what has one shape, or images by one number a channel, or sequences by one "
              "vector, but gets ",
              to_string(a), " and ", to_string(b)));
    }
    node.set_reversed_from(node.reversed_from(swapped ? 1 : 0));
    node.layer<MultiplyLayer>(swapped ? b : a, swapped);
  }
};

}  // namespace

std::unique_ptr<LayerBody> make_concat() { return std::make_unique<Concat>(); }
std::unique_ptr<LayerBody> make_concat(int axis) {
  auto body = std::make_unique<Concat>();
  body->axis = axis;
  return body;
}
std::unique_ptr<LayerBody> make_add() { return std::make_unique<Add>(); }
std::unique_ptr<LayerBody> make_multiply() { return std::make_unique<Multiply>(); }

}  // namespace serval::nn
