// Layers as ONNX, run in ONNX Runtime, against Serval's own forward.
#include <gmock/gmock.h>

#include "onnx_support.h"

namespace serval::deploy {
namespace {

using testing_support::MadeBundle;

struct LayerCase {
  const char* name;
  const char* layers;  // those between the input and the last, dense one
  const char* input = R"({"features": "f"})";
  const char* inputs = "";  // of the network: "" for one sequence
};

constexpr const char* kImage =
    R"({"features": "f", "segment_frames": 24, "shift_frames": 10, "image": {"channels": 1}})";
constexpr const char* kImages = R"("inputs": {"x": {"kind": "image"}}, )";

class OnnxLayers : public testing::TestWithParam<LayerCase> {};

TEST_P(OnnxLayers, GiveServalsScores) {
  if (testing_support::onnx_python() == nullptr)
    GTEST_SKIP() << "SERVAL_ONNX_PYTHON names no Python with onnxruntime, so the model was not run";
  MadeBundle made;
  made.input = GetParam().input;
  made.network = cat("{", GetParam().inputs, "\"layers\": [", GetParam().layers, ", {\"type\": \"dense\"}]}");
  EXPECT_LT(testing_support::worst_difference(testing_support::make_bundle(made), OnnxForm::kNetwork), 5e-6);
}

INSTANTIATE_TEST_SUITE_P(
    Each, OnnxLayers,
    testing::Values(
        LayerCase{"vectors", R"({"type": "dense", "units": 9, "activation": "elu"},
          {"type": "batch_norm", "activation": "gelu"}, {"type": "layer_norm", "name": "n"},
          {"type": "dense", "name": "gate", "units": 9, "activation": "sigmoid"},
          {"type": "multiply", "name": "gated", "input": ["n", "gate"]},
          {"type": "add", "input": ["gated", "n"], "name": "sum"},
          {"type": "concat", "input": ["sum", "gated"]}, {"type": "slice", "start": 3, "size": 11},
          {"type": "activation", "function": "leaky_relu", "slope": 0.2}, {"type": "softmax"},
          {"type": "sequence_max_pool"}, {"type": "dropout", "rate": 0.5})"},
        LayerCase{"lstm",
                  R"({"type": "lstm", "hidden": 7, "bidirectional": true, "layers": 2, "bias": "double"},
          {"type": "last_pool"})"},
        LayerCase{"peepholes",
                  R"({"type": "lstm", "hidden": 5, "peephole": "diagonal", "bidirectional": true},
          {"type": "lstm", "hidden": 5, "peephole": "full"},
          {"type": "lstm", "hidden": 4, "peephole": "full", "output_peephole": "previous", "bidirectional": true},
          {"type": "lstm", "hidden": 5, "peephole": "diagonal", "output_peephole": "previous"}, {"type": "mean_pool"})"},
        LayerCase{"gru", R"({"type": "gru", "hidden": 6, "bidirectional": true},
          {"type": "gru", "hidden": 5, "reset_after": false}, {"type": "mean_pool"})"},
        LayerCase{"simple_rnn",
                  R"({"type": "simple_rnn", "hidden": 6, "bidirectional": true, "activation": "relu"},
          {"type": "simple_rnn", "hidden": 5, "bias": "double"}, {"type": "attention_pool", "units": 4})"},
        LayerCase{"conv1d",
                  R"({"type": "conv1d", "channels": 8, "kernel": 5, "padding": "same", "activation": "relu"},
          {"type": "conv1d", "channels": 6, "kernel": 4, "stride": 2, "padding": "same", "groups": 2},
          {"type": "conv1d", "channels": 6, "kernel": 3, "dilation": 2, "padding": [1, 3], "activation": "gelu"},
          {"type": "mean_pool"})"},
        LayerCase{"pools1d", R"({"type": "max_pool1d", "kernel": 3, "stride": 2, "padding": 1},
          {"type": "average_pool1d", "kernel": 3, "stride": 2, "padding": "same"},
          {"type": "average_pool1d", "kernel": 2, "stride": 1, "padding": [1, 0], "count_padding": true},
          {"type": "max_pool1d", "kernel": 2, "stride": 2, "padding": "same"}, {"type": "mean_pool"})"},
        LayerCase{"segments", R"({"type": "segments", "frames": 10, "shift": 4},
          {"type": "reshape", "shape": [1, 10, 12]}, {"type": "conv2d", "channels": 3, "kernel": 3},
          {"type": "batch_norm"}, {"type": "max_pool2d", "kernel": 2}, {"type": "flatten"},
          {"type": "align_pairwise"}, {"type": "lstm", "hidden": 4}, {"type": "last_pool"})"},
        LayerCase{"conv_lstm", R"({"type": "reshape", "shape": [2, 6]}, {"type": "conv_lstm1d", "hidden": 3},
          {"type": "conv_lstm1d", "hidden": 2, "kernel": 2}, {"type": "flatten"}, {"type": "mean_pool"})"},
        LayerCase{"ds_lstm", R"({"type": "conv1d", "name": "x", "channels": 5, "kernel": 3, "stride": 2},
          {"type": "conv1d", "name": "wide", "input": "input", "channels": 6, "kernel": 2, "stride": 2},
          {"type": "match_steps", "name": "y", "input": ["wide", "x"]},
          {"type": "ds_lstm", "input": ["x", "y"], "hidden": 4, "layers": 2, "max_steps": 500},
          {"type": "mean_pool"})"},
        LayerCase{"ds_lstm_of_three_gates", R"({"type": "dense", "name": "x", "units": 5},
          {"type": "ds_lstm", "input": ["x", "input"], "hidden": 4, "variant": "three_gate", "gate_norm": "none",
           "out_norm": "per_step", "max_steps": 500}, {"type": "mean_pool"})"},
        LayerCase{"ds_lstm_of_six_gates", R"({"type": "dense", "name": "x", "units": 5},
          {"type": "ds_lstm", "input": ["x", "input"], "hidden": 4, "variant": "six_gate", "layers": 2,
           "max_steps": 500},
          {"type": "ds_lstm", "input": ["x", "input"], "hidden": 3, "variant": "six_gate", "gates_read": "own_cell",
           "max_steps": 500, "out_norm": "none"}, {"type": "mean_pool"})"},
        LayerCase{"attention", R"({"type": "dense", "units": 8},
          {"type": "positional_embedding", "kind": "sinusoidal"}, {"type": "class_tokens", "count": 2},
          {"type": "transformer", "heads": 2, "depth": 2}, {"type": "multi_head_attention", "heads": 4, "bias": false},
          {"type": "token_mean", "count": 2})"},
        LayerCase{"images",
                  R"({"type": "conv2d", "channels": 8, "kernel": [3, 5], "stride": [1, 2], "padding": "same"},
          {"type": "batch_norm", "activation": "relu"}, {"type": "local_response_norm", "size": 5, "alpha": 0.1},
          {"type": "max_pool2d", "kernel": 3, "stride": 2, "padding": 1}, {"type": "average_pool2d", "kernel": 2,
          "stride": 1, "padding": "same"}, {"type": "squeeze_excitation", "ratio": 2},
          {"type": "resize", "size": [5, 9]}, {"type": "residual_block", "channels": 6, "stride": 2},
          {"type": "permute", "axes": [1, 0, 2]}, {"type": "global_average_pool"})",
                  kImage, kImages},
        LayerCase{"sequences_of_images", R"({"type": "conv2d", "channels": 4, "kernel": 3, "dilation": 2},
          {"type": "to_sequence"}, {"type": "lstm", "hidden": 5, "bidirectional": true},
          {"type": "to_image", "channels": 2}, {"type": "resize", "size": [6, 10], "method": "nearest"},
          {"type": "to_sequence", "axis": "height"}, {"type": "batch_norm", "per_step": true},
          {"type": "select_step", "step": -2})",
                  kImage, kImages},
        LayerCase{"patches",
                  R"({"type": "ast", "width": 8, "depth": 2, "heads": 2, "kernel": 6, "stride": 5})", kImage,
                  kImages}),
    [](const auto& test) { return std::string(test.param.name); });

}  // namespace
}  // namespace serval::deploy
