// Networks that read images, vectors, or several things at once.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "serval/core/files.h"
#include "serval/core/json.h"
#include "serval/core/log.h"
#include "serval/experiment/resolve.h"
#include "serval/experiment/run.h"

#include "tests/support/devices.h"
#include "tests/support/tone_corpus.h"

namespace serval::experiment {
namespace {

using corpus::TempFolder;
using testing::AllOf;
using testing::HasSubstr;

class InputsTest : public testing_support::DeviceTest {
 protected:
  void SetUp() override {
    set_quiet(true);
    testing_support::make_tone_corpus(folder_ / "corpus");
  }
  ExperimentSettings load(const std::string& model, const std::string& more = "") const {
    return load_experiment(folder_.write("x.json", R"({
  "name": "inputs",
  "corpora": [{"use": "ravdess", "path": ")" + (folder_ / "corpus") +
                                                       R"("}],
  "audio": {"sample_rate_hz": 8000},
  "features": {
    "coarse": {"type": "log_mel", "n_mels": 12, "n_fft": 256, "hop_samples": 128},
    "fine": {"type": "log_mel", "n_mels": 6, "n_fft": 256, "hop_samples": 64},
    "vector": {"type": "log_mel", "n_mels": 12, "n_fft": 256, "hop_samples": 128, "statistics": ["mean"]}
  },
  "folds": {"count": 3, "validation_actors": 1},
  "models": {"m": )" + model + R"(},
  "train": {"optimizer": {"learning_rate": 0.02}, "batch_size": 8, "epochs": 10},
  "seeds": [1],
  "store": ")" + (folder_ / "stores") + "\"" + more + "}"),
                           {});
  }
  double uar(const std::string& model, const std::string& out, const std::string& more = "") const {
    const RunOutcome outcome = run_experiment(load(model, more), {device(), 2, folder_ / out});
    const JsonValue results = parse_json(outcome.results_json, "results");
    EXPECT_EQ(results.find("audit")->text, "passed");
    return results.find("summary")->find("uar")->find("mean")->real;
  }
  std::string error_of(const std::string& model, const std::string& more = "") const {
    try {
      run_experiment(load(model, more), {device(), 2, folder_ / "bad"});
      return "no error";
    } catch (const ConfigError& error) {
      return error.what();
    }
  }
  TempFolder folder_;
};

constexpr const char* kImageNetwork = R"("network": {"inputs": {"mel": {"kind": "image"}}, "layers": [
    {"type": "flatten"}, {"type": "dense", "units": 16, "activation": "relu"}, {"type": "dense"}]})";

TEST_P(InputsTest, ImagesOfWholeRecordingsAndOfSegments) {
  EXPECT_GT(
      uar(cat(R"({"input": {"features": "coarse", "fit": {"frames": 20}, "image": {"pad_value": "min"}}, )",
              kImageNetwork, "}"),
          "fit"),
      0.8);
  EXPECT_GT(uar(cat(R"({"input": {"features": "coarse", "segment_frames": 8, "shift_frames": 4,
                        "image": {"resize": "bilinear", "height": 6, "width": 6}}, )",
                    kImageNetwork, "}"),
                "cut"),
            0.8);
  EXPECT_GT(uar(cat(R"({"input": {"features": "coarse", "image": {"resize": "bilinear", "width": 9}}, )",
                    kImageNetwork, "}"),
                "stretched"),
            0.8);
}

constexpr const char* kKeySegments =
    R"({"input": {"features": "coarse", "segment_frames": 6, "shift_frames": 2,
      "key_segments": 3, "image": {}}, )";

TEST_P(InputsTest, KeySegmentsOfRecordingsAndOfTheirCopies) {
  EXPECT_GT(uar(cat(kKeySegments, kImageNetwork, "}"), "keys"), 0.8);
  EXPECT_GT(uar(cat(kKeySegments, kImageNetwork, "}"), "keys_of_copies",
                R"(, "augment": {"effects": [{"type": "gain", "gain_db": [-3, 3]}]})"),
            0.8);
  EXPECT_THAT(
      error_of(
          cat(R"({"input": {"features": "coarse", "fit": {"frames": 20}, "image": {}, "key_segments": 3}, )",
              kImageNetwork, "}")),
      HasSubstr("key_segments: are segments, so it needs segment_frames"));
}

TEST_P(InputsTest, Vectors) {
  EXPECT_GT(
      uar(R"({"input": {"features": "vector"}, "network": {"inputs": {"x": {"kind": "vector"}}, "layers": [
      {"type": "dense", "units": 12, "activation": "relu"}, {"type": "dense"}]}})",
          "vectors"),
      0.8);
}

