// The speaker's gender as a feature set.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "serval/core/files.h"
#include "serval/core/json.h"
#include "serval/core/log.h"
#include "serval/experiment/dataset.h"
#include "serval/experiment/resolve.h"
#include "serval/experiment/run.h"

#include "tests/support/devices.h"
#include "tests/support/tone_corpus.h"

namespace serval::experiment {
namespace {

using corpus::message_of;
using corpus::TempFolder;
using testing::AllOf;
using testing::HasSubstr;

class GenderTest : public testing_support::DeviceTest {
 protected:
  void SetUp() override {
    set_quiet(true);
    testing_support::make_tone_corpus(folder_ / "corpus", {.actors = 6, .emotions = 2});
    folder_.write("x.json", testing_support::tone_experiment(folder_ / "corpus", folder_ / "stores"));
  }
  // The labels are made the genders, so that nothing but gender can tell them apart.
  ExperimentSettings told(const std::vector<std::string>& more = {}) const {
    std::string list = "path,actor,label,gender\n";
    for (int actor = 1; actor <= 6; ++actor) {
      for (int emotion = 1; emotion <= 2; ++emotion) {
        for (int repetition = 0; repetition < 2; ++repetition)
          list += cat("corpus/", testing_support::tone_name(emotion, repetition, actor), ".wav,", actor,
                      emotion == 1 ? "f,angry,female\n" : "m,sad,male\n");
      }
    }
    std::vector<std::string> overrides{
        cat("corpora=[{\"file\": \"", folder_.write("list.csv", list), "\"}]"),
        R"(features={"gender": {"type": "gender"}, "level": {"type": "rms", "statistics": ["mean"]}})",
        R"(models={"m": {"inputs": {"level": {"features": "level"}, "gender": {"features": "gender"}}, "network": {
           "inputs": {"level": {"kind": "vector"}, "gender": {"kind": "vector", "shape": 1}},
           "layers": [{"type": "dense", "input": "gender"}]}}})"};
    overrides.insert(overrides.end(), more.begin(), more.end());
    return load_experiment(folder_ / "x.json", overrides);
  }
  TempFolder folder_;
};

TEST_P(GenderTest, IsOneNumberARecording) {
  const Dataset dataset = make_dataset(
      load_experiment(folder_ / "x.json", {R"(features.who={"type": "gender"})"}), {device(), 1});
  ASSERT_EQ(dataset.features.size(), 2u);
  const FeatureSet& who = dataset.features.back();
  EXPECT_EQ(who.dimension, 1);
  EXPECT_FALSE(who.stored);
  ASSERT_EQ(who.values.size(), dataset.manifest.recordings.size());
  for (std::size_t r = 0; r < who.values.size(); ++r) {
    EXPECT_EQ(who.offsets[r], static_cast<std::int64_t>(r));
    const bool male = dataset.manifest.recordings[r].gender == corpus::Gender::kMale;
    EXPECT_EQ(who.values[r], male ? 1.0f : 0.0f);
  }
}

TEST_P(GenderTest, NetworksHearItAndSoDoCopies) {
  const std::vector<std::string> long_enough{"train.epochs=20", "train.optimizer.learning_rate=0.1",
                                             "seeds=[1]"};
  std::vector<std::string> with_copies = long_enough;
  with_copies.push_back(R"(augment={"copies": 2, "effects": [{"type": "gain"}]})");
  const RunOutcome plain = run_experiment(told(long_enough), {device(), 2, folder_ / "plain"});
  const RunOutcome copies = run_experiment(told(with_copies), {device(), 2, folder_ / "copies"});
  for (const RunOutcome& run : {plain, copies}) {
    const JsonValue results = parse_json(run.results_json, "results");
    EXPECT_EQ(results.find("pooled")->find("uar")->real, 1.0);
  }
  // A copy with another gender than its recording's would pull the weights about.
  EXPECT_THAT(read_text(folder_ / "copies/models/m/fold-01_seed-1/augmentation.csv"), HasSubstr("gain"));
}

TEST_P(GenderTest, ASpeakerWithoutOneIsAnError) {
  const std::string list =
      folder_.write("unknown.csv", cat("path,actor,label,gender\ncorpus/",
                                       testing_support::tone_name(1, 0, 1), ".wav,a,angry,female\ncorpus/",
                                       testing_support::tone_name(2, 0, 2), ".wav,b,sad,\n"));
  const ExperimentSettings settings = told({cat("corpora=[{\"file\": \"", list, "\"}]")});
  EXPECT_THAT(message_of<DataError>([&] {
                make_dataset(settings, {device(), 1});
              }),
              AllOf(HasSubstr("features.gender: the speaker's gender is not known of 1 recordings"),
                    HasSubstr("unknown/")));
}

SERVAL_DEVICE_TESTS(GenderTest);

}  // namespace
}  // namespace serval::experiment
