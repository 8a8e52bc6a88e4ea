// Fusion of finished runs: the scores are those of a run that fused its own models, and what does not go together is refused.
#include "serval/experiment/fuse_runs.h"

#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "serval/core/error.h"
#include "serval/core/files.h"
#include "serval/core/log.h"
#include "serval/experiment/resolve.h"
#include "serval/report/comparison.h"

#include "tests/support/tone_corpus.h"

namespace serval::experiment {
namespace {

namespace fs = std::filesystem;
using corpus::TempFolder;
using testing::AllOf;
using testing::HasSubstr;

constexpr const char* kNet = R"("net": {"input": {"features": "logmel"}, "network": {"layers": [
    {"type": "lstm", "hidden": 5}, {"type": "mean_pool"}, {"type": "dense"}]}})";
constexpr const char* kNear = R"("near": {"input": {"features": "vector"},
    "learner": {"type": "nearest_neighbours", "neighbours": 3}})";

class FuseRunsTest : public testing::Test {
 protected:
  void SetUp() override {
    set_quiet(true);
    testing_support::make_tone_corpus(folder_ / "corpus");
    run("net", kNet);
    run("near", kNear);
  }
  void run(const std::string& out, const std::string& models,
           const std::vector<std::string>& overrides = {}) const {
    const std::string text =
        R"({"name": ")" + out + R"(", "corpora": [{"use": "ravdess", "path": ")" + (folder_ / "corpus") +
        R"("}], "audio": {"sample_rate_hz": 8000}, "features": {
        "logmel": {"type": "log_mel", "n_mels": 12, "n_fft": 256, "hop_ms": 16},
        "vector": {"type": "log_mel", "n_mels": 12, "n_fft": 256, "hop_ms": 16, "statistics": ["mean"]}},
      "folds": {"count": 3, "validation_actors": 1}, "models": {)" +
        models +
        R"(}, "train": {"optimizer": {"learning_rate": 0.03}, "batch_size": 8, "epochs": 4},
      "seeds": [1, 2], "store": ")" +
        (folder_ / "stores") + "\"}";
    run_experiment(load_experiment(folder_.write(out + ".json", text), overrides),
                   {Device{}, 2, folder_ / out});
  }
  FuseRuns both(FusionRule rule, FusedSeeds seeds = FusedSeeds::kEach,
                const std::string& out = "fused") const {
    return {{{folder_ / "net", ""}, {folder_ / "near", ""}}, rule, seeds, folder_ / out, ""};
  }
  template <class E>
  std::string error_of(const FuseRuns& what) const {
    return corpus::message_of<E>([&] { fuse_runs(what); });
  }
  // The lines of predictions.csv that are of the fusion.
  std::vector<std::string> fusion_of(const std::string& out) const {
    std::vector<std::string> lines;
    std::string line;
    for (const char c : read_text(folder_ / (out + "/predictions.csv"))) {
      line += c;
      if (c != '\n') continue;
      if (line.find(",fusion,") != std::string::npos) lines.push_back(line);
      line.clear();
    }
    return lines;
  }
  TempFolder folder_;
};