// A sequence, an image and a vector of the same recordings.
const std::string kThree = R"({"inputs": {
      "heard": {"features": "fine", SEGMENTS},
      "seen": {"features": "coarse", "image": {"resize": "nearest", "height": 6, "width": 8}},
      "known": {"features": "vector", "normalise": false}},
    "network": {"inputs": {"heard": {}, "seen": {"kind": "image"}, "known": {"kind": "vector", "shape": 12}},
      "layers": [
        {"type": "lstm", "input": "heard", "hidden": 6}, {"type": "mean_pool", "name": "a"},
        {"type": "flatten", "input": "seen"}, {"type": "dense", "units": 6, "activation": "tanh", "name": "b"},
        {"type": "concat", "input": ["a", "b", "known"]}, {"type": "dense"}]}})";
std::string three(const std::string& segments) {
  std::string text = kThree;
  text.replace(text.find(", SEGMENTS"), 10, segments);
  return text;
}

TEST_P(InputsTest, SeveralAtOnce) {
  EXPECT_GT(uar(three(""), "three"), 0.8);
  const std::string predictions = read_text(folder_ / "three/predictions.csv");
  uar(three(""), "again");
  EXPECT_EQ(read_text(folder_ / "again/predictions.csv"), predictions);
}

TEST_P(InputsTest, CopiesOfRecordingsReachEveryInput) {
  const std::string two = R"({"inputs": {
      "heard": {"features": "fine", "segment_frames": 12},
      "seen": {"features": "coarse", "image": {"resize": "nearest", "height": 6, "width": 8}}},
    "network": {"inputs": {"heard": {}, "seen": {"kind": "image"}}, "layers": [
        {"type": "lstm", "input": "heard", "hidden": 6}, {"type": "mean_pool", "name": "a"},
        {"type": "flatten", "input": "seen"}, {"type": "dense", "units": 6, "activation": "tanh", "name": "b"},
        {"type": "concat", "input": ["a", "b"]}, {"type": "dense"}]}})";
  EXPECT_GT(uar(two, "plain"), 0.7);
  EXPECT_GT(uar(two, "copied", R"(, "augment": {"effects": [{"type": "gain"}, {"type": "speed"}]})"), 0.7);
  EXPECT_NE(read_text(folder_ / "copied/predictions.csv"), read_text(folder_ / "plain/predictions.csv"));
}

TEST_P(InputsTest, MistakesAreNamed) {
  EXPECT_THAT(error_of(cat(R"({"input": {"features": "coarse"}, )", kImageNetwork, "}")),
              AllOf(HasSubstr("models.m"), HasSubstr("the network reads an image here")));
  EXPECT_THAT(error_of(cat(R"({"input": {"features": "coarse", "image": {}}, )", kImageNetwork, "}")),
              HasSubstr("recordings have different lengths; give fit"));
  EXPECT_THAT(error_of(R"({"input": {"features": "coarse", "fit": {"frames": 20}, "image": {}},
                           "network": {"layers": [{"type": "mean_pool"}, {"type": "dense"}]}})"),
              HasSubstr("the network does not read one here"));
  EXPECT_THAT(error_of(R"({"input": {"features": "coarse"}, "network": {"inputs": {"x": {"kind": "vector"}},
                           "layers": [{"type": "dense"}]}})"),
              AllOf(HasSubstr("reads one vector a recording"), HasSubstr("statistics")));
  EXPECT_THAT(
      error_of(R"({"inputs": {"y": {"features": "vector"}}, "network": {"inputs": {"x": {"kind": "vector"}},
                           "layers": [{"type": "dense"}]}})"),
      AllOf(HasSubstr("no input \"y\""), HasSubstr("\"x\" is missing")));
  EXPECT_THAT(error_of(three(R"(, "segment_frames": 12)")),
              AllOf(HasSubstr("inputs.known"), HasSubstr("no frames at known times")));
  EXPECT_THAT(error_of(R"({"input": {"features": "coarse", "fit": {"frames": 9, "fit": "nearest"}},
                           "network": {"layers": [{"type": "mean_pool"}, {"type": "dense"}]}})"),
              HasSubstr("a sequence can only be cut"));
  EXPECT_THAT(error_of(cat(R"({"input": {"features": "coarse", "segment_frames": [8, 12], "image": {}}, )",
                           kImageNetwork, "}")),
              HasSubstr("segments have several lengths"));
  EXPECT_THAT(error_of(R"({"inputs": {"heard": {"features": "coarse", "segment_frames": 8},
                                      "seen": {"features": "coarse", "fit": {"frames": 9}, "image": {}}},
                           "network": {"inputs": {"heard": {}, "seen": {"kind": "image"}}, "layers": [
                             {"type": "flatten", "input": "seen"}, {"type": "dense"}]}})"),
              AllOf(HasSubstr("inputs.seen.fit"), HasSubstr("cut by the first input, \"heard\"")));
  EXPECT_THAT(error_of(cat(R"({"input": {"features": "coarse", "segment_frames": 8, "image": {}}, )",
                           kImageNetwork, "}"),
                       R"(, "description": "x")"),
              HasSubstr("no error"));
}

SERVAL_DEVICE_TESTS(InputsTest);

}  // namespace
}  // namespace serval::experiment
