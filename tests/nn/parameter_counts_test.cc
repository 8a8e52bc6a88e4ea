// Weights of known networks, counted by their authors or by hand from their papers.
#include <filesystem>

#include <gtest/gtest.h>

#include "serval/core/settings_io.h"
#include "serval/nn/network.h"

#include "tests/support/nn_reference.h"

namespace serval::nn {
namespace {

NetworkSettings network_file(const std::string& name) {
  std::vector<std::string> errors;
  NetworkSettings settings = read_settings<NetworkSettings>(
      parse_json_file(
          (std::filesystem::path(SERVAL_SOURCE_DIR) / "experiments/networks" / (name + ".json")).string()),
      errors);
  EXPECT_EQ(errors, std::vector<std::string>()) << name;
  return settings;
}

std::int64_t weights(const NetworkSettings& settings) {
  std::int64_t sum = 0;
  for (const LayerSummary& layer : summarise(settings, declared_sizes(settings))) sum += layer.parameters;
  return sum;
}

TEST(ParameterCounts, Ast) {
  NetworkSettings base = network_file("ast_base");
  EXPECT_EQ(weights(base), 86'187'264);
  base.inputs[0].second.shape = {1, 128, 256};
  EXPECT_EQ(weights(base), 85'486'848);
  EXPECT_EQ(weights(network_file("ast_tiny")), 5'448'199);
  EXPECT_EQ(weights(network_file("ast_base_classifier")), 85'486'848 + 6'919);
}

TEST(ParameterCounts, CnnLstmOfMfccMaps) {
  for (const auto& [name, count] :
       {std::pair("cnn_lstm_mfcc", 9'688'456), {"cnn_lstm_mfcc_time", 2'872'712}}) {
    const NetworkSettings settings = network_file(name);
    EXPECT_EQ(weights(settings), count) << name;
    std::int64_t statistics = 0;
    for (const LayerSummary& layer : summarise(settings, declared_sizes(settings)))
      statistics += layer.non_trainable;
    EXPECT_EQ(statistics, 1'792) << name;
    EXPECT_EQ(classifier_problem(settings, declared_sizes(settings)), "") << name;
  }
}

TEST(ParameterCounts, ABlockOfTheBaseTransformer) {
  EXPECT_EQ(weights(testing_support::network_of(
                R"({"inputs": {"x": {"kind": "sequence", "shape": 768}},
                    "layers": [{"type": "transformer_block", "heads": 12}]})")),
            7'087'872);
}

// A body's file, and the one with a head of seven classes behind it.
void expect_body(const std::string& name, std::int64_t features, std::int64_t count) {
  EXPECT_EQ(weights(network_file(name)), count);
  const NetworkSettings classifier = network_file(name + "_classifier");
  EXPECT_EQ(weights(classifier), count + (features + 1) * 7);
  EXPECT_EQ(classifier_problem(classifier, declared_sizes(classifier)), "");
}

TEST(ParameterCounts, DenseNet121) {
  const NetworkSettings settings = network_file("densenet121");
  expect_body("densenet121", 1024, 6'953'856);
  std::int64_t statistics = 0;
  std::vector<std::string> pooled;
  for (const LayerSummary& layer : summarise(settings, declared_sizes(settings))) {
    statistics += layer.non_trainable;
    if (layer.type.find("pool") != std::string::npos) pooled.push_back(layer.output_shape);
  }
  EXPECT_EQ(statistics, 83'648);
  EXPECT_EQ(pooled, (std::vector<std::string>{"[64, 56, 56]", "[128, 28, 28]", "[256, 14, 14]", "[512, 7, 7]",
                                              "[1024]"}));
}

TEST(ParameterCounts, Vgg16) {
  expect_body("vgg16", 512, 14'714'688);
  const NetworkSettings settings = network_file("vgg16");
  std::vector<std::string> pooled;
  for (const LayerSummary& layer : summarise(settings, declared_sizes(settings)))
    if (layer.type == "max_pool2d") pooled.push_back(layer.output_shape);
  EXPECT_EQ(pooled, (std::vector<std::string>{"[64, 112, 112]", "[128, 56, 56]", "[256, 28, 28]",
                                              "[512, 14, 14]", "[512, 7, 7]"}));
}

TEST(ParameterCounts, AlexNet) {
  expect_body("alexnet", 4096, 56'868'224);
  const NetworkSettings settings = network_file("alexnet");
  std::vector<std::int64_t> counts;
  std::vector<std::string> shapes;
  for (const LayerSummary& layer : summarise(settings, declared_sizes(settings))) {
    if (layer.parameters > 0) counts.push_back(layer.parameters);
    if (layer.type == "max_pool2d") shapes.push_back(layer.output_shape);
  }
  EXPECT_EQ(counts,
            (std::vector<std::int64_t>{34'944, 307'456, 885'120, 663'936, 442'624, 37'752'832, 16'781'312}));
  EXPECT_EQ(shapes, (std::vector<std::string>{"[96, 27, 27]", "[256, 13, 13]", "[256, 6, 6]"}));
}

TEST(ParameterCounts, TheLstmsOverMeanMfccs) {
  EXPECT_EQ(weights(network_file("lstm_modified")), 305'799);
  EXPECT_EQ(weights(network_file("lstm_traditional")), 77'160);
  EXPECT_EQ(weights(network_file("lstm_modified_peephole")), 306'567);
  EXPECT_EQ(weights(network_file("lstm_modified_peephole_full")), 305'799 + 3 * 256 * 256);
}

TEST(ParameterCounts, FusionNet) {
  EXPECT_EQ(weights(network_file("fusionnet_mlp")), 700);
  NetworkSettings eight = network_file("fusionnet_mlp");
  eight.classes = 8;
  EXPECT_EQ(weights(eight), 722);
  EXPECT_EQ(weights(network_file("fusionnet_extractor")), 665'850);
  eight = network_file("fusionnet_extractor");
  eight.classes = 8;
  EXPECT_EQ(weights(eight), 665'876);
}

TEST(ParameterCounts, FusionNetWholeTrainsItsMlpAlone) {
  for (const auto& [name, inputs] : {std::pair("fusionnet", 41),
                                     {"fusionnet_deep", 32},
                                     {"fusionnet_no_gender", 40},
                                     {"fusionnet_no_statistics", 33}}) {
    std::int64_t trained = 0, frozen = 0;
    const NetworkSettings settings = network_file(name);
    for (const LayerSummary& layer : summarise(settings, declared_sizes(settings)))
      (layer.frozen ? frozen : trained) += layer.parameters;
    EXPECT_EQ(frozen, 1'536 + 327'936 + 335'904) << name;
    EXPECT_EQ(trained, (inputs + 1) * 12 + 130 + 66) << name;
  }
}

TEST(ParameterCounts, DenseNetBesideMfccs) {
  EXPECT_EQ(weights(network_file("densenet_mfcc")), 6'953'856 + 306'439);
}

TEST(ParameterCounts, DualSequenceLstm) {
  EXPECT_EQ(weights(network_file("ds_lstm_mfcc")), 515'204);
  EXPECT_EQ(weights(network_file("ds_lstm")), 3'287'236);
  NetworkSettings dual = network_file("ds_lstm_dual");
  EXPECT_EQ(weights(dual), 3'802'440);
  dual.classes = 7;
  EXPECT_EQ(weights(dual), 3'803'646);
}

TEST(ParameterCounts, PeepholesAreThreeForAUnitOrThreeMatrices) {
  const auto count = [](const char* peephole) {
    return weights(testing_support::network_of(
        cat(R"({"inputs": {"x": {"kind": "sequence", "shape": 1}}, "layers": [{"type": "lstm", "hidden": 256,
             "peephole": ")",
            peephole, "\"}]}")));
  };
  EXPECT_EQ(count("none"), 264'192);
  EXPECT_EQ(count("diagonal"), 264'192 + 3 * 256);
  EXPECT_EQ(count("full"), 264'192 + 3 * 256 * 256);
}

TEST(ParameterCounts, GruAndSimpleRnn) {
  const auto count = [](const char* layer) {
    return weights(testing_support::network_of(cat(
        R"({"inputs": {"x": {"kind": "sequence", "shape": 10}}, "layers": [{"hidden": 20, )", layer, "}]}")));
  };
  EXPECT_EQ(count(R"("type": "gru")"), 3 * (20 * 30 + 40));
  EXPECT_EQ(count(R"("type": "gru", "reset_after": false)"), 3 * (20 * 30 + 20));
  EXPECT_EQ(count(R"("type": "gru", "bidirectional": true, "layers": 2)"),
            2 * 3 * (20 * 30 + 40) + 2 * 3 * (20 * 60 + 40));
  EXPECT_EQ(count(R"("type": "simple_rnn")"), 20 * 31);
  EXPECT_EQ(count(R"("type": "simple_rnn", "bias": "double")"), 20 * 32);
  EXPECT_EQ(count(R"("type": "conv_lstm1d", "kernel": 5)"), 80 * (5 + 100 + 1));
}

TEST(ParameterCounts, TheDualSequenceCells) {
  const NetworkSettings cells = testing_support::network_of(
      R"({"inputs": {"x": {"kind": "image", "shape": [1, 512, 27]}, "y": {"kind": "image", "shape": [1, 1024, 27]}},
          "layers": [{"type": "to_sequence", "name": "xs", "input": "x"},
                     {"type": "to_sequence", "name": "ys", "input": "y"},
                     {"type": "ds_lstm", "input": ["xs", "ys"], "layers": 2}]})");
  EXPECT_EQ(weights(cells), 1'779'200 + 1'467'200);
  EXPECT_EQ(weights(testing_support::network_of(
                R"({"inputs": {"x": {"kind": "sequence", "shape": 39}},
                    "layers": [{"type": "lstm", "hidden": 200, "layers": 2, "bias": "double"}]})")),
            192'800 + 321'600);
}

// The authors' logs print the weights of whole networks, those of their models 1 to 7: these cells on two stacks of
// convolutions, a linear layer and an LSTM over MFCCs.
TEST(ParameterCounts, TheVariantsOfDualSequenceCells) {
  const auto count = [](const std::string& settings) {
    return weights(testing_support::network_of(cat(
        R"({"inputs": {"x": {"kind": "image", "shape": [1, 496, 27]}, "y": {"kind": "image", "shape": [1, 1008, 27]}},
            "layers": [{"type": "to_sequence", "name": "xs", "input": "x"},
                       {"type": "to_sequence", "name": "ys", "input": "y"},
                       {"type": "ds_lstm", "input": ["xs", "ys"], "layers": 2, )",
        settings, "}]}")));
  };
  constexpr std::int64_t kAround = 2 * 8'944 + 804 + 515'204;
  EXPECT_EQ(count(R"("variant": "three_gate")") + kAround, 2'625'096);
  EXPECT_EQ(count(R"("variant": "three_gate", "gate_norm": "none")") + kAround, 2'622'696);
  EXPECT_EQ(count(R"("variant": "three_gate", "out_norm": "none")") + kAround, 2'624'296);
  EXPECT_EQ(count(R"("variant": "dual")") + kAround, 3'732'296);
  EXPECT_EQ(count(R"("variant": "six_gate", "gate_norm": "none")") + kAround, 3'844'296);
  // Of these two the linear layer reads both states.
  EXPECT_EQ(count(R"("variant": "six_gate", "gates_read": "own_cell", "gate_norm": "none")") + kAround + 800,
            3'845'096);
  EXPECT_EQ(count(R"("variant": "six_gate", "gates_read": "own_cell")") + kAround + 800, 3'849'896);
}

}  // namespace
}  // namespace serval::nn
