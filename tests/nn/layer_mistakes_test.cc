// What layers refuse, and what they say would be right. Tables by family.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "serval/core/settings_io.h"
#include "serval/nn/network.h"

namespace serval::nn {
namespace {

using ::testing::HasSubstr;

constexpr const char* kInputs = R"({
  "v": {"kind": "vector", "shape": 6}, "w": {"kind": "vector", "shape": 5},
  "s": {"kind": "sequence", "shape": 4}, "t": {"kind": "sequence", "shape": 4},
  "i": {"kind": "image", "shape": [3, 4, 5]}, "j": {"kind": "image", "shape": [2, 4, 6]}})";

std::string errors_of(const std::string& layers) {
  std::vector<std::string> errors;
  const std::string text = cat("{\"classes\": 3, \"inputs\": ", kInputs, ", \"layers\": [", layers, "]}");
  read_settings<NetworkSettings>(parse_json(text, "n.json"), errors);
  return join(errors, "\n");
}

struct Mistake {
  const char* layers;
  std::vector<const char*> expected;
};
void expect_refused(const std::vector<Mistake>& mistakes) {
  for (const auto& [layers, expected] : mistakes) {
    const std::string errors = errors_of(layers);
    for (const char* part : expected) EXPECT_THAT(errors, HasSubstr(part)) << layers;
  }
}

TEST(LayerMistakes, Joining) {
  expect_refused({
      {R"({"type": "concat", "input": "v"})", {"layers[0] (concat)", "two inputs or more"}},
      {R"({"type": "concat", "input": ["s", "t"]})",
       {"steps of their own", "those of \"s\" and \"t\"", "match_steps"}},
      {R"({"type": "concat", "input": ["s", "v"]})", {"[time, 4] and [6]", "pool the sequence first"}},
      {R"({"type": "concat", "axis": 1, "input": ["v", "w"]})", {"along axis 1", "1 axis, 0"}},
      {R"({"type": "concat", "axis": 3, "input": ["i", "i"]})", {"along axis 3", "3 axes, from 0"}},
      {R"({"type": "concat", "input": ["i", "j"]})", {"[3, 4, 5] and [2, 4, 6]", "resize"}},
      {R"({"type": "concat", "input": ["i", "v"]})", {"[3, 4, 5] and [6]", "flatten"}},
      {R"({"type": "add", "input": ["v", "w"]})", {"layers[0] (add)", "[6] and [5]", "dense"}},
      {R"({"type": "add", "input": ["s", "t"]})", {"match_steps"}},
      {R"({"type": "add", "input": "s"})", {"two inputs or more"}},
      {R"({"type": "multiply", "input": ["v", "w"]})", {"layers[0] (multiply)", "[6] and [5]"}},
      {R"({"type": "multiply", "input": ["i", "v"]})", {"one number a channel", "[3, 4, 5] and [6]"}},
      {R"({"type": "multiply", "input": ["s", "t"]})", {"match_steps"}},
  });
}

TEST(LayerMistakes, Convolutions) {
  expect_refused({
      {R"({"type": "conv2d", "input": "i"})", {"layers[0].channels", "missing"}},
      {R"({"type": "conv2d", "channels": 4, "input": "s"})",
       {"layers[0] (conv2d)", "reads images [channel, height, width]", "[time, 4]"}},
      {R"({"type": "conv2d", "channels": 4, "kernel": [3, 6], "input": "i"})",
       {"6 wide", "its input is 5", "\"same\""}},
      {R"({"type": "conv2d", "channels": 4, "dilation": 3, "padding": [1, 0, 1, 1], "input": "i"})",
       {"7 high", "its input is 4 and 1 of padding"}},
      {R"({"type": "conv2d", "channels": 5, "groups": 3, "input": "i"})", {"5 channels", "3 groups"}},
      {R"({"type": "conv2d", "channels": 4, "groups": 2, "input": "i"})",
       {"2 groups", "the 3 channels of its input", "a divisor of both"}},
      {R"({"type": "conv2d", "channels": 4, "kernel": [3, 3, 3], "input": "i"})",
       {"layers[0].kernel", "[height, width]"}},
      {R"({"type": "conv2d", "channels": 4, "stride": [1, 1, 1], "input": "i"})", {"layers[0].stride"}},
      {R"({"type": "conv2d", "channels": 4, "dilation": [], "input": "i"})", {"layers[0].dilation"}},
      {R"({"type": "conv2d", "channels": 4, "padding": [1, 2, 3], "input": "i"})",
       {"layers[0].padding", "[top, bottom, left, right]"}},
      {R"({"type": "conv2d", "channels": 4, "padding": "some", "input": "i"})",
       {"layers[0].padding", "one of {same, valid}", "\"some\""}},
  });
}

