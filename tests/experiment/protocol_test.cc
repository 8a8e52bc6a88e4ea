// Inner folds, known leaks and their stamps, through whole runs.
#include <filesystem>

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
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class ProtocolTest : public testing::Test {
 protected:
  void SetUp() override {
    set_quiet(true);
    testing_support::make_tone_corpus(folder_ / "corpus");
  }
  ExperimentSettings load(const std::vector<std::string>& overrides) {
    return load_experiment(
        folder_.write("x.json", testing_support::tone_experiment(folder_ / "corpus", folder_ / "stores")),
        overrides);
  }
  JsonValue run(const std::vector<std::string>& overrides, const std::string& out) {
    return parse_json(run_experiment(load(overrides), {Device{}, 2, folder_ / out}).results_json,
                      "results.json");
  }
  std::string error_of(const std::vector<std::string>& overrides) {
    try {
      run_experiment(load(overrides), {Device{}, 2, folder_ / "bad"});
    } catch (const Error& error) {
      return error.what();
    }
    return "no error";
  }
  TempFolder folder_;
};

TEST_F(ProtocolTest, InnerFoldsChooseTheEpochAndTheFoldTrainsOnAllItsActors) {
  const JsonValue results = run({"folds.inner_folds=2", "seeds=[1]"}, "nested");
  EXPECT_EQ(results.find("folds")->items.size(), 3u);  // inner folds are in no table
  for (int fold = 1; fold <= 3; ++fold) {
    const std::string folder = cat(folder_ / "nested", "/models/lstm/fold-0", fold, "_seed-1");
    const JsonValue outer = parse_json_file(folder + "/result.json");
    std::vector<std::int64_t> epochs;
    for (int inner = 1; inner <= 2; ++inner) {
      const JsonValue result = parse_json_file(cat(folder, "/inner-", inner, "/result.json"));
      epochs.push_back(result.find("selected_epoch")->integer);
      EXPECT_TRUE(result.find("recordings")->items.empty());  // nobody is tested by it
      EXPECT_FALSE(result.find("lineage")->find("chosen_by")->items.empty());
    }
    EXPECT_EQ(outer.find("selected_epoch")->integer,
              std::max(epochs[0], epochs[1]));  // the later of the middle two
    EXPECT_EQ(outer.find("history")->items.size(), static_cast<std::size_t>(std::max(epochs[0], epochs[1])));
    EXPECT_EQ(outer.find("lineage")->find("trained_on")->items.size(),
              4u * 8u);  // four actors, none kept aside
    EXPECT_TRUE(outer.find("lineage")->find("chosen_by")->items.empty());
  }
  const JsonValue audit = parse_json_file(folder_ / "nested/audit.json");
  EXPECT_EQ(audit.find("verdict")->text, "passed");
}

TEST_F(ProtocolTest, AKnownLeakStampsWhatComesOfIt) {
  const std::string scheme =
      "folds={\"scheme\": \"stratified_random\", \"count\": 3, \"validation_share\": 0.2}";
  // One actor's tones are as good as copies of each other, and that is another leak.
  EXPECT_THAT(error_of({scheme, "protocol.leaks=[\"shared_actors\"]"}),
              AllOf(HasSubstr("no_near_identical_audio_across_sides: fold 1: ravdess/03-01-"),
                    testing::Not(HasSubstr("actors_on_one_side"))));
  const JsonValue results = run({scheme, "protocol.leaks=[\"shared_actors\", \"shared_audio\"]"}, "random");
  EXPECT_THAT(results.find("stamps")->items.front().text, HasSubstr("leaking protocol, shared_actors: "));
  EXPECT_EQ(results.find("audit")->text, "leaks");
  EXPECT_THAT(read_text(folder_ / "random/results.txt"), HasSubstr("shared_actors"));
  EXPECT_THAT(read_text(folder_ / "random/report.html"), HasSubstr("shared_actors"));
  for (const char* table : {"results.csv", "predictions.csv", "groups.csv"}) {
    const std::string text = read_text(folder_ / "random/" + table);
    EXPECT_THAT(text.substr(0, text.find('\n')), testing::EndsWith(",protocol")) << table;
    EXPECT_THAT(text, HasSubstr(",leaks: shared_actors shared_audio\n")) << table;
  }
  const store::Hdf5File weights =
      store::Hdf5File::open(folder_ / "random/models/lstm/fold-01_seed-1/checkpoint.h5");
  EXPECT_THAT(weights.read_texts("lineage/leaks"), testing::ElementsAre("shared_actors", "shared_audio"));
}

