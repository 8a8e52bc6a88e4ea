// Weights as Keras has them, against the network's blocks, on sizes that all differ.
#include "serval/deploy/keras.h"

#include <set>

#include <gmock/gmock.h>

#include "onnx_support.h"

namespace serval::deploy {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing_support::MadeBundle;
using testing_support::make_bundle;

// Features of 12 columns, as sequences.
class KerasWeights : public testing::Test {
 protected:
  void convert(const std::string& layers) {
    MadeBundle made;
    made.network = cat(R"({"layers": [)", layers, "]}");
    convert(made);
  }
  void convert(const MadeBundle& made) {
    bundle_ = make_bundle(made);
    network_ = keras_networks(bundle_).front();
  }
  // Frames as images [2, 6, 7].
  void convert_images(const std::string& layers) {
    MadeBundle made;
    made.input = R"({"features": "f", "segment_frames": 7, "shift_frames": 5, "image": {"channels": 2}})";
    made.network = cat(R"({"inputs": {"x": {"kind": "image"}}, "layers": [)", layers, "]}");
    convert(made);
  }

  const KerasLayer& layer(const std::string& name) const {
    for (const KerasLayer& one : network_.layers) {
      if (one.name == name) return one;
    }
    throw InternalError(cat("no layer ", name));
  }
  const NamedArray& weight(const std::string& of, const std::string& name) const {
    for (const NamedArray& one : layer(of).weights) {
      if (one.name == name) return one;
    }
    throw InternalError(cat("no weight ", name, " of ", of));
  }
  std::vector<std::string> weight_names(const std::string& of) const {
    std::vector<std::string> out;
    for (const NamedArray& one : layer(of).weights) out.push_back(one.name);
    return out;
  }
  std::vector<std::string> names() const {
    std::vector<std::string> out;
    for (const KerasLayer& one : network_.layers) out.push_back(one.name);
    return out;
  }
  const NamedArray& block(const std::string& name) const { return bundle_.members.front().array(name); }

  // Keras' value at [row, column] is Serval's at [order[column / gate] * gate + column % gate, row].
  void expect_gates(const NamedArray& keras, const NamedArray& serval,
                    const std::vector<std::int64_t>& order) const {
    const std::int64_t in = serval.shape[1], columns = serval.shape[0];
    const std::int64_t gate = columns / static_cast<std::int64_t>(order.size());
    ASSERT_EQ(keras.shape, (Shape{in, columns}));
    for (std::int64_t row = 0; row < in; ++row) {
      for (std::int64_t column = 0; column < columns; ++column) {
        const std::int64_t from = order[static_cast<std::size_t>(column / gate)] * gate + column % gate;
        ASSERT_EQ(keras.values[static_cast<std::size_t>(row * columns + column)],
                  serval.values[static_cast<std::size_t>(from * in + row)])
            << keras.name << " " << row << ", " << column;
      }
    }
  }