TEST(LayerMistakes, Windows) {
  expect_refused({
      {R"({"type": "conv1d", "channels": 4, "input": "i"})", {"layers[0] (conv1d)", "reads a sequence"}},
      {R"({"type": "conv1d", "channels": 4, "input": "v"})", {"layers[0] (conv1d)", "one vector"}},
      {R"({"type": "conv1d", "channels": 6, "groups": 3, "input": "s"})",
       {"3 groups", "4 channels of its input"}},
      {R"({"type": "conv1d", "channels": 4, "kernel": [3, 3], "input": "s"})",
       {"layers[0].kernel", "must be one number"}},
      {R"({"type": "conv1d", "channels": 4, "padding": [1, 1, 1], "input": "s"})", {"[before, behind]"}},
      {R"({"type": "conv1d", "channels": 4, "stride": [], "input": "s"})",
       {"layers[0].stride", "not be empty"}},
      {R"({"type": "max_pool2d", "input": "s"})", {"layers[0] (max_pool2d)", "reads images"}},
      {R"({"type": "max_pool2d", "kernel": [5, 2], "input": "i"})", {"5 high", "its input is 4"}},
      {R"({"type": "average_pool2d", "kernel": 3, "padding": 2, "input": "i"})",
       {"layers[0] (average_pool2d)", "padding of 2", "half its window of 3"}},
      {R"({"type": "max_pool2d", "count_padding": true, "input": "i"})", {"layers[0].count_padding"}},
      {R"({"type": "max_pool1d", "input": "i"})", {"layers[0] (max_pool1d)", "reads a sequence"}},
      {R"({"type": "average_pool1d", "padding": [0, 2], "input": "s"})", {"padding of 2", "window of 2"}},
      {R"({"type": "global_average_pool", "input": "s"})",
       {"layers[0] (global_average_pool)", "reads images"}},
      {R"({"type": "global_max_pool", "input": "v"})", {"reads images"}},
  });
}

TEST(LayerMistakes, Shapes) {
  expect_refused({
      {R"({"type": "reshape", "input": "v"})", {"layers[0].shape", "missing"}},
      {R"({"type": "reshape", "shape": [4, 2], "input": "v"})", {"[4, 2], 8 values", "[6], which has 6"}},
      {R"({"type": "reshape", "shape": [4, -1], "input": "v"})", {"[4, 1], 4 values", "has 6"}},
      {R"({"type": "reshape", "shape": [-1, -1], "input": "v"})", {"only one size"}},
      {R"({"type": "reshape", "shape": [0, 6], "input": "v"})", {"at least one value"}},
      {R"({"type": "reshape", "shape": [0, -1], "input": "v"})", {"at least one value"}},
      {R"({"type": "reshape", "shape": [1, 1, 1, 1, 1, 1, 1, 1], "input": "v"})", {"at most 4 axes"}},
      {R"({"type": "reshape", "shape": [1, 1, 1, 1, 6], "input": "v"})", {"at most 4 axes"}},
      {R"({"type": "slice", "input": "v"})", {"layers[0].size", "missing"}},
      {R"({"type": "slice", "input": "v", "start": 4, "size": 3})",
       {"layers[0] (slice)", "takes 3 from 4 on", "[6] has 6"}},
      {R"({"type": "slice", "input": "i", "start": 3, "size": 1})", {"takes 1 from 3 on", "[3, 4, 5] has 3"}},
      {R"({"type": "permute", "axes": [0, 1], "input": "i"})", {"each of the 3 axes", "[3, 4, 5]"}},
      {R"({"type": "permute", "axes": [0, 1, 1], "input": "i"})", {"each of the 3 axes"}},
      {R"({"type": "resize", "size": 4, "input": "i"})", {"[height, width]"}},
      {R"({"type": "resize", "size": [4, 4], "input": "v"})", {"reads images"}},
      {R"({"type": "to_sequence", "input": "s"})", {"a sequence already", "flatten"}},
      {R"({"type": "to_image", "input": "s"})", {"that of \"s\" differs", "declare the input as an image"}},
      {R"({"type": "to_image", "input": "v"})", {"reads a sequence", "reshape"}},
      {R"({"type": "to_sequence", "input": "i"}, {"type": "to_image", "channels": 5})",
       {"12 features into 5 channels"}},
  });
}

