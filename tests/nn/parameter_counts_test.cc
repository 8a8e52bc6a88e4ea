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

}  // namespace
}  // namespace serval::nn