TEST_F(FuseRunsTest, GivesTheBitsOfARunThatFusesItsOwnModels) {
  const std::pair<FusionRule, FusedSeeds> ways[] = {{FusionRule::kMean, FusedSeeds::kEach},
                                                    {FusionRule::kLogitAverage, FusedSeeds::kTogether},
                                                    {FusionRule::kWeighted, FusedSeeds::kEach},
                                                    {FusionRule::kStacking, FusedSeeds::kTogether},
                                                    {FusionRule::kBest, FusedSeeds::kEach}};
  for (const auto& [rule, seeds] : ways) {
    const std::string name = cat(to_string(rule), "-", to_string(seeds));
    SCOPED_TRACE(name);
    run("own-" + name, std::string(kNet) + ", " + kNear,
        {cat(R"(fusion={"rule": ")", to_string(rule), R"(", "seeds": ")", to_string(seeds), "\"}")});
    fuse_runs(both(rule, seeds, "apart-" + name));
    EXPECT_EQ(fusion_of("apart-" + name), fusion_of("own-" + name));
    EXPECT_EQ(fusion_of("own-" + name).size(), seeds == FusedSeeds::kEach ? 96u : 48u);
    const FinishedRun own = read_finished_run(folder_ / ("own-" + name));
    const FinishedRun apart = read_finished_run(folder_ / ("apart-" + name));
    EXPECT_EQ(apart.report.models[0].parameters, own.report.models[0].parameters);
    ASSERT_EQ(apart.report.fusion->folds.size(), own.report.fusion->folds.size());
    for (std::size_t i = 0; i < own.report.fusion->folds.size(); ++i)
      EXPECT_EQ(apart.report.fusion->folds[i].weights, own.report.fusion->folds[i].weights);
    // Both are runs like any other.
    EXPECT_EQ(
        report::why_unpaired({&own.report, own.report.models.data(), own.folder, &own.contents},
                             {&apart.report, apart.report.models.data(), apart.folder, &apart.contents}),
        "");
  }
}

TEST_F(FuseRunsTest, TheFusedRunSaysWhatItIsMadeOf) {
  const RunOutcome outcome = fuse_runs(both(FusionRule::kWeighted));
  EXPECT_THAT(outcome.results_text, HasSubstr("net.net, near.near"));
  FinishedRun fused = read_finished_run(folder_ / "fused");
  EXPECT_EQ(fused.report.name, "fused");
  ASSERT_EQ(fused.report.models.size(), 3u);
  EXPECT_EQ(fused.report.models[1].name, "net.net");
  EXPECT_EQ(fused.report.configurations, 2);
  EXPECT_STREQ(fused.report.audit.verdict(), "passed");
  std::size_t fitted = 0;
  for (const audit::Statistic& statistic : fused.report.audit.statistics) {
    if (statistic.name.rfind("fusion, fold", 0) != 0) continue;
    ++fitted;
    EXPECT_EQ(statistic.fitted_on_actors.size(), 1u);
  }
  EXPECT_EQ(fitted, 6u);
  EXPECT_THAT(read_text(folder_ / "fused/audit.json"), HasSubstr("fusion_never_saw_test_actors"));
  EXPECT_THAT(read_text(folder_ / "fused/experiment.json"),
              AllOf(HasSubstr("fused_runs"), HasSubstr(folder_ / "near")));
  read_curves(fused);
  EXPECT_TRUE(report::results_html(fused.report) == read_text(folder_ / "fused/report.html"));
  // A fusion can be fused again, by rules that need no validation.
  FuseRuns again = both(FusionRule::kMean, FusedSeeds::kEach, "again");
  again.members = {{folder_ / "fused", ""}, {folder_ / "net", ""}};
  EXPECT_EQ(read_finished_run(fuse_runs(again).folder).report.models.size(), 3u);
  again.rule = FusionRule::kBest;
  again.folder = folder_ / "fitted";
  EXPECT_THAT(error_of<DataError>(again), HasSubstr("no validation scores of model fusion"));
  EXPECT_FALSE(fs::exists(folder_ / "fitted"));
}

TEST_F(FuseRunsTest, SeedsTogetherMayDiffer) {
  run("one", kNear, {"seeds=[7]"});
  FuseRuns what = both(FusionRule::kMean);
  what.members = {{folder_ / "net", ""}, {folder_ / "one", ""}};
  EXPECT_THAT(error_of<ConfigError>(what), AllOf(HasSubstr("the seeds 1, 2"), HasSubstr("--seeds together")));
  what.seeds = FusedSeeds::kTogether;
  fuse_runs(what);
  const FinishedRun fused = read_finished_run(folder_ / "fused");
  EXPECT_EQ(fused.report.models[0].predictions.size(), 48u);
  EXPECT_EQ(fused.report.models[0].predictions[0].seed, 0u);
}