TEST(LayerMistakes, Steps) {
  expect_refused({
      {R"({"type": "select_step", "input": "v"})", {"layers[0] (select_step)", "no steps"}},
      {R"({"type": "to_sequence", "input": "i"}, {"type": "select_step", "step": 5})",
       {"takes step 5 of a sequence that has 5"}},
      {R"({"type": "to_sequence", "input": "i"}, {"type": "select_step", "step": -6})",
       {"takes step -6 of a sequence that has 5"}},
      {R"({"type": "match_steps", "input": ["s", "v"]})", {"two sequences", "[time, 4] and [6]"}},
      {R"({"type": "match_steps", "input": "s"})", {"reads 2 inputs"}},
      {R"({"type": "to_sequence", "input": "i", "name": "short"}, {"type": "to_sequence", "input": "j"},
          {"type": "match_steps", "input": ["short", "layer1"]})",
       {"first 6 steps of a sequence that has 5", "the longer one first"}},
      {R"({"type": "align_pairwise", "input": "v"})", {"no steps"}},
      {R"({"type": "to_sequence", "axis": "height", "input": "i"}, {"type": "align_pairwise"},
          {"type": "align_pairwise"})",
       {"layers[2] (align_pairwise)", "needs 4 steps, but its input has 1"}},
  });
}

TEST(LayerMistakes, Transformers) {
  expect_refused({
      {R"({"type": "multi_head_attention", "heads": 3, "input": "s"})",
       {"layers[0] (multi_head_attention)", "cannot divide 4 features among 3 heads", "must divide"}},
      {R"({"type": "multi_head_attention", "input": "v"})", {"reads a sequence, but gets [6]"}},
      {R"({"type": "multi_head_attention", "input": ["s", "v"]})", {"reads a sequence, but gets [6]"}},
      {R"({"type": "multi_head_attention", "input": ["s", "t", "s"]})", {"reads 1 input, but 3 are named"}},
      {R"({"type": "transformer_block", "heads": 3, "input": "s"})",
       {"layers[0] (transformer_block), its attention", "4 features among 3 heads"}},
      {R"({"type": "transformer", "heads": 3, "input": "s"})",
       {"layers[0] (transformer), its block0, its attention", "4 features among 3 heads"}},
      {R"({"type": "transformer", "input": "i"})", {"reads a sequence, but gets [3, 4, 5]"}},
      {R"({"type": "positional_embedding", "input": "s"})", {"needs max_steps", "those of \"s\" differ"}},
      {R"({"type": "to_sequence", "input": "i"}, {"type": "positional_embedding", "max_steps": 4})",
       {"has positions for 4 steps, but a sequence has 5", "max_steps"}},
      {R"({"type": "positional_embedding", "kind": "sinusoidal", "max_steps": 9, "input": "s"})",
       {"layers[0].max_steps"}},
      {R"({"type": "class_tokens", "input": "v"})", {"reads a sequence"}},
      {R"({"type": "to_sequence", "input": "i"}, {"type": "token_mean", "count": 6})",
       {"layers[1] (token_mean)", "mean of 6 steps of a sequence that has 5"}},
      {R"({"type": "sequence_max_pool", "input": "v"})", {"reads a sequence"}},
      {R"({"type": "patch_embed", "input": "i"})", {"layers[0].units", "missing"}},
      {R"({"type": "patch_embed", "units": 3, "kernel": 5, "input": "i"})",
       {"patches of 5 by 5, but its images are 4 by 5", "kernel smaller"}},
      {R"({"type": "patch_embed", "units": 3, "kernel": [1, 2, 3], "input": "i"})",
       {"layers[0].kernel", "one number or two"}},
      {R"({"type": "patch_embed", "units": 3, "kernel": 2, "stride": [1, 2, 3], "input": "i"})",
       {"layers[0].stride", "one number or two"}},
      {R"({"type": "patch_embed", "units": 3, "kernel": 2, "input": "s"})", {"reads images"}},
      {R"({"type": "patch_embed", "units": 3, "kernel": [], "input": "i"})",
       {"layers[0].kernel", "one number"}},
      {R"({"type": "ast", "kernel": [], "input": "i"})", {"layers[0].kernel", "one number"}},
      {R"({"type": "ast", "input": "i"})", {"layers[0] (ast), its patch_embed", "patches of 16 by 16"}},
      {R"({"type": "ast", "kernel": 2, "stride": 1, "width": 10, "input": "i"})",
       {"layers[0] (ast), its blocks, its block0, its attention", "10 features among 3 heads"}},
      {R"({"type": "ast", "kernel": 2, "stride": 1, "input": "v"})", {"layers[0] (ast)", "reads images"}},
  });
}

