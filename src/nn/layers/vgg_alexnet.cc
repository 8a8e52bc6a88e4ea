// Two networks of the ImageNet years, without their last classifier.
//
// vgg16 (Simonyan and Zisserman, 2015), its convolutions: conv1_1, conv1_2, pool1, ... conv5_3, pool5; from [3, 224, 224] to
// [512, 7, 7]. In torchvision, features.0, .2, .5 and so on.
//
// alexnet (Krizhevsky et al., 2012), up to fc7: conv1, norm1, pool1, conv2 (two groups), norm2, pool2, conv3, conv4 and conv5 (two
// groups), pool5, fc6, fc7, dropout behind both; from [3, 227, 227] to 4096. Its norms add 1e-4 times the sum over five
// channels; here alpha is divided by their number, so it is 5e-4.
#include "layers.h"
#include "shared_settings.h"
#include "written.h"

namespace serval::nn {

namespace {

struct Vgg16 : LayerBodyOf<Vgg16> {
  static constexpr const char* kType = "vgg16";
  std::int64_t width = 64;
  InitKind init = InitKind::kHeNormal;

  void describe(SettingsVisitor& v) override {
    v.integer("width", width, {.min = 1, .max = 1024},
              {"channels of the first block; 64 in the paper", "channels"});
    describe_initialiser(v, init);
  }
  void plan(NodePlan& node) const override {
    node.need_inputs(1);
    node.need_images();
    Written path(node, node.input_value());
    const int convolutions[] = {2, 2, 3, 3, 3};
    std::int64_t channels = width;
    for (int block = 1; block <= 5; ++block) {
      for (int i = 1; i <= convolutions[block - 1]; ++i) {
        path.add(cat("conv", block, "_", i), "conv2d",
                 conv_settings(channels, 3, 1, init, "\"padding\": 1, \"activation\": \"relu\""));
      }
      path.add(cat("pool", block), "max_pool2d", "\"kernel\": 2");
      if (block <= 3) channels *= 2;
    }
    node.result(path.value());
  }
};

struct AlexNet : LayerBodyOf<AlexNet> {
  static constexpr const char* kType = "alexnet";
  std::int64_t units = 4096;
  double dropout = 0.5;
  InitKind init = InitKind::kHeNormal;

  void describe(SettingsVisitor& v) override {
    v.integer("units", units, {.min = 1, .max = 65536}, {"of fc6 and fc7", "units"});
    v.real("dropout", dropout, {.min = 0, .max = 0.99}, {"rate behind fc6 and fc7"});
    describe_initialiser(v, init);
  }
  void plan(NodePlan& node) const override {
    node.need_inputs(1);
    node.need_images();
    const std::string relu = "\"activation\": \"relu\"";
    const char* norm = "\"size\": 5, \"alpha\": 5e-4, \"beta\": 0.75, \"k\": 2";
    const char* pool = "\"kernel\": 3, \"stride\": 2";
    const std::string dense = cat("\"units\": ", units, ", \"initialiser\": \"", name_of(init), "\", ", relu);
    Written path(node, node.input_value());
    path.add("conv1", "conv2d", conv_settings(96, 11, 4, init, relu));
    path.add("norm1", "local_response_norm", norm).add("pool1", "max_pool2d", pool);
    path.add("conv2", "conv2d", conv_settings(256, 5, 1, init, relu + ", \"padding\": 2, \"groups\": 2"));
    path.add("norm2", "local_response_norm", norm).add("pool2", "max_pool2d", pool);
    path.add("conv3", "conv2d", conv_settings(384, 3, 1, init, relu + ", \"padding\": 1"));
    path.add("conv4", "conv2d", conv_settings(384, 3, 1, init, relu + ", \"padding\": 1, \"groups\": 2"));
    path.add("conv5", "conv2d", conv_settings(256, 3, 1, init, relu + ", \"padding\": 1, \"groups\": 2"));
    path.add("pool5", "max_pool2d", pool).add("flat", "flatten");
    for (const std::string name : {"fc6", "fc7"}) {
      path.add(name, "dense", dense);
      if (dropout > 0) path.add(name + ".dropout", "dropout", cat("\"rate\": ", dropout));
    }
    node.result(path.value());
  }
};

}  // namespace

std::unique_ptr<LayerBody> make_vgg16() { return std::make_unique<Vgg16>(); }
std::unique_ptr<LayerBody> make_alexnet() { return std::make_unique<AlexNet>(); }

}  // namespace serval::nn