TEST_F(ProtocolTest, AnHonestRunHasNoStamp) {
  const JsonValue results = run({"seeds=[1]", "train.epochs=2"}, "honest");
  EXPECT_TRUE(results.find("stamps")->items.empty());
  EXPECT_EQ(results.find("audit")->text, "passed");
  EXPECT_THAT(read_text(folder_ / "honest/predictions.csv"), testing::Not(HasSubstr("protocol")));
}

TEST_F(ProtocolTest, EachLeakDoesWhatItSays) {
  const auto verdict = [&](const std::vector<std::string>& overrides, const std::string& out) {
    std::vector<std::string> all = {"seeds=[1]", "train.epochs=2"};
    all.insert(all.end(), overrides.begin(), overrides.end());
    run(all, out);
    return parse_json_file(folder_ / (out + "/audit.json"));
  };
  const auto evidence = [](const JsonValue& audit, const std::string& name) {
    for (const JsonValue& check : audit.find("checks")->items) {
      if (check.find("name")->text != name) continue;
      EXPECT_EQ(check.find("verdict")->text, "leaks") << name;
      return check.find("evidence")->items.front().text;
    }
    return std::string("no such check");
  };
  EXPECT_THAT(
      evidence(verdict({"protocol.leaks=[\"normaliser_on_all\"]"}, "all"), "nothing_fitted_on_test_actors"),
      HasSubstr("normaliser of model lstm"));
  EXPECT_THAT(
      evidence(verdict({"protocol.leaks=[\"speaker_statistics\"]"}, "own"), "nothing_fitted_on_test_actors"),
      HasSubstr("each actor's own mean and deviation"));
  EXPECT_THAT(
      evidence(verdict({"protocol.leaks=[\"test_selection\"]"}, "test"), "chosen_by_the_validation_side"),
      HasSubstr("on the test side"));
  EXPECT_THAT(evidence(verdict({"protocol.leaks=[\"copies_before_split\"]",
                                "augment={\"copies\": 1, \"effects\": [{\"type\": \"gain\"}]}"},
                               "copies"),
                       "trained_on_the_training_side"),
              HasSubstr("which is not on the training side"));
}

TEST_F(ProtocolTest, WhatDoesNotGoTogetherIsSaidBeforeAnythingRuns) {
  EXPECT_THAT(error_of({"folds.scheme=\"stratified_random\""}),
              AllOf(HasSubstr("folds"), HasSubstr("name \"shared_actors\" in protocol.leaks")));
  EXPECT_THAT(error_of({"folds.validation_share=0.2"}), HasSubstr("name \"shared_validation_actors\""));
  EXPECT_THAT(error_of({"folds.inner_folds=2", "protocol.leaks=[\"test_selection\"]"}),
              HasSubstr("inner_folds"));
  EXPECT_THAT(error_of({"protocol.leaks=[\"copies_before_split\"]"}), HasSubstr("augment makes no copies"));
  EXPECT_THAT(error_of({"protocol.leaks=[\"speaker_statistics\"]",
                        "augment={\"copies\": 1, \"effects\": [{\"type\": \"gain\"}]}"}),
              HasSubstr("speaker_statistics"));
  EXPECT_THAT(error_of({"folds.inner_folds=2", "train.schedule={\"type\": \"plateau\"}"}),
              HasSubstr("nobody validates a fold's own model"));
  EXPECT_THAT(
      error_of(
          {"folds={\"groups\": [{\"test\": [\"ravdess/01\"], \"train\": [\"ravdess/02\", \"ravdess/03\"]}], "
           "\"validation_actors\": 0}"}),
      HasSubstr("folds: nobody validates"));
  EXPECT_THAT(
      error_of({"folds={\"groups\": [{\"test\": [\"ravdess/01\"], \"train\": [\"ravdess/02\"], "
                "\"validation\": [\"ravdess/03\"]}, "
                "{\"test\": [\"ravdess/02\"], \"train\": [\"ravdess/01\"]}], \"validation_actors\": 0}"}),
      HasSubstr("nobody validates in fold 2"));
  // Of recordings dealt at random, only a share can validate.
  EXPECT_THAT(error_of({"folds={\"scheme\": \"stratified_random\", \"count\": 3}",
                        "protocol.leaks=[\"shared_actors\", \"shared_audio\"]"}),
              AllOf(HasSubstr("folds: nobody validates"), HasSubstr("set folds.validation_share, or select"),
                    Not(HasSubstr("validation_actors"))));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "bad/models"));
}

}  // namespace
}  // namespace serval::experiment
