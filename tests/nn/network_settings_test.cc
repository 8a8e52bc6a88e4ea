#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "serval/core/settings_io.h"
#include "serval/nn/network.h"

namespace serval::nn {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

NetworkSettings read_text(const std::string& text, std::vector<std::string>& errors) {
  return read_settings<NetworkSettings>(parse_json(text, "n.json"), errors);
}
NetworkSettings read(const std::string& layers, std::vector<std::string>& errors) {
  return read_text("{\"layers\": [" + layers + "]}", errors);
}
std::string errors_of(const std::string& text) {
  std::vector<std::string> errors;
  read_text(text, errors);
  return join(errors, "\n");
}

constexpr const char* kGood = R"(
  { "type": "lstm", "hidden": 32, "layers": 2, "bidirectional": true, "dropout": 0.2 },
  { "type": "attention_pool", "units": 64 },
  { "type": "dropout", "rate": 0.3 },
  { "type": "dense", "units": 24, "activation": "relu" },
  { "type": "dense" })";

TEST(NetworkJson, WrittenAndReadAgainIsTheSame) {
  std::vector<std::string> errors;
  NetworkSettings s = read(kGood, errors);
  const std::string text = write_json(settings_to_json(s));
  EXPECT_THAT(text, HasSubstr("0.2"));
  NetworkSettings again = read_settings<NetworkSettings>(parse_json(text, "again.json"), errors);
  EXPECT_THAT(errors, IsEmpty());
  EXPECT_EQ(write_json(settings_to_json(again)), text);
}

TEST(NetworkJson, MistakesAreNamedWithTheLayerAndWhatWouldBeRight) {
  const std::pair<const char*, std::vector<const char*>> mistakes[] = {
      {"", {"no layer", "\"dense\""}},
      {R"({"type":"mean_pool"},{"type":"lstm"},{"type":"dense"})",
       {"layers[1] (lstm)", "one vector", "before the pool"}},
      {R"({"type":"mean_pool"},{"type":"last_pool"},{"type":"dense"})",
       {"layers[1] (last_pool)", "one vector"}},
      {R"({"type":"lstm","dropout":0.5},{"type":"mean_pool"},{"type":"dense"})",
       {"layers[0].dropout", "stacked"}},
      {R"({"type":"lstm","hidden":0},{"type":"mean_pool"},{"type":"dense"})", {"layers[0].hidden"}},
      {R"({"type":"lstm","hidden":2049},{"type":"mean_pool"},{"type":"dense"})",
       {"layers[0].hidden", "2048"}},
      {R"({"type":"lstm","units":5},{"type":"mean_pool"},{"type":"dense"})", {"layers[0].units"}},
      {R"({"type":"lstn"},{"type":"mean_pool"},{"type":"dense"})",
       {"layers[0].type", "did you mean \"lstm\""}},
      {R"({"type":"attention_pool"},{"type":"dense"})", {"units"}},
      {R"({"type":"mean_pool"},{"type":"dropout","rate":1},{"type":"dense"})", {"layers[1].rate"}},
      {R"({"type":"mean_pool","name":"a"},{"type":"dense","input":"b"})",
       {"layers[1] (dense)", "\"b\"", "no layer before it"}},
      {R"({"type":"mean_pool","name":"pooled"},{"type":"dense","input":"poled"})",
       {"did you mean \"pooled\""}},
      {R"({"type":"mean_pool","name":"a"},{"type":"dense","name":"a"})",
       {"layers[1] (dense)", "as is another"}},
      {R"({"type":"mean_pool"},{"type":"dense","input":["layer0","layer0"]})",
       {"layers[1] (dense)", "reads 1 input, but 2 are named"}},
      {R"({"type":"mean_pool","name":"a"},{"type":"dense","weights_of":"a"})", {"shares", "has no w"}},
  };
  for (const auto& [layers, expected] : mistakes) {
    const std::string errors = errors_of(cat("{\"layers\": [", layers, "]}"));
    for (const char* part : expected) EXPECT_THAT(errors, HasSubstr(part)) << layers;
    EXPECT_THAT(errors, HasSubstr("n.json:")) << layers;
  }
}

TEST(NetworkJson, InputsAndOutputsAreChecked) {
  EXPECT_THAT(
      errors_of(R"({"inputs": {"x": {"kind": "image", "shape": [3, 4]}}, "layers": [{"type": "dense"}]})"),
      HasSubstr("inputs.x.shape: an image has three sizes"));
  EXPECT_THAT(errors_of(R"({"inputs": {"x": {"kind": "vector", "shape": 5}}, "layers": [{"type": "dense"}],
                            "outputs": "nobody"})"),
              HasSubstr("outputs reads \"nobody\""));
  EXPECT_THAT(errors_of(R"({"inputs": {"x": {"kind": "vector", "shape": 5}, "y": {"kind": "vector"}},
                            "layers": [{"type": "dense"}]})"),
              HasSubstr("2 inputs; say which it reads"));
  EXPECT_THAT(errors_of(R"({"inputs": {"x": {"kind": "vector", "shape": 5}},
                            "layers": [{"type": "dense", "units": 8, "name": "a"},
                                       {"type": "dense", "units": 9, "weights_of": "a"}]})"),
              ::testing::AllOf(HasSubstr("layers[1] (dense)"), HasSubstr("shares the weights of \"a\""),
                               HasSubstr("[8, 5]"), HasSubstr("[9, 8]")));
  EXPECT_EQ(errors_of(R"({"inputs": {"x": {"kind": "vector", "shape": 5}, "y": {"kind": "vector"}},
                          "layers": [{"type": "dense", "input": "y"}], "outputs": ["layer0"]})"),
            "");
}

