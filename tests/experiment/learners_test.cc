// Classical models in an experiment file, beside a network.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "serval/core/files.h"
#include "serval/core/json.h"
#include "serval/core/log.h"
#include "serval/experiment/resolve.h"
#include "serval/experiment/run.h"
#include "serval/store/hdf5.h"

#include "tests/support/tone_corpus.h"

namespace serval::experiment {
namespace {

using corpus::TempFolder;
using testing::HasSubstr;

std::string experiment(const std::string& folder, const std::string& models, const std::string& more = "") {
  return R"({
  "name": "classical",
  "corpora": [{"use": "ravdess", "path": ")" +
         folder + R"(/corpus"}],
  "audio": {"sample_rate_hz": 8000},
  "features": {
    "frames": {"type": "log_mel", "n_mels": 12, "n_fft": 256, "hop_ms": 16},
    "vector": {"type": "log_mel", "n_mels": 12, "n_fft": 256, "hop_ms": 16, "statistics": ["mean", "std"]}
  },
  "folds": {"count": 3, "validation_actors": 1},
  "models": {)" +
         models + R"(},
  "train": {"epochs": 2},
  "seeds": [1, 2],
  "store": ")" +
         folder + "/stores\"" + more + "}";
}

class LearnersTest : public testing::Test {
 protected:
  void SetUp() override {
    set_quiet(true);
    testing_support::make_tone_corpus(folder_ / "corpus");
  }
  ExperimentSettings load(const std::string& models, const std::string& more = "") const {
    return load_experiment(folder_.write("x.json", experiment(folder_ / "", models, more)), {});
  }
  std::string error_of(const std::string& models, const std::string& more = "") const {
    try {
      run_experiment(load(models, more), {Device{}, 2, folder_ / "bad"});
      return "no error";
    } catch (const ConfigError& error) {
      return error.what();
    }
  }
  TempFolder folder_;
};

TEST_F(LearnersTest, EachLearnsTheTonesInAllFoldsAndSeeds) {
  const char* models = R"(
    "linear": {"input": {"features": "vector"}, "learner": {"type": "linear_svm"}},
    "rbf": {"input": {"features": "vector"}, "learner": {"type": "rbf_svm", "steps": [{"type": "pca"}]}},
    "forest": {"input": {"features": "vector"}, "learner": {"type": "random_forest", "trees": 60}},
    "near": {"input": {"features": "vector"}, "learner": {"type": "nearest_neighbours", "neighbours": 3}},
    "lstm": {"input": {"features": "frames"},
             "network": {"layers": [{"type": "lstm", "hidden": 4}, {"type": "mean_pool"}, {"type": "dense"}]}})";
  const RunOutcome first = run_experiment(load(models), {Device{}, 2, folder_ / "out"});
  const JsonValue results = parse_json(first.results_json, "results");
  EXPECT_EQ(results.find("audit")->text, "passed");
  for (const char* name : {"linear", "rbf", "forest", "near"}) {
    const JsonValue& summary = *results.find("models")->find(name)->find("summary");
    EXPECT_GT(summary.find("uar")->find("mean")->real, 0.8) << name;
  }
  // A second run trains nothing; one on another number of threads gives the same numbers.
  const std::string predictions = read_text(folder_ / "out/predictions.csv");
  run_experiment(load(models), {Device{}, 1, folder_ / "alone"});
  EXPECT_EQ(read_text(folder_ / "alone/predictions.csv"), predictions);
}

TEST_F(LearnersTest, ResolvedFilesHoldOneOfTheTwo) {
  const ExperimentSettings settings =
      load(R"("m": {"input": {"features": "vector"}, "learner": {"type": "logistic", "c": 2}})");
  const std::string text = write_json(resolved_json(settings));
  EXPECT_THAT(text, HasSubstr("\"logistic\""));
  EXPECT_EQ(text.find("\"network\""), std::string::npos);
  EXPECT_EQ(write_json(resolved_json(read_experiment(parse_json(text, "again.json"), "again.json"))), text);
}

TEST_F(LearnersTest, MistakesAreNamed) {
  EXPECT_THAT(error_of(R"("m": {"input": {"features": "vector"}})"), HasSubstr("a network or a learner"));
  EXPECT_THAT(error_of(R"("m": {"input": {"features": "vector"}, "learner": {"type": "logistic"},
                           "network": {"layers": [{"type": "mean_pool"}, {"type": "dense"}]}})"),
              HasSubstr("a network or a learner"));
  EXPECT_THAT(error_of(R"("m": {"input": {"features": "frames"}, "learner": {"type": "logistic"}})"),
              testing::AllOf(HasSubstr("models.m.learner"), HasSubstr("frames of recording"),
                             HasSubstr("statistics")));
  EXPECT_THAT(error_of(R"("m": {"input": {"features": "frames", "segment_frames": 10},
                           "learner": {"type": "logistic"}})"),
              HasSubstr("a learner reads one vector a recording"));
  EXPECT_THAT(error_of(R"("m": {"input": {"features": "vector"},
                           "learner": {"type": "logistic", "steps": [{"type": "pca", "components": 500}]}})"),
              HasSubstr("500 components"));
  EXPECT_THAT(error_of(R"("m": {"input": {"features": "vector"}, "learner": {"type": "logistic"}})",
                       R"(, "augment": {"effects": [{"type": "gain"}]})"),
              HasSubstr("augmented copies are for networks"));
}

// A network that starts from another's weights of the same fold, and keeps some of them.
TEST_F(LearnersTest, StagesTrainOneAfterTheOther) {
  const std::string models = R"(
    "second": {"input": {"features": "vector"}, "initial_weights": {"model": "first", "map": {"body.*": "body.*"}},
               "network": {"inputs": {"x": {"kind": "vector"}}, "layers": [
                 {"type": "dense", "name": "body", "units": 12, "activation": "tanh", "frozen": true},
                 {"type": "dense", "name": "head"}]}},
    "first": {"input": {"features": "vector"}, "network": {"inputs": {"x": {"kind": "vector"}}, "layers": [
                 {"type": "dense", "name": "body", "units": 12, "activation": "tanh"}, {"type": "dense"}]}})";
  EXPECT_THAT(error_of(models), HasSubstr("second.initial_weights.model: \"first\" is no model"));
  // The other order works; the frozen layer is the first model's of the same fold.
  const std::size_t cut = models.find("\"first\": {\"input\"");
  std::string first = models.substr(cut), second = models.substr(0, cut);
  second.erase(second.find_last_of(','));
  run_experiment(load(first + ", " + second), {Device{}, 2, folder_ / "staged"});
  for (const char* fold : {"fold-01_seed-1", "fold-03_seed-2"}) {
    const auto body = [&](const std::string& model) {
      return store::Hdf5File::open(folder_ / ("staged/models/" + model + "/" + fold + "/checkpoint.h5"))
          .read_floats("selected/body.w");
    };
    EXPECT_EQ(body("first"), body("second"));
  }
}

}  // namespace
}  // namespace serval::experiment
