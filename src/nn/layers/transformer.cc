// Transformer encoders, as PyTorch's nn.TransformerEncoderLayer and the blocks of ViT and DeiT, made of other layers:
//   norm first:  x = x + attention(norm1(x)),  y = x + fc2(activation(fc1(norm2(x))))
//   else:        x = norm1(x + attention(x)),  y = norm2(x + fc2(activation(fc1(x))))
// with dropout of the weights of attention, of what attention and fc2 give, and behind the activation.
//
// Blocks, of the layers <name>.<layer>; a transformer has them as <name>.block0.<layer> and so on, and norm at the end:
//   norm1.gamma, norm1.beta    attention.w_in, .b_in, .w_out, .b_out    norm2.gamma, norm2.beta
//   fc1.w [hidden, feature], fc1.b    fc2.w [feature, hidden], fc2.b
#include "transformer.h"

#include "activation.h"
#include "layers.h"
#include "multi_head_attention.h"

namespace serval::nn {

namespace {

struct TransformerBlock : LayerBodyOf<TransformerBlock>, TransformerSettings {
  static constexpr const char* kType = "transformer_block";

  void describe(SettingsVisitor& v) override { TransformerSettings::describe(v); }

  void plan(NodePlan& node) const override {
    node.need_inputs(1);
    const std::int64_t feature = node.need_sequence().item[0];
    const std::unique_ptr<LayerBody> norm = make_layer_norm(epsilon);
    const auto add_norm = [&](const char* what, int value) { return node.add(what, *norm, {value}); };
    const auto add_dropout = [&](const char* what, int value) {
      return dropout > 0 ? node.add(what, *make_dropout(dropout), {value}) : value;
    };
    const auto attend = [&](int value) {
      MultiHeadAttention attention;
      attention.heads = heads;
      attention.dropout = dropout;
      attention.init = init;
      return add_dropout("dropout1", node.add("attention", attention, {value}));
    };
    const auto feed = [&](int value) {
      value = node.add("fc1", *make_dense(hidden > 0 ? hidden : 4 * feature, init), {value});
      value = add_dropout("dropout", add_activation(node, value, activation));
      return add_dropout("dropout2", node.add("fc2", *make_dense(feature, init), {value}));
    };
    const std::unique_ptr<LayerBody> add = make_add();
    int value = node.input_value();
    if (norm_first) {
      value = node.add("add1", *add, {value, attend(add_norm("norm1", value))});
      value = node.add("add2", *add, {value, feed(add_norm("norm2", value))});
    } else {
      value = add_norm("norm1", node.add("add1", *add, {value, attend(value)}));
      value = add_norm("norm2", node.add("add2", *add, {value, feed(value)}));
    }
    node.result(value);
  }
};

}  // namespace

void TransformerSettings::describe(SettingsVisitor& v) {
  v.integer("heads", heads, {.min = 1, .max = 1024}, {"of attention; they divide the features among them"});
  v.integer("hidden", hidden, {.min = 0, .max = 65536},
            {"width between its two dense layers; 0: four times the features", "units"});
  v.choice("activation", activation, activation_names(), {"between its two dense layers"});
  v.real("dropout", dropout, {.min = 0, .max = 0.99},
         {"rate, of the weights of attention and behind attention, activation and second dense layer"});
  v.flag("norm_first", norm_first,
         {"layer norm before attention and dense layers, as ViT; false: behind them, as the first "
          "transformers"});
  v.real("epsilon", epsilon, {.min = 0, .max = 1, .above_min = true},
         {"of the layer norms; 1e-5 in PyTorch, 1e-6 in ViT and DeiT"});
  describe_initialiser(v, init);
}

void Transformer::describe(SettingsVisitor& v) {
  v.integer("depth", depth, {.min = 1, .max = 128}, {"how many blocks", "blocks"});
  TransformerSettings::describe(v);
  v.flag("final_norm", final_norm, {"a layer norm behind the last block"});
}

void Transformer::plan(NodePlan& node) const {
  node.need_inputs(1);
  TransformerBlock block;
  static_cast<TransformerSettings&>(block) = *this;
  int value = node.input_value();
  for (std::int64_t i = 0; i < depth; ++i) value = node.add(cat("block", i), block, {value});
  if (final_norm) value = node.add("norm", *make_layer_norm(epsilon), {value});
  node.result(value);
}

std::unique_ptr<LayerBody> make_transformer_block() { return std::make_unique<TransformerBlock>(); }
std::unique_ptr<LayerBody> make_transformer() { return std::make_unique<Transformer>(); }

}  // namespace serval::nn