  Bundle bundle_;
  KerasNetwork network_;
};

TEST_F(KerasWeights, Dense) {
  convert(R"({"type": "mean_pool"}, {"type": "dense", "name": "fc", "units": 5, "activation": "gelu"},
             {"type": "dense", "bias": false})");
  EXPECT_THAT(names(), ElementsAre("fc", "dense"));
  EXPECT_EQ(layer("fc").class_name, "Dense");
  EXPECT_EQ(layer("fc").serval_name, "fc.linear");
  EXPECT_THAT(weight_names("fc"), ElementsAre("kernel:0", "bias:0"));
  expect_gates(weight("fc", "kernel:0"), block("fc.linear.w"), {0});
  EXPECT_EQ(weight("fc", "bias:0").values, block("fc.linear.b").values);
  EXPECT_THAT(weight_names("dense"), ElementsAre("kernel:0"));
  EXPECT_EQ(weight("dense", "kernel:0").shape, (Shape{5, 3}));
}

TEST_F(KerasWeights, Lstm) {
  convert(
      R"({"type": "lstm", "name": "both", "hidden": 7, "layers": 2, "bidirectional": true, "bias": "double"},
             {"type": "lstm", "hidden": 5}, {"type": "lstm", "hidden": 4}, {"type": "last_pool"}, {"type": "dense"})");
  EXPECT_THAT(names(), ElementsAre("both_stack0", "both_stack1", "lstm", "lstm_1", "dense"));
  EXPECT_EQ(layer("both_stack0").class_name, "Bidirectional");
  EXPECT_THAT(
      weight_names("both_stack0"),
      ElementsAre("forward_lstm/kernel:0", "forward_lstm/recurrent_kernel:0", "forward_lstm/bias:0",
                  "backward_lstm/kernel:0", "backward_lstm/recurrent_kernel:0", "backward_lstm/bias:0"));
  for (const auto& [keras, serval] : {std::pair{"forward", "forward"}, std::pair{"backward", "reversed"}}) {
    const std::string from = cat("both.stack0.", serval, "."), to = cat(keras, "_lstm/");
    expect_gates(weight("both_stack0", to + "kernel:0"), block(from + "w_x"), {0, 1, 2, 3});
    expect_gates(weight("both_stack0", to + "recurrent_kernel:0"), block(from + "w_h"), {0, 1, 2, 3});
    const NamedArray& bias = weight("both_stack0", to + "bias:0");
    ASSERT_EQ(bias.shape, Shape{28});
    for (std::size_t i = 0; i < 28; ++i)
      EXPECT_EQ(bias.values[i], block(from + "b").values[i] + block(from + "b_h").values[i]);
  }
  EXPECT_EQ(weight("both_stack1", "forward_lstm/kernel:0").shape, (Shape{14, 28}));
  EXPECT_EQ(layer("lstm").class_name, "LSTM");
  EXPECT_EQ(weight("lstm", "kernel:0").shape, (Shape{14, 20}));
  EXPECT_EQ(weight("lstm", "bias:0").values, block("layer1.forward.b").values);
}

TEST_F(KerasWeights, GruAndSimpleRnn) {
  convert(R"({"type": "gru", "hidden": 7}, {"type": "gru", "name": "g", "hidden": 5, "reset_after": false},
             {"type": "simple_rnn", "hidden": 4, "bias": "double"}, {"type": "mean_pool"}, {"type": "dense"})");
  expect_gates(weight("gru", "kernel:0"), block("layer0.forward.w_x"), {1, 0, 2});
  expect_gates(weight("gru", "recurrent_kernel:0"), block("layer0.forward.w_h"), {1, 0, 2});
  const NamedArray& bias = weight("gru", "bias:0");
  ASSERT_EQ(bias.shape, (Shape{2, 21}));
  const std::vector<std::size_t> order{1, 0, 2};
  for (std::size_t i = 0; i < 21; ++i) {
    const std::size_t from = order[i / 7] * 7 + i % 7;
    EXPECT_EQ(bias.values[i], block("layer0.forward.b").values[from]);
    EXPECT_EQ(bias.values[21 + i], block("layer0.forward.b_h").values[from]);
  }
  EXPECT_EQ(weight("g", "bias:0").shape, Shape{15});
  EXPECT_EQ(weight("g", "bias:0").values[0], block("g.forward.b").values[5]);
  EXPECT_EQ(layer("simple_rnn").class_name, "SimpleRNN");
  EXPECT_EQ(weight("simple_rnn", "bias:0").values[3],
            block("layer2.forward.b").values[3] + block("layer2.forward.b_h").values[3]);
}

TEST_F(KerasWeights, Conv1dAndNorms) {
  convert(R"({"type": "conv1d", "channels": 8, "kernel": 5}, {"type": "batch_norm", "activation": "gelu"},
             {"type": "conv1d", "channels": 6, "kernel": 3, "groups": 2},
             {"type": "conv1d", "channels": 12, "kernel": 4, "groups": 6},
             {"type": "batch_norm", "name": "bare", "scale": false}, {"type": "layer_norm"},
             {"type": "mean_pool"}, {"type": "dense"})");
  EXPECT_THAT(names(), ElementsAre("conv1d", "batch_normalization", "conv1d_1", "depthwise_conv1d", "bare",
                                   "layer_normalization", "dense"));
  const NamedArray& w = block("layer0.w");  // [8, 12, 5]
  const NamedArray& kernel = weight("conv1d", "kernel:0");
  ASSERT_EQ(kernel.shape, (Shape{5, 12, 8}));
  for (std::size_t k = 0; k < 5; ++k) {
    for (std::size_t i = 0; i < 12; ++i) {
      for (std::size_t o = 0; o < 8; ++o)
        ASSERT_EQ(kernel.values[(k * 12 + i) * 8 + o], w.values[(o * 12 + i) * 5 + k]);
    }
  }
  EXPECT_EQ(weight("conv1d_1", "kernel:0").shape, (Shape{3, 4, 6}));
  EXPECT_EQ(layer("depthwise_conv1d").class_name, "DepthwiseConv1D");
  const NamedArray& depthwise = weight("depthwise_conv1d", "depthwise_kernel:0");
  ASSERT_EQ(depthwise.shape, (Shape{4, 6, 2}));
  EXPECT_EQ(depthwise.values[(3 * 6 + 5) * 2 + 1], block("layer3.w").values[11 * 4 + 3]);
  EXPECT_THAT(weight_names("batch_normalization"),
              ElementsAre("gamma:0", "beta:0", "moving_mean:0", "moving_variance:0"));
  EXPECT_EQ(weight("batch_normalization", "moving_variance:0").values,
            block("layer1.linear.running_variance").values);
  EXPECT_THAT(weight_names("bare"), ElementsAre("beta:0", "moving_mean:0", "moving_variance:0"));
  EXPECT_THAT(weight_names("layer_normalization"), ElementsAre("gamma:0", "beta:0"));
}

TEST_F(KerasWeights, Conv2d) {
  convert_images(R"({"type": "conv2d", "channels": 6, "kernel": [3, 4], "padding": "same"},
                    {"type": "conv2d", "name": "deep.wise", "channels": 12, "kernel": [2, 3], "groups": 6},
                    {"type": "global_average_pool"}, {"type": "dense"})");
  EXPECT_THAT(names(), ElementsAre("conv2d", "deep_wise", "dense"));
  const NamedArray& w = block("layer0.w");  // [6, 2, 3, 4]
  const NamedArray& kernel = weight("conv2d", "kernel:0");
  ASSERT_EQ(kernel.shape, (Shape{3, 4, 2, 6}));
  for (std::size_t h = 0; h < 3; ++h) {
    for (std::size_t v = 0; v < 4; ++v) {
      for (std::size_t i = 0; i < 2; ++i) {
        for (std::size_t o = 0; o < 6; ++o)
          ASSERT_EQ(kernel.values[((h * 4 + v) * 2 + i) * 6 + o], w.values[((o * 2 + i) * 3 + h) * 4 + v]);
      }
    }
  }
  const NamedArray& depthwise = weight("deep_wise", "depthwise_kernel:0");
  ASSERT_EQ(depthwise.shape, (Shape{2, 3, 6, 2}));
  EXPECT_EQ(depthwise.values[((1 * 3 + 2) * 6 + 4) * 2 + 1], block("deep.wise.w").values[9 * 6 + 5]);
}

TEST_F(KerasWeights, ConvLstm) {
  convert(R"({"type": "conv_lstm1d", "hidden": 2, "kernel": 3}, {"type": "flatten"}, {"type": "mean_pool"},
             {"type": "dense"})");
  const NamedArray& kernel = weight("conv_lstm1d", "recurrent_kernel:0");
  ASSERT_EQ(kernel.shape, (Shape{3, 2, 8}));
  EXPECT_EQ(kernel.values[(2 * 2 + 1) * 8 + 6], block("layer0.w_h").values[(6 * 2 + 1) * 3 + 2]);
}

TEST_F(KerasWeights, Attention) {
  convert(R"({"type": "multi_head_attention", "heads": 3}, {"type": "mean_pool"}, {"type": "dense"})");
  EXPECT_THAT(weight_names("multi_head_attention"),
              ElementsAre("query/kernel:0", "query/bias:0", "key/kernel:0", "key/bias:0", "value/kernel:0",
                          "value/bias:0", "attention_output/kernel:0", "attention_output/bias:0"));
  const NamedArray& value = weight("multi_head_attention", "value/kernel:0");
  ASSERT_EQ(value.shape, (Shape{12, 3, 4}));
  // Input 7, head 2, number 1: row 9 of the third part.
  EXPECT_EQ(value.values[(7 * 3 + 2) * 4 + 1], block("layer0.w_in").values[(24 + 9) * 12 + 7]);
  EXPECT_EQ(weight("multi_head_attention", "key/bias:0").values[5], block("layer0.b_in").values[12 + 5]);
  const NamedArray& out = weight("multi_head_attention", "attention_output/kernel:0");
  ASSERT_EQ(out.shape, (Shape{3, 4, 12}));
  EXPECT_EQ(out.values[(2 * 4 + 1) * 12 + 5], block("layer0.w_out").values[5 * 12 + 9]);
}

TEST_F(KerasWeights, WhatKerasLacksKeepsItsShapes) {
  testing::internal::CaptureStderr();
  convert(R"({"type": "lstm", "name": "peep", "hidden": 5, "peephole": "diagonal"},
             {"type": "attention_pool", "units": 4}, {"type": "dense"})");
  EXPECT_THAT(
      testing::internal::GetCapturedStderr(),
      HasSubstr(
          "warning: Keras has no layer that computes what peep (lstm), attention_pool (attention_pool) do;"));
  EXPECT_EQ(layer("peep").class_name, "");
  EXPECT_THAT(layer("peep").serval_layout, HasSubstr("peepholes of i, f and o"));
  EXPECT_THAT(weight_names("peep"), ElementsAre("forward.w_x", "forward.w_h", "forward.b", "forward.w_c"));
  EXPECT_EQ(weight("peep", "forward.w_x").values, block("peep.forward.w_x").values);
  EXPECT_EQ(weight("peep", "forward.w_x").shape, (Shape{20, 12}));
  EXPECT_THAT(weight_names("attention_pool"), ElementsAre("w", "b", "v"));
  EXPECT_THAT(layer("dense").serval_layout, IsEmpty());
}

// A layer that shares weights is there under its own name too: what is loaded by name must not be left as it was.
TEST_F(KerasWeights, SharedWeightsStandUnderBothNames) {
  convert(
      R"({"type": "dense", "name": "a", "units": 12}, {"type": "dense", "name": "b", "units": 12, "weights_of": "a"},
             {"type": "attention_pool", "name": "p", "units": 3}, {"type": "dense"})");
  EXPECT_THAT(names(), ElementsAre("a", "b", "p", "dense"));
  EXPECT_EQ(weight("b", "kernel:0").values, weight("a", "kernel:0").values);
}

TEST_F(KerasWeights, NamesAreWordsAndDiffer) {
  convert(R"({"type": "dense", "name": "x.y", "units": 4}, {"type": "dense", "name": "x_y", "units": 5},
             {"type": "dense", "units": 6}, {"type": "dense", "name": "dense", "units": 7}, {"type": "mean_pool"},
             {"type": "dense"})");
  EXPECT_THAT(names(), ElementsAre("x_y", "x_y_1", "dense_1", "dense", "dense_2"));
}

TEST_F(KerasWeights, PropertiesSayAllElse) {
  convert_images(R"({"type": "global_average_pool"}, {"type": "dense"})");
  const auto property = [&](const std::string& key) {
    for (const auto& [name, value] : network_.properties) {
      if (name == key) return value;
    }
    return std::string("none");
  };
  const JsonValue inputs = parse_json(property("inputs"), "inputs");
  ASSERT_EQ(inputs.items.size(), 1u);
  EXPECT_EQ(inputs.items[0].find("kind")->text, "image");
  std::vector<std::int64_t> shape;
  for (const JsonValue& size : inputs.items[0].find("shape")->items) shape.push_back(size.integer);
  EXPECT_THAT(shape, ElementsAre(6, 7, 2));
  EXPECT_EQ(parse_json(property("network"), "network").find("layers")->items.size(), 2u);
  EXPECT_NE(parse_json(property("features"), "features").find("f"), nullptr);
  EXPECT_EQ(property("sample_rate_hz"), "8000");
  std::set<std::string> keys;
  for (const auto& [name, value] : network_.properties) EXPECT_TRUE(keys.insert(name).second) << name;
}

TEST(KerasRefusals, NameEveryClassicalModel) {
  Bundle bundle = make_bundle();
  bundle.models.front().second.learner.emplace();
  bundle.models.emplace_back("other", bundle.models.front().second);
  try {
    keras_networks(bundle);
    ADD_FAILURE() << "it was not refused";
  } catch (const UnsupportedError& error) {
    EXPECT_THAT(error.what(), HasSubstr("model m is a classical model"));
    EXPECT_THAT(error.what(), HasSubstr("model other is a classical model"));
  }
}

}  // namespace
}  // namespace serval::deploy
