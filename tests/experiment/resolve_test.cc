#include "serval/experiment/resolve.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "serval/core/error.h"
#include "serval/core/settings_io.h"

#include "tests/support/tone_corpus.h"

namespace serval::experiment {
namespace {

using corpus::TempFolder;
using testing::AllOf;
using testing::HasSubstr;
using testing_support::tone_experiment;

std::string error_of(const std::string& path, const std::vector<std::string>& overrides = {}) {
  try {
    load_experiment(path, overrides);
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "";
}

class ResolveTest : public testing::Test {
 protected:
  std::string write(const std::string& name, const std::string& text) const {
    return folder_.write(name, text);
  }
  TempFolder folder_;
};

TEST_F(ResolveTest, TheResolvedFileResolvesToItself) {
  const std::string path = write("x.json", tone_experiment("/c", "/s"));
  const std::string resolved = write_json(resolved_json(load_experiment(path, {})));
  EXPECT_THAT(resolved, HasSubstr("\"beta2\": 0.999"));
  const std::string again = write("y.json", resolved);
  EXPECT_EQ(write_json(resolved_json(load_experiment(again, {}))), resolved);
}

TEST_F(ResolveTest, AChildFileMergesOverItsParents) {
  write("base.json", tone_experiment("/c", "/s"));
  write("middle.json", R"({"extends": "base.json", "train": {"epochs": 7, "optimizer": {"beta1": 0.5}}})");
  const std::string path =
      write("x.json",
            R"({"extends": "middle.json", "name": "child", "seeds": [9], "train": {"batch_size": null}})");
  const ExperimentSettings settings = load_experiment(path, {});
  EXPECT_EQ(settings.name, "child");
  EXPECT_EQ(settings.train.epochs, 7);                                      // from the middle
  EXPECT_EQ(settings.train.optimizer.beta1, 0.5);                           // merged deeply
  EXPECT_EQ(settings.train.optimizer.learning_rate, 0.03);                  // from the base
  EXPECT_EQ(settings.train.batch_size, train::TrainSettings{}.batch_size);  // null removes the base's 8
  EXPECT_EQ(settings.seeds, std::vector<std::int64_t>{9});                  // lists are replaced
}

TEST_F(ResolveTest, ParentsThatGoInACircleAreRefused) {
  write("a.json", R"({"extends": "b.json"})");
  const std::string path = write("b.json", R"({"extends": "a.json"})");
  EXPECT_THAT(error_of(path), HasSubstr("does a file extend itself?"));
}

TEST_F(ResolveTest, AFileMayHaveSeveralParents) {
  write("base.json", tone_experiment("/c", "/s"));
  write("short.json", R"({"train": {"epochs": 2, "batch_size": 4}, "seeds": [5]})");
  const std::string path =
      write("x.json", R"({"extends": ["base.json", "short.json"], "train": {"batch_size": 6}})");
  const ExperimentSettings settings = load_experiment(path, {});
  EXPECT_EQ(settings.train.optimizer.learning_rate, 0.03);  // from the first
  EXPECT_EQ(settings.train.epochs, 2);                      // the second over it
  EXPECT_EQ(settings.train.batch_size, 6);                  // the file over both
  EXPECT_EQ(settings.seeds, std::vector<std::int64_t>{5});
  EXPECT_THAT(error_of(write("y.json", R"({"extends": ["base.json", 1]})")),
              HasSubstr("extends: must be a path in quotes or a list of them"));
}

TEST_F(ResolveTest, TheQuickSizeIsLaidOverTheWholeAndLeftOutOtherwise) {
  write("base.json", tone_experiment("/c", "/s"));
  write("small.json", R"({"quick": {"seeds": [3], "train": {"epochs": 1, "batch_size": 2}}})");
  const std::string path = write("x.json", R"({"extends": ["base.json", "small.json"], "name": "x",
      "train": {"epochs": 9, "clip_norm": 2}, "quick": {"train": {"batch_size": 3, "clip_norm": null}}})");
  const ExperimentSettings full = load_experiment(path, {});
  EXPECT_EQ(full.name, "x");
  EXPECT_EQ(full.train.epochs, 9);
  EXPECT_EQ(full.train.clip_norm, 2);
  const ExperimentSettings quick = load_experiment(path, {"train.patience=7"}, ExperimentSize::kQuick);
  EXPECT_EQ(quick.name, "x-quick");
  EXPECT_EQ(quick.train.epochs, 1);      // a parent's patch over the file's own value
  EXPECT_EQ(quick.train.batch_size, 3);  // the file's patch over the parent's
  EXPECT_EQ(quick.train.clip_norm, train::TrainSettings{}.clip_norm);  // null removes what the file has
  EXPECT_EQ(quick.seeds, std::vector<std::int64_t>{3});
  EXPECT_EQ(quick.train.patience, 7);  // overrides come last
}

TEST_F(ResolveTest, AQuickSizeMayChangePartsOfANetworkFile) {
  write("base.json", tone_experiment("/c", "/s"));
  write("net.json", R"({"inputs": {"x": {"kind": "vector", "shape": 40}}, "layers": [{"type": "dense"}]})");
  const std::string path =
      write("x.json", R"({"extends": "base.json", "models": {"lstm": {"network": "net.json"}},
      "quick": {"models": {"lstm": {"network": {"inputs": {"x": {"shape": 20}}}}}}})");
  const auto shape = [&](ExperimentSize size) {
    return load_experiment(path, {}, size).models.front().second.network->inputs.front().second.shape;
  };
  EXPECT_EQ(shape(ExperimentSize::kFull), (std::vector<std::int64_t>{40}));
  EXPECT_EQ(shape(ExperimentSize::kQuick), (std::vector<std::int64_t>{20}));
}

TEST_F(ResolveTest, AQuickSizeMustBeThereAndBeAnObject) {
  const std::string path = write("x.json", tone_experiment("/c", "/s"));
  try {
    load_experiment(path, {}, ExperimentSize::kQuick);
    FAIL();
  } catch (const ConfigError& error) {
    EXPECT_THAT(error.what(), HasSubstr("has no \"quick\""));
  }
  EXPECT_THAT(error_of(write("y.json", R"({"extends": "x.json", "quick": 1})")),
              HasSubstr("quick: must be an object"));
}

TEST_F(ResolveTest, ANetworkFileStandsBesideTheExperiment) {
  write("net.json", R"({"layers": [{"type": "mean_pool"}, {"type": "dense"}]})");
  const std::string path = write("x.json", tone_experiment("/c", "/s"));
  const ExperimentSettings settings =
      load_experiment(path, {"models.lstm.network=" + (folder_ / "net.json")});
  EXPECT_EQ(settings.models.front().second.network->layers.size(), 2u);
  EXPECT_THAT(error_of(path, {"models.lstm.network=none.json"}), HasSubstr("none.json: cannot be read"));
}

TEST_F(ResolveTest, OverridesReachIntoObjectsAndLists) {
  const std::string path = write("x.json", tone_experiment("/c", "/s"));
  const ExperimentSettings settings =
      load_experiment(path, {"train.epochs=3", "models.lstm.network.layers.0.hidden=5", "labels=six",
                             "audio.trim_db=null", "seeds=[4, 5]"});
  EXPECT_EQ(settings.train.epochs, 3);
  nn::NetworkSettings network = *settings.models.front().second.network;
  EXPECT_EQ(settings_to_json(network).find("layers")->items.front().find("hidden")->integer, 5);
  EXPECT_EQ(settings.seeds, (std::vector<std::int64_t>{4, 5}));
}

TEST_F(ResolveTest, BadOverridesSayWhatIsWrong) {
  const std::string path = write("x.json", tone_experiment("/c", "/s"));
  EXPECT_THAT(error_of(path, {"train.epochs"}), HasSubstr("must look like key.path=value"));
  EXPECT_THAT(error_of(path, {"train.epochs=[1"}), HasSubstr("--set train.epochs"));
  EXPECT_THAT(error_of(path, {"train.epochs=many"}),
              HasSubstr("--set train.epochs: train.epochs: must be an integer"));
  EXPECT_THAT(error_of(path, {"seeds.7=1"}), HasSubstr("\"7\" is not one of the 2 items"));
  EXPECT_THAT(error_of(path, {"name.x=1"}), HasSubstr("nothing can be set inside text"));
  EXPECT_THAT(error_of(path, {"train.epoch=1"}), HasSubstr("did you mean \"epochs\"?"));
}

TEST_F(ResolveTest, StatisticsCannotBeCutIntoSegments) {
  const std::string path = write("x.json", tone_experiment("/c", "/s"));
  EXPECT_THAT(
      error_of(path, {R"(features.logmel.statistics=["mean"])", "models.lstm.input.segment_frames=8"}),
      HasSubstr("lstm.input.segment_frames: \"logmel\" has statistics, one row a recording"));
}

struct BadExperiment {
  const char* name;
  std::string change;  // an override that breaks a good experiment
  std::string message;
};
class BadExperimentTest : public ResolveTest, public testing::WithParamInterface<BadExperiment> {};

TEST_P(BadExperimentTest, IsRefusedWithItsPath) {
  const std::string path = write("x.json", tone_experiment("/c", "/s"));
  EXPECT_THAT(error_of(path, {GetParam().change}),
              AllOf(HasSubstr(GetParam().message), HasSubstr("nothing was run")));
}

INSTANTIATE_TEST_SUITE_P(
    All, BadExperimentTest,
    testing::Values(
        BadExperiment{"EmptyName", "name=\"\"", "name: must not be empty"},
        BadExperiment{"NameWithASlash", "name=a/b", "name: may hold letters"},
        BadExperiment{"NoCorpus", "corpora=[]", "corpora: at least one corpus is needed"},
        BadExperiment{"NoModel", "models={}", "models: at least one model is needed"},
        BadExperiment{"UnknownFeatureSet", "models.lstm.input.features=mfcc",
                      "\"mfcc\" is not one of {logmel}"},
        BadExperiment{
            "ShiftWithoutSegments", "models.lstm.input.shift_frames=30",
            "models.lstm.input.shift_frames: says where segments start, so it needs segment_frames"},
        BadExperiment{"EmptySegments", "models.lstm.input.segment_frames=0",
                      "models.lstm.input.segment_frames: 0 is out of range [1, 65536]"},
        BadExperiment{
            "ShiftBeyondTheSegment",
            "models.lstm.input={\"features\": \"logmel\", \"segment_frames\": 8, \"shift_frames\": 9}",
            "models.lstm.input.shift_frames: 9 is more than the segment's 8 frames"},
        BadExperiment{"NoSeed", "seeds=[]", "seeds: at least one seed is needed"},
        BadExperiment{"SeedTwice", "seeds=[1, 1]", "seeds: a seed is named twice"},
        BadExperiment{"NegativeSeed", "seeds=[-1]", "seeds[0]: -1 is out of range"},
        BadExperiment{"ZeroBatch", "train.batch_size=0", "train.batch_size: 0 is out of range [1, 4096]"},
        BadExperiment{"HugeNumber", "features.logmel.n_fft=1000000000",
                      "features.logmel.n_fft: 1000000000 is out of range"},
        BadExperiment{"FractionOfAnEpoch", "train.epochs=1.5",
                      "train.epochs: must be an integer, not number"},
        BadExperiment{"UnknownLabels", "labels=nine", "\"nine\" is not one of {"},
        BadExperiment{"UnknownPreset", "folds.preset=ravdess_7", "folds.preset"},
        BadExperiment{
            "NoValidationToChooseBy", "folds.validation_actors=0",
            "nobody validates, and train.select is \"best_validation\"; set folds.validation_actors"},
        BadExperiment{"UnknownLayer", "models.lstm.network.layers.0.type=lstn", "did you mean \"lstm\"?"},
        BadExperiment{"NoLastDense", "models.lstm.network.layers=[{\"type\": \"mean_pool\"}]",
                      "models.lstm.network"},
        BadExperiment{"NoPool", "models.lstm.network.layers=[{\"type\": \"lstm\"}, {\"type\": \"dense\"}]",
                      "models.lstm.network"},
        BadExperiment{"AboveNyquist", "features.logmel.f_max_hz=-3", "features.logmel.f_max_hz"}),
    [](const auto& test) { return std::string(test.param.name); });

TEST_F(ResolveTest, AllErrorsComeTogether) {
  const std::string path = write("x.json", tone_experiment("/c", "/s"));
  const std::string message = error_of(path, {"train.epoch=1", "seeds=[]", "features.logmel.n_mel=3"});
  EXPECT_THAT(message, AllOf(HasSubstr("train.epoch: unknown key"), HasSubstr("at least one seed"),
                             HasSubstr("did you mean \"n_mels\"?"), HasSubstr("3 errors; nothing was run")));
}

TEST(ExperimentSchema, DeclaresEverySettingAndItsRange) {
  const std::string schema = write_json(experiment_schema());
  for (const char* text : {"\"learning_rate\"", "\"n_mels\"", "\"validation_actors\"", "\"anyOf\"",
                           "\"additionalProperties\": false", "[dB]", "\"extends\"", "\"quick\""}) {
    EXPECT_THAT(schema, HasSubstr(text));
  }
}

TEST_F(ResolveTest, SizesOfASummaryComeFromTheFileOrTheCommandLine) {
  const nn::NetworkSettings settings = load_network(write("n.json", R"({
      "inputs": {"mel": {"kind": "image"}, "mfcc": {"shape": 39}}, "classes": 4,
      "layers": [{"type": "mean_pool", "input": "mfcc"}, {"type": "dense"}]})"));
  const nn::NetworkSizes sizes = summary_sizes(settings, {"mel=1,128,230"}, 0);
  EXPECT_EQ(sizes.inputs[0].item, (Shape{1, 128, 230}));
  EXPECT_EQ(sizes.inputs[1].item, (Shape{39}));
  EXPECT_EQ(sizes.classes, 4);
  const auto message = [&](const std::vector<std::string>& inputs, std::int64_t classes = 0) -> std::string {
    try {
      summary_sizes(settings, inputs, classes);
      return "no error";
    } catch (const ConfigError& error) {
      return error.what();
    }
  };
  EXPECT_THAT(message({}), AllOf(HasSubstr("inputs.mel is an image"), HasSubstr("--input mel=")));
  EXPECT_THAT(message({"mel=1,128,230", "mfcc=40"}), AllOf(HasSubstr("--input mfcc=40"), HasSubstr("[39]")));
  EXPECT_THAT(message({"mell=1,2,3"}), AllOf(HasSubstr("no input \"mell\""), HasSubstr("{mel, mfcc}")));
  EXPECT_THAT(message({"1,2,3"}), HasSubstr("which of {mel, mfcc}"));
  for (const char* shape : {"mel=", "mel=1,,2", "mel=1,2,", "mel=0,2,3", "mel=a", "mel=-1"}) {
    EXPECT_THAT(message({shape}), HasSubstr("is no shape")) << shape;
  }
  EXPECT_THAT(message({"mel=1,128,230"}, 5), AllOf(HasSubstr("--classes 5"), HasSubstr("file says 4")));
}

}  // namespace
}  // namespace serval::experiment
