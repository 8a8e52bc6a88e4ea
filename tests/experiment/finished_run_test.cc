#include "serval/experiment/finished_run.h"

#include <filesystem>

#include "tests/experiment/targets_fixture.h"

namespace serval::experiment {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;

class FinishedRunTest : public TargetsTest {
 protected:
  // A run whose network learns classes, numbers and genders.
  void SetUp() override {
    TargetsTest::SetUp();
    run("run", load(usual_targets(), cat("\"network\": {", kShared, "}, ", kHeads),
                    {R"(models.m.heads.emotion.target="classes")", "train.epochs=2",
                     R"(features.vector={"type": "log_mel", "n_mels": 3, "statistics": ["mean"]})"}));
  }
  void replace(const std::string& name, const std::string& from, const std::string& to) const {
    std::string content = file("run/" + name);
    const std::size_t at = content.find(from);
    ASSERT_NE(at, std::string::npos) << from;
    folder_.write("run/" + name, content.replace(at, from.size(), to));
  }
  std::string error() const {
    return message_of<DataError>([&] { read_finished_run(folder_ / "run"); });
  }
};

SERVAL_DEVICE_TESTS(FinishedRunTest);

TEST_P(FinishedRunTest, SaysAllThatTheRunSaid) {
  FinishedRun read = read_finished_run(folder_ / "run");
  read_curves(read);
  EXPECT_TRUE(report::results_html(read.report) == file("run/report.html"));
  EXPECT_EQ(report::results_text(read.report), file("run/results.txt"));
  EXPECT_TRUE(report::results_json(read.report) == file("run/results.json"));
  EXPECT_EQ(report::predictions_csv(read.report), file("run/predictions.csv"));
  EXPECT_EQ(report::groups_csv(read.report), file("run/groups.csv"));
  EXPECT_EQ(report::heads_csv(read.report), file("run/heads.csv"));
  EXPECT_EQ(report::head_predictions_csv(read.report), file("run/head_predictions.csv"));
  EXPECT_EQ(read.contents.size(), 48u);
  EXPECT_EQ(read.report.correlations.at(0).names.size(), 3u);
  EXPECT_EQ(read.report.peak_bytes.size(), read.report.seconds.size());
  EXPECT_EQ(read.report.fold_sizes.size(), 3u);
  EXPECT_EQ(read.report.fold_sizes[0].train, 24);
  EXPECT_EQ(read.report.fold_sizes[0].validation, 8);
  EXPECT_EQ(read.report.fold_sizes[0].test, 16);
}

TEST_P(FinishedRunTest, WhatIsNoFinishedRunIsNamed) {
  EXPECT_THAT(message_of<DataError>([&] { read_finished_run(folder_ / "none"); }),
              HasSubstr("there is no such folder"));
  EXPECT_THAT(message_of<DataError>([&] { read_finished_run(folder_ / "corpus"); }),
              HasSubstr("no run's directory"));
  const std::string results = file("run/results.json");
  fs::remove(folder_ / "run/results.json");
  EXPECT_THAT(error(), AllOf(HasSubstr("not finished"), HasSubstr("`serval run` continues it")));
  folder_.write("run/results.json", results.substr(0, results.size() / 2));
  EXPECT_THAT(error(), HasSubstr("results.json:"));
  folder_.write("run/results.json", results);
  replace("results.json", "\"configurations\": 1", "\"configurations\": \"1\"");
  EXPECT_THAT(error(), HasSubstr("configurations is text instead of integer"));
  replace("results.json", "\"configurations\": \"1\",", "");
  EXPECT_THAT(error(), AllOf(HasSubstr("results.json:1:1: \"configurations\" is missing")));
}

TEST_P(FinishedRunTest, AFileThatIsMissingOrCutShortIsNamed) {
  for (const std::string name : {"predictions.csv", "head_predictions.csv", "manifest.csv", "audit.json"}) {
    const std::string content = file("run/" + name);
    fs::remove(folder_ / ("run/" + name));
    EXPECT_THAT(error(), HasSubstr(name));
    folder_.write("run/" + name, content.substr(0, content.size() - 40));
    EXPECT_THAT(error(), HasSubstr(name));
    folder_.write("run/" + name, content);
  }
  // At the end of a line: only the number of lines can tell.
  const std::string predictions = file("run/predictions.csv");
  folder_.write("run/predictions.csv",
                predictions.substr(0, predictions.rfind('\n', predictions.size() - 2) + 1));
  EXPECT_THAT(error(), AllOf(HasSubstr("holds 15 predictions of model m in fold 3 with seed 2"),
                             HasSubstr("tells of 16"), HasSubstr("cut short")));
}

TEST_P(FinishedRunTest, LinesOfPredictionsAreChecked) {
  const std::string content = file("run/predictions.csv");
  const std::size_t line = content.find('\n') + 1;
  const std::string first = content.substr(line, content.find('\n', line) + 1 - line);
  struct Fault {
    std::string from, to, message;
  };
  for (const Fault& fault : std::vector<Fault>{
           {"ravdess/03", "ravdess/04", "is no recording of manifest.csv"},
           {",neutral,", ",bored,", "\"bored\" is no class of the run"},
           {",m,1,1,", ",n,1,1,", "\"n\" is no model of the run"},
           {",m,1,1,", ",m,0,1,", "\"0\" is no number from 1 to"},
           {",m,1,1,0", ",m,1,1,7", "is no number from 0 to 1"},
           {",ravdess/01,", ",ravdess/02,", "in manifest.csv"},
       }) {
    std::string changed = first;
    const std::size_t at = changed.find(fault.from);
    ASSERT_NE(at, std::string::npos) << fault.from;
    changed.replace(at, fault.from.size(), fault.to);
    folder_.write("run/predictions.csv",
                  content.substr(0, line) + changed + content.substr(line + first.size()));
    EXPECT_THAT(error(), AllOf(HasSubstr("predictions.csv:2: "), HasSubstr(fault.message)));
  }
  folder_.write("run/predictions.csv", content + first);
  EXPECT_THAT(error(), HasSubstr("stands there twice for fold 1, seed 1"));
  folder_.write("run/predictions.csv", "x" + content);
  EXPECT_THAT(error(), HasSubstr("predictions.csv:1: the columns are xrecording,"));
}

TEST_P(FinishedRunTest, PredictionsOfAnotherRunAreRefused) {
  // Two actors swap names everywhere but in results.json: every line is sound, the scores are not these.
  const FinishedRun read = read_finished_run(folder_ / "run");
  report::RunReport other = read.report;
  for (report::Prediction& p : other.models[0].predictions) {
    p.predicted = p.label;
    std::fill(p.probabilities.begin(), p.probabilities.end(), 0.0f);
    p.probabilities[static_cast<std::size_t>(p.label)] = 1;
  }
  folder_.write("run/predictions.csv", report::predictions_csv(other));
  EXPECT_THAT(error(), HasSubstr("the files are of different runs"));
}

TEST_P(FinishedRunTest, AFailedAuditIsNoRunToCompare) {
  replace("audit.json", "\"verdict\": \"passed\"", "\"verdict\": \"failed\"");
  const std::string content = file("run/audit.json");
  const std::size_t at = content.find("\"verdict\": \"passed\"");
  ASSERT_NE(at, std::string::npos);
  replace("audit.json", "\"verdict\": \"passed\"", "\"verdict\": \"failed\"");
  EXPECT_THAT(message_of<AuditError>([&] { read_finished_run(folder_ / "run"); }),
              HasSubstr("the leak audit failed"));
}

TEST_P(FinishedRunTest, ModelsAreChosenByName) {
  FinishedRun read = read_finished_run(folder_ / "run");
  EXPECT_EQ(chosen_model(read, "").name, "m");
  EXPECT_THAT(message_of<ConfigError>([&] { chosen_model(read, "n"); }), HasSubstr("no model \"n\""));
  report::ModelReport second = read.report.models[0];
  second.name = "n";
  read.report.models.push_back(second);
  EXPECT_THAT(message_of<ConfigError>([&] { chosen_model(read, ""); }),
              HasSubstr("has the models m, n; name one"));
  EXPECT_EQ(chosen_model(read, "n").name, "n");
  second.name = "fusion";
  read.report.models.push_back(second);
  EXPECT_EQ(chosen_model(read, "").name, "fusion");
}

TEST_P(FinishedRunTest, AFolderMayHaveAColon) {
  EXPECT_EQ(run_name("a/b:m").folder, "a/b");
  EXPECT_EQ(run_name("a/b:m").model, "m");
  EXPECT_EQ(run_name("a/b").model, "");
  EXPECT_EQ(run_name("./a/../a/b/").folder, "a/b");
  EXPECT_EQ(run_name("a/b/:m").folder, "a/b");
  fs::create_directories(folder_ / "c:d");
  EXPECT_EQ(run_name(folder_ / "c:d").model, "");
  EXPECT_EQ(run_name((folder_ / "c:d") + ":m").folder, folder_ / "c:d");
}

}  // namespace
}  // namespace serval::experiment
