// DenseNet (Huang et al., CVPR 2017), without its classifier. No convolution has a bias.
//
// dense_block: each layer reads all maps before it and adds `growth` new ones behind them:
//   layer<i>.norm1, relu, .conv1 (1x1, bottleneck * growth), .norm2, relu, .conv2 (3x3); concat
// transition: norm, relu, conv (1x1), then the mean of 2x2.
// densenet121: conv0 (7x7, stride 2), norm0, relu, a 3x3 max pool of stride 2; block1, transition1, ... block4; norm5, relu and
// the mean over the image, 1024 features. In torchvision the blocks are features.conv0, .norm0, .denseblock<i>.denselayer<j>,
// .transition<i> and .norm5, with weights of the same shapes and order.
#include "layers.h"
#include "shared_settings.h"
#include "written.h"

namespace serval::nn {

namespace {

constexpr const char* kRelu = "\"activation\": \"relu\"";
constexpr const char* kNoBias = "\"bias\": false";

void add_dense_layers(Written& path, const std::string& prefix, std::int64_t layers, std::int64_t growth,
                      std::int64_t bottleneck, InitKind init) {
  for (std::int64_t i = 1; i <= layers; ++i) {
    const std::string layer = cat(prefix, "layer", i, ".");
    const int before = path.value();
    path.add(layer + "norm1", "batch_norm", kRelu);
    if (bottleneck > 0) {
      path.add(layer + "conv1", "conv2d", conv_settings(bottleneck * growth, 1, 1, init, kNoBias));
      path.add(layer + "norm2", "batch_norm", kRelu);
    }
    path.add(layer + "conv2", "conv2d", conv_settings(growth, 3, 1, init, "\"bias\": false, \"padding\": 1"));
    const int fresh = path.value();
    path.from(before).join(layer + "concat", "concat", fresh);
  }
}

void add_transition(Written& path, const std::string& prefix, std::int64_t channels, InitKind init) {
  path.add(prefix + "norm", "batch_norm", kRelu);
  path.add(prefix + "conv", "conv2d", conv_settings(channels, 1, 1, init, kNoBias));
  path.add(prefix + "pool", "average_pool2d", "\"kernel\": 2");
}

struct DenseBlock : LayerBodyOf<DenseBlock> {
  static constexpr const char* kType = "dense_block";
  std::int64_t layers = 6;
  std::int64_t growth = 32;
  std::int64_t bottleneck = 4;
  InitKind init = InitKind::kHeNormal;

  void describe(SettingsVisitor& v) override {
    v.integer("layers", layers, {.min = 1, .max = 256}, {"how many"});
    v.integer("growth", growth, {.min = 1, .max = 4096}, {"maps that each adds", "channels"});
    v.integer("bottleneck", bottleneck, {.min = 0, .max = 64},
              {"width of the 1x1 convolution before each, in growths; 0: none"});
    describe_initialiser(v, init);
  }
  void plan(NodePlan& node) const override {
    node.need_inputs(1);
    node.need_images();
    Written path(node, node.input_value());
    add_dense_layers(path, "", layers, growth, bottleneck, init);
    node.result(path.value());
  }
};

struct Transition : LayerBodyOf<Transition> {
  static constexpr const char* kType = "transition";
  double compression = 0.5;
  InitKind init = InitKind::kHeNormal;

  void describe(SettingsVisitor& v) override {
    v.real("compression", compression, {.min = 0, .max = 1, .above_min = true},
           {"share of the channels that stays"});
    describe_initialiser(v, init);
  }
  void plan(NodePlan& node) const override {
    node.need_inputs(1);
    const ValueType x = node.need_images();
    Written path(node, node.input_value());
    const auto channels = static_cast<std::int64_t>(compression * static_cast<double>(x.item[0]));
    if (channels < 1) node.fail_size(cat("would keep none of ", x.item[0], " channels; raise compression"));
    add_transition(path, "", channels, init);
    node.result(path.value());
  }
};

struct DenseNet : LayerBodyOf<DenseNet> {
  static constexpr const char* kType = "densenet121";
  std::vector<std::int64_t> blocks{6, 12, 24, 16};
  std::int64_t growth = 32;
  std::int64_t first = 64;
  InitKind init = InitKind::kHeNormal;

  void describe(SettingsVisitor& v) override {
    v.integers("blocks", blocks, {.min = 1, .max = 256}, {"layers of each dense block"});
    v.integer("growth", growth, {.min = 1, .max = 4096}, {"maps that each layer adds", "channels"});
    v.integer("first", first, {.min = 1, .max = 4096}, {"of the first convolution", "channels"});
    describe_initialiser(v, init);
    v.check(!blocks.empty() && blocks.size() <= 8, "blocks", "one to eight");
  }
  void plan(NodePlan& node) const override {
    node.need_inputs(1);
    node.need_images();
    Written path(node, node.input_value());
    path.add("conv0", "conv2d", conv_settings(first, 7, 2, init, "\"bias\": false, \"padding\": 3"));
    path.add("norm0", "batch_norm", kRelu);
    path.add("pool0", "max_pool2d", "\"kernel\": 3, \"stride\": 2, \"padding\": 1");
    for (std::size_t i = 0; i < blocks.size(); ++i) {
      add_dense_layers(path, cat("block", i + 1, "."), blocks[i], growth, 4, init);
      if (i + 1 < blocks.size())
        add_transition(path, cat("transition", i + 1, "."), path.item()[0] / 2, init);
    }
    path.add("norm5", "batch_norm", kRelu);
    path.add("mean", "global_average_pool");
    node.result(path.value());
  }
};

}  // namespace

std::unique_ptr<LayerBody> make_dense_block() { return std::make_unique<DenseBlock>(); }
std::unique_ptr<LayerBody> make_transition() { return std::make_unique<Transition>(); }
std::unique_ptr<LayerBody> make_densenet121() { return std::make_unique<DenseNet>(); }

}  // namespace serval::nn