TEST(LayerMistakes, Normalising) {
  expect_refused({
      {R"({"type": "batch_norm", "input": "v", "per_step": true})", {"has per_step", "[6]", "no steps"}},
      {R"({"type": "batch_norm", "input": "s", "per_step": true})", {"any length", "max_steps"}},
      {R"({"type": "batch_norm", "input": "s", "max_steps": 5})", {"layers[0].max_steps", "per_step"}},
      {R"({"type": "to_sequence", "input": "i"}, {"type": "batch_norm", "per_step": true, "max_steps": 4})",
       {"statistics for 4 steps, but its input has 5", "raise max_steps"}},
      {R"({"type": "batch_norm", "input": "v", "epsilon": 0})", {"layers[0].epsilon"}},
      {R"({"type": "reshape", "shape": [2, 3], "input": "v"}, {"type": "batch_norm"})",
       {"reads images", "[2, 3]"}},
      {R"({"type": "local_response_norm", "input": "v", "size": 0})", {"layers[0].size"}},
      {R"({"type": "reshape", "shape": [2, 3], "input": "v"}, {"type": "local_response_norm"})",
       {"reads images"}},
      {R"({"type": "spatial_dropout", "input": "v"})", {"images or sequences", "use dropout"}},
      {R"({"type": "gaussian_noise", "input": "v", "deviation": -1})", {"layers[0].deviation"}},
  });
}

TEST(LayerMistakes, MadeOfOthers) {
  expect_refused({
      {R"({"type": "residual_block", "kernel": 4, "input": "i"})", {"layers[0].kernel", "odd"}},
      {R"({"type": "residual_block", "input": "v"})", {"layers[0] (residual_block)", "reads images"}},
      {R"({"type": "squeeze_excitation", "input": "v"})",
       {"layers[0] (squeeze_excitation)", "reads a sequence"}},
      {R"({"type": "dense_block", "input": "s"})", {"layers[0] (dense_block)", "reads images"}},
      {R"({"type": "transition", "compression": 0.3, "input": "i"})", {"none of 3 channels", "compression"}},
      {R"({"type": "transition", "input": "v"})", {"layers[0] (transition)", "reads images"}},
      {R"({"type": "densenet121", "blocks": [], "input": "i"})", {"layers[0].blocks", "one to eight"}},
      {R"({"type": "densenet121", "input": "i"})", {"layers[0] (densenet121), its transition"}},
      {R"({"type": "vgg16", "input": "i"})", {"layers[0] (vgg16), its pool3"}},
      {R"({"type": "alexnet", "input": "i"})", {"layers[0] (alexnet), its conv1"}},
  });
}

