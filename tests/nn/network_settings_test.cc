#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "serval/core/settings_io.h"
#include "serval/nn/network.h"

namespace serval::nn {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

NetworkSettings read(const std::string& layers, std::vector<std::string>& errors) {
  return read_settings<NetworkSettings>(parse_json("{\"layers\": [" + layers + "]}", "n.json"), errors);
}
std::vector<std::string> errors_of(const std::string& layers) {
  std::vector<std::string> errors;
  read(layers, errors);
  return errors;
}

constexpr const char* kGood = R"(
  { "type": "lstm", "hidden": 32, "layers": 2, "bidirectional": true, "dropout": 0.2 },
  { "type": "attention_pool", "units": 64 },
  { "type": "dropout", "rate": 0.3 },
  { "type": "dense", "units": 24, "activation": "relu" },
  { "type": "dense" })";

TEST(NetworkJson, ReadsWhatItSays) {
  std::vector<std::string> errors;
  const NetworkSettings s = read(kGood, errors);
  EXPECT_THAT(errors, IsEmpty());
  ASSERT_EQ(s.layers.size(), 5u);
  EXPECT_EQ(s.layers[0].type, LayerType::kLstm);
  EXPECT_EQ(s.layers[0].hidden, 32);
  EXPECT_EQ(s.layers[0].layers, 2);
  EXPECT_TRUE(s.layers[0].bidirectional);
  EXPECT_EQ(s.layers[0].dropout, 0.2);
  EXPECT_EQ(s.layers[1].units, 64);
  EXPECT_EQ(s.layers[2].rate, 0.3);
  EXPECT_EQ(s.layers[3].activation, Activation::kRelu);
  EXPECT_EQ(s.layers[4].units, 0);
}

TEST(NetworkJson, WrittenAndReadAgainIsTheSame) {
  std::vector<std::string> errors;
  const NetworkSettings s = read(kGood, errors);
  const std::string text = write_json(settings_to_json(s));
  const NetworkSettings again = read_settings<NetworkSettings>(parse_json(text, "again.json"), errors);
  EXPECT_THAT(errors, IsEmpty());
  EXPECT_EQ(write_json(settings_to_json(again)), text);
}

TEST(NetworkJson, MistakesAreNamedWithTheLayerAndWhatWouldBeRight) {
  const std::pair<const char*, std::vector<const char*>> mistakes[] = {
      {"", {"no layer", "\"dense\""}},
      {R"({"type":"lstm"},{"type":"mean_pool"})", {"layers[1] (mean_pool)", "last layer", "dense"}},
      {R"({"type":"lstm"},{"type":"dense"})",
       {"layers[1] (dense)", "mean_pool, last_pool or attention_pool"}},
      {R"({"type":"mean_pool"},{"type":"lstm"},{"type":"dense"})",
       {"layers[1] (lstm)", "layers[0] (mean_pool)", "before the pool"}},
      {R"({"type":"mean_pool"},{"type":"last_pool"},{"type":"dense"})",
       {"layers[1] (last_pool)", "layers[0] (mean_pool)", "keep one"}},
      {R"({"type":"mean_pool"},{"type":"dense","activation":"relu"})",
       {"layers[1] (dense)", "activation \"none\"", "softmax"}},
      {R"({"type":"mean_pool"},{"type":"dense"},{"type":"dense"})", {"layers[1] (dense)", "0 units"}},
      {R"({"type":"lstm","dropout":0.5},{"type":"mean_pool"},{"type":"dense"})",
       {"layers[0].dropout", "stacked"}},
      {R"({"type":"lstm","hidden":0},{"type":"mean_pool"},{"type":"dense"})", {"layers[0].hidden"}},
      {R"({"type":"lstm","hidden":2049},{"type":"mean_pool"},{"type":"dense"})",
       {"layers[0].hidden", "2048"}},
      {R"({"type":"lstm","units":5},{"type":"mean_pool"},{"type":"dense"})", {"layers[0].units"}},
      {R"({"type":"gru"},{"type":"mean_pool"},{"type":"dense"})", {"layers[0].type", "gru"}},
      {R"({"type":"attention_pool"},{"type":"dense"})", {"units"}},
      {R"({"type":"mean_pool"},{"type":"dropout","rate":1},{"type":"dense"})", {"layers[1].rate"}},
  };
  for (const auto& [layers, expected] : mistakes) {
    const std::vector<std::string> errors = errors_of(layers);
    for (const char* part : expected) {
      EXPECT_THAT(join(errors, "\n"), HasSubstr(part)) << layers;
    }
    EXPECT_THAT(join(errors, "\n"), HasSubstr("n.json:")) << layers;
  }
}

TEST(NetworkPlan, WrongNetworksAreConfigErrorsEvenWithoutJson) {
  const NetworkSizes sizes{.feature = 10, .classes = 8};
  const auto message = [&](const NetworkSettings& settings) -> std::string {
    try {
      summarise(settings, sizes);
    } catch (const ConfigError& error) {
      return error.what();
    }
    return "no error";
  };
  EXPECT_THAT(message({{{.type = LayerType::kLstm}, {.type = LayerType::kDense}}}),
              HasSubstr("layers[1] (dense)"));
  EXPECT_THAT(message({{{.type = LayerType::kMeanPool}, {.type = LayerType::kDense, .units = 7}}}),
              AllOf(HasSubstr("layers[1] (dense)"), HasSubstr("7 units"), HasSubstr("8 classes")));
  EXPECT_EQ(message({{{.type = LayerType::kMeanPool}, {.type = LayerType::kDense, .units = 8}}}), "no error");
}

std::vector<std::int64_t> counts(const NetworkSettings& settings, const NetworkSizes& sizes) {
  std::vector<std::int64_t> out;
  for (const LayerSummary& layer : summarise(settings, sizes)) out.push_back(layer.parameters);
  return out;
}

TEST(NetworkPlan, ParameterCountsAreThoseOfTheBooks) {
  // One bias for each gate: 4 H (I + H + 1).
  EXPECT_THAT(counts({{{.type = LayerType::kLstm, .hidden = 256},
                       {.type = LayerType::kLastPool},
                       {.type = LayerType::kDense}}},
                     {.feature = 1, .classes = 8}),
              ElementsAre(264192, 0, 2056));
  EXPECT_THAT(
      counts({{{.type = LayerType::kLstm, .hidden = 128, .layers = 2, .bidirectional = true, .dropout = 0.3},
               {.type = LayerType::kAttentionPool, .units = 64},
               {.type = LayerType::kDense, .units = 64, .activation = Activation::kRelu},
               {.type = LayerType::kDense}}},
             {.feature = 120, .classes = 7}),
      ElementsAre(254976, 0, 394240, 16576 - 64, 16448, 455));
}

TEST(NetworkPlan, SummaryNamesLayersAndShapes) {
  std::vector<std::string> errors;
  const std::vector<LayerSummary> summary = summarise(read(kGood, errors), {.feature = 20, .classes = 6});
  std::vector<std::string> lines;
  for (const LayerSummary& layer : summary)
    lines.push_back(cat(layer.name, " ", layer.type, " ", layer.output_shape));
  EXPECT_THAT(lines, ElementsAre("layer0.stack0 lstm [time, 64]", "layer0.stack0.dropout dropout [time, 64]",
                                 "layer0.stack1 lstm [time, 64]", "layer1 attention_pool [64]",
                                 "layer2 dropout [64]", "layer3 dense [24]", "layer4 dense [6]"));
}

}  // namespace
}  // namespace serval::nn
