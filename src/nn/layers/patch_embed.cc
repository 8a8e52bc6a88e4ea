// An image as a sequence: each patch [channels, kernel] of it becomes a vector, w patch + b. Patches lie a stride apart,
// only whole ones count, and the steps go through the image row by row: of a spectrogram, band by band.
// What a conv2d without padding gives, as [height * width] steps of its channels.
// Blocks: w [units, channels, kernel height, kernel width], b [units]; DeiT's patch_embed.proj.
#include "patch_embed.h"

#include "serval/nn/patches.h"

#include "../layer.h"
#include "layers.h"

namespace serval::nn {

namespace {

class PatchEmbedLayer : public Layer {
 public:
  PatchEmbedLayer(const LayerBuild& build, PatchShape shape, bool bias)
      : Layer(build), shape_(shape), bias_(bias) {
    const std::int64_t floats = build.sizes.max_batch * shape.patches() * shape.patch_floats();
    patches_ = build.floats(floats);
    // Where the input's gradient is wanted, that of the patches.
    patches_gradient_ = build.floats(build.sizes.training ? floats : 0);
  }

  void forward(const LayerCall& call, std::span<const ConstTensorView> x, TensorView y) override {
    PatchShape shape = shape_;
    shape.batch = call.batch;
    const TensorView patches = patches_.view(0, rows(shape));
    run<TakePatches>(call.context, TakePatchesArgs{.shape = shape, .images = x[0], .patches = patches});
    multiply(call.context, patches, weight(call), y);
    if (!bias_) return;
    run<BiasActivation>(
        call.context,
        BiasActivationArgs{
            .rows = patches.shape[0], .columns = output().item[0], .y = y, .bias = parameter(call, 1)});
  }

  void backward(const LayerCall& call, const Backward& b) override {
    PatchShape shape = shape_;
    shape.batch = call.batch;
    if (trains()) weight_gradients(call, shape, b.dy);
    if (b.dx[0].empty()) return;
    const TensorView dpatches = patches_gradient_.view(0, rows(shape));
    multiply_input_gradient(call.context, b.dy, weight(call), dpatches, 0);
    run<TakePatchesBackward>(
        call.context, TakePatchesBackwardArgs{.shape = shape, .dpatches = dpatches, .dimages = b.dx[0]});
  }

 private:
  void weight_gradients(const LayerCall& call, const PatchShape& shape, ConstTensorView dy) {
    const ConstTensorView patches = patches_.view(0, rows(shape));
    TensorView dw = gradient(call, 0);
    dw.shape = weight(call).shape;
    multiply_weight_gradient(call.context, patches, dy, dw);
    if (!bias_) return;
    run<ColumnSum>(
        call.context,
        ColumnSumArgs{
            .rows = patches.shape[0], .columns = output().item[0], .x = dy, .sums = gradient(call, 1)});
  }
  static Shape rows(const PatchShape& shape) { return {shape.patches() * shape.batch, shape.patch_floats()}; }
  ConstTensorView weight(const LayerCall& call) const {
    return parameter(call, 0).reshaped({output().item[0], shape_.patch_floats()});
  }

  PatchShape shape_;
  bool bias_;
  Tensor patches_, patches_gradient_;
};

}  // namespace

void PatchEmbed::describe(SettingsVisitor& v) {
  v.integer("units", units, {.min = 1, .max = 65536}, {"features of each step", "units", Need::kRequired});
  v.integers("kernel", kernel, {.min = 1, .max = 4096}, {"height and width of a patch, or one for both"});
  v.integers("stride", stride, {.min = 1, .max = 4096},
             {"from patch to patch, down and across; as the kernel when left out"});
  v.check(!kernel.empty() && kernel.size() <= 2, "kernel", "is one number or two: [height, width]");
  v.check(stride.size() <= 2, "stride", "is one number or two: [down, across]");
  v.flag("bias", bias, {"adds a bias to each feature"});
  describe_initialiser(v, init);
}

void PatchEmbed::plan(NodePlan& node) const {
  node.need_inputs(1);
  const ValueType x = node.need_images();
  if (x.sequence()) node.fail(cat("reads one image a recording, but gets the sequence ", to_string(x)));
  if (units < 1) node.fail("has no units; give the features of a step, such as 192");
  if (kernel.empty()) node.fail("has no kernel; give the height and width of a patch, such as 16");
  const std::vector<std::int64_t>& steps = stride.empty() ? kernel : stride;
  const PatchShape shape{.channels = x.item[0],
                         .height = x.item[1],
                         .width = x.item[2],
                         .kernel_height = kernel.front(),
                         .kernel_width = kernel.back(),
                         .stride_height = steps.front(),
                         .stride_width = steps.back()};
  if (shape.height < shape.kernel_height || shape.width < shape.kernel_width) {
    node.fail_size(cat("takes patches of ", shape.kernel_height, " by ", shape.kernel_width,
                       ", but its images are ", shape.height, " by ", shape.width,
                       "; make the kernel smaller or the images larger"));
  }
  node.block("w", {units, shape.channels, shape.kernel_height, shape.kernel_width},
             initialiser(init, shape.patch_floats(), units));
  if (bias) node.block("b", {units}, bias_initialiser(init, shape.patch_floats()));
  node.layer<PatchEmbedLayer>(ValueType{Shape{units}, node.fixed_clock(shape.patches())}, shape, bias);
}

std::unique_ptr<LayerBody> make_patch_embed() { return std::make_unique<PatchEmbed>(); }

}  // namespace serval::nn