TEST(LayerMistakes, Recurrent) {
  expect_refused({
      {R"({"type": "lstm", "input": "s", "output_peephole": "previous"})",
       {"layers[0].output_peephole", "belongs to \"peephole\""}},
      {R"({"type": "lstm", "input": "s", "bias": "triple"})", {"layers[0].bias", "single", "double"}},
      {R"({"type": "lstm", "input": "v", "peephole": "full"})", {"reads a sequence, but gets [6]"}},
      {R"({"type": "gru", "input": "v"})", {"layers[0] (gru)", "reads a sequence, but gets [6]"}},
      {R"({"type": "gru", "input": "s", "dropout": 0.5})", {"layers[0].dropout", "there is one"}},
      {R"({"type": "simple_rnn", "input": "i"})", {"layers[0] (simple_rnn)", "to_sequence"}},
      {R"({"type": "simple_rnn", "input": "s", "activation": "gelu"})", {"layers[0].activation", "relu"}},
      {R"({"type": "ds_lstm", "input": "s"})", {"layers[0] (ds_lstm)", "reads 2 inputs, but 1 are named"}},
      {R"({"type": "ds_lstm", "input": ["s", "t"]})",
       {"step by step", "those of \"s\" and \"t\"", "match_steps"}},
      {R"({"type": "ds_lstm", "input": ["s", "v"]})", {"reads a sequence, but gets [6]"}},
      {R"({"type": "ds_lstm", "input": ["s", "s"]})", {"norms of each step", "any length", "max_steps"}},
      {R"({"type": "ds_lstm", "input": ["s", "s"], "gate_norm": "none", "max_steps": 4})",
       {"layers[0].max_steps", "norm of each step"}},
      {R"({"type": "to_sequence", "input": "i"}, {"type": "ds_lstm", "input": ["layer0", "layer0"], "layers": 2,
           "max_steps": 4})",
       {"layers[1] (ds_lstm), its stack0", "statistics for 4 steps, but its input has 5"}},
      {R"({"type": "ds_lstm", "input": ["s", "s"], "variant": "five_gate"})",
       {"layers[0].variant", "dual, three_gate, six_gate"}},
      {R"({"type": "ds_lstm", "input": ["s", "s"], "variant": "three_gate", "gates_read": "own_cell"})",
       {"layers[0].gates_read", "belongs to \"variant\": \"six_gate\""}},
      {R"({"type": "conv_lstm1d", "input": "v"})", {"layers[0] (conv_lstm1d)", "[channels, width]", "[6]"}},
      {R"({"type": "conv_lstm1d", "input": "s", "kernel": 0})", {"layers[0].kernel"}},
  });
}

// Mistakes that only a recording shows.
std::string data_error_of(const std::string& layers, std::vector<std::int32_t> s,
                          std::vector<std::int32_t> t) {
  std::vector<std::string> errors;
  const NetworkSettings settings = read_settings<NetworkSettings>(
      parse_json(
          cat(R"({"inputs": {"s": {"kind": "sequence", "shape": 1}, "t": {"kind": "sequence", "shape": 1}},
                        "layers": [)",
              layers, "]}"),
          "n.json"),
      errors);
  EXPECT_EQ(errors, std::vector<std::string>());
  const Context context;
  NetworkSizes sizes = declared_sizes(settings);
  sizes.max_batch = 2;
  for (InputSizes& input : sizes.inputs) input.max_time = 9;
  Network network(context, settings, sizes);
  const Tensor x({}, {9, 2, 1});
  Batch batch{.size = 2, .inputs = {}};
  std::vector<Array<std::int32_t>> kept;
  for (const auto* lengths : {&s, &t}) {
    kept.push_back(Array<std::int32_t>::from_host({}, *lengths));
    batch.inputs.push_back({x.view(), 9, kept.back().view(), lengths->data()});
  }
  try {
    network.forward(context, batch, Mode::kInfer, {});
  } catch (const DataError& error) {
    return error.what();
  }
  return "";
}