TEST(Classifier, ProblemsAreNamed) {
  const auto problem = [](const std::string& layers, std::int64_t classes = 8) {
    std::vector<std::string> errors;
    const NetworkSettings settings = read(layers, errors);
    EXPECT_THAT(errors, IsEmpty());
    return classifier_problem(settings, sequence_sizes(10, classes, 1, 1));
  };
  EXPECT_THAT(
      problem(R"({"type":"lstm"},{"type":"dense"})"),
      ::testing::AllOf(HasSubstr("layers[1] (dense)"), HasSubstr("mean_pool, last_pool or attention_pool")));
  EXPECT_THAT(problem(R"({"type":"mean_pool"},{"type":"dense","units":7})"),
              ::testing::AllOf(HasSubstr("layers[1] (dense)"), HasSubstr("[7]"), HasSubstr("8 classes")));
  EXPECT_THAT(problem(R"({"type":"mean_pool"},{"type":"dense"},{"type":"softmax"})"),
              HasSubstr("softmax, which belongs to the loss"));
  EXPECT_EQ(problem(R"({"type":"mean_pool"},{"type":"dense","units":8})"), "");
  EXPECT_EQ(problem(R"({"type":"mean_pool"},{"type":"dense"})"), "");
}

TEST(Classifier, ProblemsAreNamedWithoutTheData) {
  const auto problem = [](const std::string& layers) {
    std::vector<std::string> errors;
    return classifier_problem(read(layers, errors));
  };
  EXPECT_THAT(problem(R"({"type":"lstm"},{"type":"dense"})"), HasSubstr("for each time step"));
  EXPECT_THAT(problem(R"({"type":"lstm","hidden":9},{"type":"mean_pool"})"), HasSubstr("end with"));
  EXPECT_EQ(problem(R"({"type":"mean_pool"},{"type":"dense","units":3})"), "");
  EXPECT_EQ(problem(R"({"type":"mean_pool"},{"type":"dense"})"), "");
}

TEST(NetworkPlan, DeclaredShapesMustBeThoseOfTheData) {
  std::vector<std::string> errors;
  const NetworkSettings settings = read_text(
      R"({"inputs": {"x": {"shape": 39}}, "layers": [{"type": "mean_pool"}, {"type": "dense"}]})", errors);
  EXPECT_THAT(errors, IsEmpty());
  try {
    summarise(settings, sequence_sizes(40, 8, 1, 1));
    FAIL() << "no error";
  } catch (const ConfigError& error) {
    EXPECT_THAT(error.what(), HasSubstr("inputs.x is declared as [39], but the data has [40]"));
  }
}

std::vector<std::int64_t> counts(const std::string& layers, const NetworkSizes& sizes) {
  std::vector<std::string> errors;
  const NetworkSettings settings = read(layers, errors);
  EXPECT_THAT(errors, IsEmpty());
  std::vector<std::int64_t> out;
  for (const LayerSummary& layer : summarise(settings, sizes)) out.push_back(layer.parameters);
  return out;
}

TEST(NetworkPlan, ParameterCountsAreThoseOfTheBooks) {
  // One bias for each gate: 4 H (I + H + 1).
  EXPECT_THAT(counts(R"({"type":"lstm","hidden":256},{"type":"last_pool"},{"type":"dense"})",
                     sequence_sizes(1, 8, 1, 1)),
              ElementsAre(264192, 0, 2056));
  EXPECT_THAT(counts(R"({"type":"lstm","hidden":128,"layers":2,"bidirectional":true,"dropout":0.3},
                        {"type":"attention_pool","units":64},
                        {"type":"dense","units":64,"activation":"relu"},{"type":"dense"})",
                     sequence_sizes(120, 7, 1, 1)),
              ElementsAre(254976, 0, 394240, 16576 - 64, 16448, 455));
}

TEST(NetworkPlan, SharedWeightsCountOnce) {
  EXPECT_THAT(counts(R"({"type":"dense","units":10,"name":"a"},{"type":"dense","units":10,"weights_of":"a"},
                        {"type":"mean_pool"},{"type":"dense"})",
                     sequence_sizes(10, 2, 1, 1)),
              ElementsAre(110, 0, 0, 22));
}

TEST(NetworkPlan, SummaryNamesLayersAndShapes) {
  std::vector<std::string> errors;
  std::vector<std::string> lines;
  for (const LayerSummary& layer : summarise(read(kGood, errors), sequence_sizes(20, 6, 1, 1)))
    lines.push_back(cat(layer.name, " ", layer.type, " ", layer.output_shape));
  EXPECT_THAT(lines, ElementsAre("layer0.stack0 lstm [time, 64]", "layer0.stack0.dropout dropout [time, 64]",
                                 "layer0.stack1 lstm [time, 64]", "layer1 attention_pool [64]",
                                 "layer2 dropout [64]", "layer3 dense [24]", "layer4 dense [6]"));
}

}  // namespace
}  // namespace serval::nn
