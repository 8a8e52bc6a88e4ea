// Pools of images: the largest or the mean under a window that moves over each channel, or of the whole channel. No blocks.
#include "serval/nn/image_pool.h"

#include "../layer.h"
#include "convolution.h"
#include "layers.h"

namespace serval::nn {

namespace {

class MaxPool2dLayer : public Layer {
 public:
  MaxPool2dLayer(const LayerBuild& build, PoolShape shape)
      : Layer(build),
        shape_(shape),
        places_(build.context.device(), {build.max_rows(output()) * output().item.size()}) {}

  void forward(const LayerCall& call, std::span<const ConstTensorView> x, TensorView y) override {
    run<MaxPool2d>(call.context,
                   MaxPool2dArgs{.shape = shape(call), .x = x[0], .y = y, .places = places_.view()});
  }
  void backward(const LayerCall& call, const Backward& b) override {
    if (b.dx[0].empty()) return;
    const PoolShape now = shape(call);
    if (now.apart()) {
      run<MaxPool2dScatter>(
          call.context,
          MaxPool2dScatterArgs{.shape = now, .dy = b.dy, .places = places_.view(), .dx = b.dx[0]});
    } else {
      run<MaxPool2dBackward>(
          call.context,
          MaxPool2dBackwardArgs{.shape = now, .dy = b.dy, .places = places_.view(), .dx = b.dx[0]});
    }
  }

 private:
  PoolShape shape(const LayerCall& call) const {
    PoolShape now = shape_;
    now.planes = call.rows(input()) * input().item[0];
    return now;
  }
  PoolShape shape_;
  Array<std::int32_t> places_;
};

class AveragePool2dLayer : public Layer {
 public:
  AveragePool2dLayer(const LayerBuild& build, PoolShape shape) : Layer(build), shape_(shape) {}

  void forward(const LayerCall& call, std::span<const ConstTensorView> x, TensorView y) override {
    run<AveragePool2d>(call.context, AveragePool2dArgs{.shape = shape(call), .x = x[0], .y = y});
  }
  void backward(const LayerCall& call, const Backward& b) override {
    if (b.dx[0].empty()) return;
    run<AveragePool2dBackward>(call.context,
                               AveragePool2dBackwardArgs{.shape = shape(call), .dy = b.dy, .dx = b.dx[0]});
  }

 private:
  PoolShape shape(const LayerCall& call) const {
    PoolShape now = shape_;
    now.planes = call.rows(input()) * input().item[0];
    return now;
  }
  PoolShape shape_;
};

template <class Derived, class L>
struct ImagePool : LayerBodyOf<Derived> {
  PoolSettings settings;

  void describe(SettingsVisitor& v) override {
    describe_pool(v, settings, 2);
    if (Derived::kAverages) describe_count_padding(v, settings);
  }
  void plan(NodePlan& node) const override {
    node.need_inputs(1);
    const ValueType x = node.need_images();
    const Window down = window_on(node, settings.window, 0, x.item[1]);
    const Window along = window_on(node, settings.window, 1, x.item[2]);
    check_pool_padding(node, settings, down);
    check_pool_padding(node, settings, along);
    const PoolShape shape{.height = x.item[1],
                          .width = x.item[2],
                          .out_height = down.results(x.item[1]),
                          .out_width = along.results(x.item[2]),
                          .kernel_height = down.kernel,
                          .kernel_width = along.kernel,
                          .stride_height = down.stride,
                          .stride_width = along.stride,
                          .top = down.before,
                          .left = along.before,
                          .count_padding = settings.count_padding};
    node.layer<L>(ValueType{Shape{x.item[0], shape.out_height, shape.out_width}, x.clock}, shape);
  }
};
struct MaxPool2dBody : ImagePool<MaxPool2dBody, MaxPool2dLayer> {
  static constexpr const char* kType = "max_pool2d";
  static constexpr bool kAverages = false;
};
struct AveragePool2dBody : ImagePool<AveragePool2dBody, AveragePool2dLayer> {
  static constexpr const char* kType = "average_pool2d";
  static constexpr bool kAverages = true;
};

class GlobalPoolLayer : public Layer {
 public:
  GlobalPoolLayer(const LayerBuild& build, bool largest)
      : Layer(build), largest_(largest), places_(build.context.device(), {planes(build.max_rows(input()))}) {}

  void forward(const LayerCall& call, std::span<const ConstTensorView> x, TensorView y) override {
    run<GlobalPool>(call.context, GlobalPoolArgs{.planes = planes(call.rows(input())),
                                                 .pixels = pixels(),
                                                 .x = x[0],
                                                 .y = y,
                                                 .places = largest_ ? places_.view() : View<std::int32_t>{}});
  }
  void backward(const LayerCall& call, const Backward& b) override {
    if (b.dx[0].empty()) return;
    GlobalPoolBackwardArgs args{
        .planes = planes(call.rows(input())), .pixels = pixels(), .dy = b.dy, .places = {}, .dx = b.dx[0]};
    if (largest_) args.places = places_.view();
    run<GlobalPoolBackward>(call.context, args);
  }

 private:
  std::int64_t planes(std::int64_t rows) const { return rows * input().item[0]; }
  std::int64_t pixels() const { return input().item[1] * input().item[2]; }
  bool largest_;
  Array<std::int32_t> places_;
};

template <class Derived, bool kLargest>
struct GlobalPoolBody : LayerBodyOf<Derived> {
  void describe(SettingsVisitor&) override {}
  void plan(NodePlan& node) const override {
    node.need_inputs(1);
    const ValueType x = node.need_images();
    node.layer<GlobalPoolLayer>(ValueType{Shape{x.item[0]}, x.clock}, kLargest);
  }
};
struct GlobalMaxPool : GlobalPoolBody<GlobalMaxPool, true> {
  static constexpr const char* kType = "global_max_pool";
};
struct GlobalAveragePool : GlobalPoolBody<GlobalAveragePool, false> {
  static constexpr const char* kType = "global_average_pool";
};

template <class Body>
std::unique_ptr<LayerBody> pool_with(PoolSettings settings) {
  auto body = std::make_unique<Body>();
  body->settings = std::move(settings);
  return body;
}

}  // namespace

std::unique_ptr<LayerBody> make_max_pool2d() { return std::make_unique<MaxPool2dBody>(); }
std::unique_ptr<LayerBody> make_average_pool2d() { return std::make_unique<AveragePool2dBody>(); }
std::unique_ptr<LayerBody> make_max_pool2d(PoolSettings s) { return pool_with<MaxPool2dBody>(std::move(s)); }
std::unique_ptr<LayerBody> make_average_pool2d(PoolSettings s) {
  return pool_with<AveragePool2dBody>(std::move(s));
}
std::unique_ptr<LayerBody> make_global_max_pool() { return std::make_unique<GlobalMaxPool>(); }
std::unique_ptr<LayerBody> make_global_average_pool() { return std::make_unique<GlobalAveragePool>(); }

}  // namespace serval::nn
