// AST, the audio spectrogram transformer of Gong, Chung and Glass (Interspeech 2021), up to its head: patches of
// [1, band, frame], two tokens, learned positions, a transformer of DeiT's size, and the mean of what became of the tokens.
// The head is a layer_norm and a dense layer behind it.
//
// Blocks, and what DeiT (distilled) and the authors' checkpoints call them:
//   patch_embed.w, .b          patch_embed.proj.weight, .bias
//   tokens.token0, .token1     cls_token, dist_token
//   positions.p                pos_embed; rows of the two tokens, then of the patches, band by band
//   blocks.block<i>.*          blocks.<i>.*: norm1, attn.qkv and attn.proj, norm2, mlp.fc1 and mlp.fc2
//   blocks.norm.gamma, .beta   norm.weight, .bias
#include <array>

#include "layers.h"
#include "patch_embed.h"
#include "tokens.h"
#include "transformer.h"

namespace serval::nn {

namespace {

enum class AstSize { kTiny, kSmall, kBase };
struct AstWidths {
  std::int64_t width, depth, heads;
};
constexpr std::array<AstWidths, 3> kWidths{{{192, 12, 3}, {384, 12, 6}, {768, 12, 12}}};

constexpr std::int64_t kTokens = 2;  // class and distillation

struct Ast : LayerBodyOf<Ast> {
  static constexpr const char* kType = "ast";
  AstSize size = AstSize::kTiny;
  std::int64_t width = 0, depth = 0, heads = 0;
  std::vector<std::int64_t> kernel = {16};
  std::vector<std::int64_t> stride = {10};
  double dropout = 0;

  void describe(SettingsVisitor& v) override {
    v.choice("size", size,
             Options<AstSize>{{"tiny", AstSize::kTiny}, {"small", AstSize::kSmall}, {"base", AstSize::kBase}},
             {"width 192, 384 or 768, with 3, 6 or 12 heads, in 12 blocks"});
    v.integer("width", width, {.min = 0, .max = 8192}, {"features; 0: those of the size", "units"});
    v.integer("depth", depth, {.min = 0, .max = 128}, {"0: that of the size", "blocks"});
    v.integer("heads", heads, {.min = 0, .max = 1024}, {"of attention; 0: those of the size"});
    v.integers("kernel", kernel, {.min = 1, .max = 4096}, {"height and width of a patch, or one for both"});
    v.integers("stride", stride, {.min = 1, .max = 4096},
               {"from patch to patch, down and across, or one for both"});
    v.check(!kernel.empty() && kernel.size() <= 2, "kernel", "is one number or two: [height, width]");
    v.check(!stride.empty() && stride.size() <= 2, "stride", "is one number or two: [down, across]");
    v.real("dropout", dropout, {.min = 0, .max = 0.99}, {"rate within the blocks and behind the positions"});
  }

  void plan(NodePlan& node) const override {
    node.need_inputs(1);
    node.need_images();
    const AstWidths& known = kWidths[static_cast<std::size_t>(size)];
    PatchEmbed patches;
    patches.units = width > 0 ? width : known.width;
    patches.kernel = kernel;
    patches.stride = stride;
    Transformer blocks;
    blocks.depth = depth > 0 ? depth : known.depth;
    blocks.heads = heads > 0 ? heads : known.heads;
    blocks.dropout = dropout;
    blocks.epsilon = 1e-6;
    blocks.final_norm = true;
    int value = node.add("patch_embed", patches, {node.input_value()});
    value = node.add("tokens", *make_class_tokens(kTokens), {value});
    value = node.add("positions", *make_positional_embedding(), {value});
    if (dropout > 0) value = node.add("dropout", *make_dropout(dropout), {value});
    value = node.add("blocks", blocks, {value});
    node.result(node.add("mean", *make_token_mean(kTokens), {value}));
  }
};

}  // namespace

std::unique_ptr<LayerBody> make_ast() { return std::make_unique<Ast>(); }

}  // namespace serval::nn