TEST_F(FuseRunsTest, ALeakOfOneIsTheLeakOfAll) {
  run("leaking", kNear,
      {R"(protocol={"leaks": ["shared_validation_actors", "shared_audio"]})",
       R"(folds={"count": 3, "validation_actors": 0, "validation_share": 0.2})"});
  FuseRuns what = both(FusionRule::kMean);
  what.members = {{folder_ / "net", ""}, {folder_ / "leaking", ""}};
  fuse_runs(what);
  const FinishedRun fused = read_finished_run(folder_ / "fused");
  EXPECT_STREQ(fused.report.audit.verdict(), "leaks");
  EXPECT_EQ(fused.report.leaks, (std::vector<std::string>{"shared_validation_actors", "shared_audio"}));
  EXPECT_FALSE(fused.report.stamps.empty());
  what.rule = FusionRule::kWeighted;
  what.folder = folder_ / "fitted";
  EXPECT_THAT(error_of<DataError>(what), HasSubstr("validated other recordings in fold 1"));
}

TEST_F(FuseRunsTest, WhatDoesNotGoTogetherIsRefused) {
  const std::string net = folder_ / "net";
  const auto fusing = [&](std::vector<RunName> members) {
    FuseRuns what = both(FusionRule::kMean);
    what.members = std::move(members);
    return what;
  };
  EXPECT_THAT(error_of<ConfigError>(fusing({{net, ""}})), HasSubstr("needs two models"));
  EXPECT_THAT(error_of<ConfigError>(fusing({{net, ""}, {net, "net"}})),
              HasSubstr("model net is named twice"));
  EXPECT_THAT(error_of<ConfigError>(fusing({{net, ""}, {net, "lstm"}})),
              HasSubstr("there is no model \"lstm\""));
  EXPECT_THAT(error_of<DataError>(fusing({{net, ""}, {folder_ / "corpus", ""}})),
              HasSubstr("no run's directory"));
  run("halves", kNear, {"folds.count=2"});
  EXPECT_THAT(error_of<DataError>(fusing({{net, ""}, {folder_ / "halves", ""}})),
              AllOf(HasSubstr("cannot be fused"), HasSubstr("is tested in fold")));
  run("fewer", kNear,
      {R"(corpora=[{"use": "ravdess", "path": ")" + (folder_ / "corpus") +
       R"(", "actors": ["01", "02", "03"]}])"});
  EXPECT_THAT(error_of<DataError>(fusing({{net, ""}, {folder_ / "fewer", ""}})), HasSubstr("alone"));
  FuseRuns taken = both(FusionRule::kMean);
  taken.folder = folder_ / "corpus";
  EXPECT_THAT(error_of<ConfigError>(taken), HasSubstr("is not empty"));
  taken.folder = "";
  EXPECT_THAT(error_of<ConfigError>(taken), HasSubstr("--out DIR"));
  folder_.write("near/validation_predictions.csv", "recording\n");
  EXPECT_THAT(error_of<DataError>(both(FusionRule::kBest)), HasSubstr("validation_predictions.csv:1"));
  EXPECT_FALSE(fs::exists(folder_ / "fused"));
}

TEST_F(FuseRunsTest, AClassThatStackingCannotLearnIsNamed) {
  // Actor 4 validates in fold 1.
  for (int repetition = 0; repetition < 2; ++repetition)
    fs::remove(folder_ / ("corpus/" + testing_support::tone_name(4, repetition, 4) + ".wav"));
  FuseRuns what = both(FusionRule::kStacking);
  for (auto& [folder, model] : what.members) folder += "_few";
  run("net_few", kNet);
  run("near_few", kNear);
  EXPECT_THAT(error_of<DataError>(what), HasSubstr("stacking: fold 1 has no validation recording of: sad"));
}

}  // namespace
}  // namespace serval::experiment
