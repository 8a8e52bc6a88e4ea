// Blocks around convolutions that can stand anywhere in a network.
//
// residual_block, ResNet's basic one: y = activation(F(x) + shortcut(x)), F being
//   conv1 (no bias), norm1 with the activation, conv2, norm2
// The shortcut is x, or, where the shape changes, shortcut (a 1x1 conv2d) and shortcut_norm.
//
// squeeze_excitation: y = x * gate, a number a channel: dense layers squeeze and excite over the mean of an image, or of a
// sequence.
#include "layers.h"
#include "shared_settings.h"
#include "written.h"

namespace serval::nn {

namespace {

struct ResidualBlock : LayerBodyOf<ResidualBlock> {
  static constexpr const char* kType = "residual_block";
  std::int64_t channels = 0;
  std::int64_t kernel = 3;
  std::int64_t stride = 1;
  std::int64_t dilation = 1;
  Activation activation = Activation::kRelu;
  InitKind init = InitKind::kHeNormal;

  void describe(SettingsVisitor& v) override {
    v.integer("channels", channels, {.min = 0, .max = 65536},
              {"of both convolutions; 0: as many as the input has", "channels"});
    v.integer("kernel", kernel, {.min = 1, .max = 63}, {"of both convolutions; an odd number"});
    v.integer("stride", stride, {.min = 1, .max = 16}, {"of the first convolution and the shortcut"});
    v.integer("dilation", dilation, {.min = 1, .max = 256}, {"of both convolutions"});
    describe_activation(v, activation);
    describe_initialiser(v, init);
    v.check(kernel % 2 == 1, "kernel", "an odd number, which has a middle");
  }
  void plan(NodePlan& node) const override {
    node.need_inputs(1);
    const ValueType x = node.need_images();
    const std::int64_t out = channels > 0 ? channels : x.item[0];
    const std::string act = cat("\"activation\": \"", name_of(activation), "\"");
    const std::string centred =
        cat("\"bias\": false, \"dilation\": ", dilation, ", \"padding\": ", dilation * (kernel - 1) / 2);
    Written path(node, node.input_value());
    path.add("conv1", "conv2d", conv_settings(out, kernel, stride, init, centred));
    path.add("norm1", "batch_norm", act);
    path.add("conv2", "conv2d", conv_settings(out, kernel, 1, init, centred));
    path.add("norm2", "batch_norm");
    Written shortcut(node, node.input_value());
    if (out != x.item[0] || stride != 1) {
      shortcut.add("shortcut", "conv2d", conv_settings(out, 1, stride, init, "\"bias\": false"));
      shortcut.add("shortcut_norm", "batch_norm");
    }
    path.join("sum", "add", shortcut.value());
    path.add("activation", "activation", cat("\"function\": \"", name_of(activation), "\""));
    node.result(path.value());
  }
};

struct SqueezeExcitation : LayerBodyOf<SqueezeExcitation> {
  static constexpr const char* kType = "squeeze_excitation";
  std::int64_t ratio = 16;
  InitKind init = InitKind::kGlorotUniform;

  void describe(SettingsVisitor& v) override {
    v.integer("ratio", ratio, {.min = 1, .max = 1024},
              {"how many times narrower the layer between is; one unit at least"});
    describe_initialiser(v, init);
  }
  void plan(NodePlan& node) const override {
    node.need_inputs(1);
    const ValueType x = node.input();
    const bool images = x.item.rank() != 1;
    if (images) {
      node.need_images();
    } else {
      node.need_sequence();
    }
    const std::int64_t channels = x.item[0];
    const std::string drawn = cat(", \"initialiser\": \"", name_of(init), "\"");
    Written gate(node, node.input_value());
    gate.add("mean", images ? "global_average_pool" : "mean_pool");
    gate.add(
        "squeeze", "dense",
        cat("\"units\": ", std::max<std::int64_t>(channels / ratio, 1), ", \"activation\": \"relu\"", drawn));
    gate.add("excite", "dense", cat("\"units\": ", channels, ", \"activation\": \"sigmoid\"", drawn));
    node.result(Written(node, node.input_value()).join("gate", "multiply", gate.value()).value());
  }
};

}  // namespace

std::unique_ptr<LayerBody> make_residual_block() { return std::make_unique<ResidualBlock>(); }
std::unique_ptr<LayerBody> make_squeeze_excitation() { return std::make_unique<SqueezeExcitation>(); }

}  // namespace serval::nn