TEST(LayerMistakes, RecordingsThatAreTooShort) {
  EXPECT_THAT(data_error_of(R"({"type": "select_step", "step": 3, "input": "s"})", {5, 3}, {1, 1}),
              HasSubstr("layer0 needs 4 steps, but a sequence has 3"));
  EXPECT_EQ(data_error_of(R"({"type": "select_step", "step": 2, "input": "s"})", {5, 3}, {1, 1}), "");
  EXPECT_THAT(data_error_of(R"({"type": "select_step", "step": -4, "input": "s"})", {5, 3}, {1, 1}),
              HasSubstr("layer0 needs 4 steps, but a sequence has 3"));
  EXPECT_THAT(data_error_of(R"({"type": "match_steps", "input": ["s", "t"]})", {5, 3}, {5, 4}),
              HasSubstr("layer0 takes the first 4 steps of a sequence that has 3"));
  EXPECT_EQ(data_error_of(R"({"type": "match_steps", "input": ["s", "t"]})", {5, 3}, {4, 3}), "");
  EXPECT_THAT(data_error_of(R"({"type": "token_mean", "count": 4, "input": "s"})", {5, 3}, {1, 1}),
              HasSubstr("layer0 needs 4 steps, but a sequence has 3"));
  EXPECT_EQ(data_error_of(R"({"type": "token_mean", "count": 3, "input": "s"})", {5, 3}, {1, 1}), "");
  EXPECT_THAT(data_error_of(R"({"type": "align_pairwise", "input": "s"})", {5, 3}, {1, 1}),
              HasSubstr("layer0 needs 4 steps, but a sequence has 3"));
  EXPECT_THAT(
      data_error_of(R"({"type": "conv1d", "channels": 1, "dilation": 2, "padding": [0, 1], "input": "s"})",
                    {5, 3}, {1, 1}),
      HasSubstr("layer0 needs 4 steps, but a sequence has 3"));
  EXPECT_EQ(
      data_error_of(R"({"type": "conv1d", "channels": 1, "padding": "same", "input": "s"})", {5, 1}, {1, 1}),
      "");
  EXPECT_THAT(
      data_error_of(R"({"type": "max_pool1d", "kernel": 4, "name": "p", "input": "s"})", {5, 3}, {1, 1}),
      HasSubstr("layer p needs 4 steps, but a sequence has 3"));
  EXPECT_EQ(data_error_of(R"({"type": "average_pool1d", "kernel": 3, "input": "s"})", {5, 3}, {1, 1}), "");
}

// A layer that gives as many steps as it gets gives the same steps, which can be joined with those it got.
TEST(LayerClocks, AsManyStepsAreTheSameSteps) {
  EXPECT_EQ(errors_of(R"({"type": "conv1d", "channels": 4, "padding": "same", "input": "s"},
                         {"type": "conv1d", "channels": 4, "kernel": 5, "padding": [4, 0]},
                         {"type": "add", "input": ["layer0", "layer1", "s"]}, {"type": "mean_pool"},
                         {"type": "dense"})"),
            "");
  EXPECT_EQ(
      errors_of(R"({"type": "conv1d", "channels": 4, "kernel": 5, "stride": 2, "padding": 2, "input": "s"},
                         {"type": "max_pool1d", "kernel": 3, "stride": 2, "padding": 1, "input": "s"},
                         {"type": "add", "input": ["layer0", "layer1"]}, {"type": "mean_pool"}, {"type": "dense"})"),
      "");
  EXPECT_THAT(errors_of(R"({"type": "conv1d", "channels": 4, "input": "s"},
                           {"type": "add", "input": ["layer0", "s"]}, {"type": "mean_pool"}, {"type": "dense"})"),
              HasSubstr("match_steps"));
}

}  // namespace
}  // namespace serval::nn
