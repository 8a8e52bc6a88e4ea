// Sweeps in this process: planning, running, what interrupts them, and what people do to their files.
#include "serval/experiment/sweep.h"

#include <chrono>
#include <filesystem>
#include <functional>
#include <future>
#include <set>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "serval/core/error.h"
#include "serval/core/files.h"
#include "serval/core/interrupt.h"
#include "serval/core/log.h"
#include "serval/experiment/resolve.h"
#include "serval/experiment/run.h"

#include "src/experiment/sweep/checked_line.h"
#include "src/experiment/sweep/claims.h"
#include "src/experiment/sweep/directory.h"
#include "src/experiment/sweep/trial_result.h"
#include "tests/support/stop_and_go.h"
#include "tests/support/tone_corpus.h"

namespace serval::experiment {
namespace {

namespace fs = std::filesystem;
using corpus::TempFolder;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kAxes = R"("axes": {
  "train.optimizer.learning_rate": {"values": [0.01, 0.03]},
  "models.lstm.network.layers.0.hidden": {"values": [4, 6]}})";

class SweepTest : public testing::Test {
 protected:
  void SetUp() override {
    set_quiet(true);
    testing_support::make_tone_corpus(folder_ / "corpus", {.actors = 4, .emotions = 3, .repetitions = 1});
    folder_.write("x.json", testing_support::tone_experiment(folder_ / "corpus", folder_ / "stores"));
  }
  void TearDown() override { request_interrupt(false); }

  // A sweep file; its trials train for an epoch unless the axes say otherwise.
  std::string sweep(const std::string& rest, const std::string& file = "s.json") const {
    return folder_.write(file, R"({"name": "s", "experiment": "x.json",
      "set": ["train.epochs=2", "seeds=[1]", "folds.count=2"], )" +
                                   rest + "}");
  }
  std::string begin(const std::string& rest, const std::string& out = "sweep") const {
    begin_sweep(load_sweep(sweep(rest)), folder_ / out);
    return folder_ / out;
  }
  static void work(const std::string& folder, bool wait = true) {
    work_on_sweep(folder, {Device{}, 1, 0, wait});
  }
  static std::string board(const std::string& folder) {
    collect_sweep(folder);
    return read_text(folder + "/leaderboard.json") + read_text(folder + "/leaderboard.csv") +
           read_text(folder + "/leaderboard.txt") + read_text(folder + "/selected.json");
  }
  static std::set<std::string> finished(const std::string& folder) {
    return SweepDirectory(folder).finished();
  }
  std::string refusal(const std::string& rest) const {
    try {
      load_sweep(sweep(rest));
    } catch (const ConfigError& error) {
      return error.what();
    }
    return "accepted";
  }

  TempFolder folder_;
};

TEST_F(SweepTest, RunsEveryPointOnceAndRanksThemByValidation) {
  const std::string folder = begin(kAxes);
  work(folder);
  EXPECT_EQ(finished(folder).size(), 4u);
  const JsonValue json = collect_sweep(folder).json;
  EXPECT_EQ(json.find("trials")->items.size(), 4u);
  double before = 1;
  for (const JsonValue& row : json.find("trials")->items) {
    const double uar = row.find("validation")->find("uar")->find("mean")->real;
    EXPECT_LE(uar, before);
    before = uar;
    EXPECT_EQ(row.find("test"), nullptr) << "test scores are those of the selected trial alone";
  }
  EXPECT_NE(json.find("selected")->find("test"), nullptr);
  EXPECT_NE(json.find("fold_by_fold"), nullptr);
  EXPECT_TRUE(fs::is_empty(folder + "/runs"));
}

// What the leaderboard says of the selected trial is what `serval run selected.json` gives.
TEST_F(SweepTest, TheSelectedExperimentRunsToTheScoresThatTheLeaderboardHas) {
  const std::string folder = begin(kAxes);
  work(folder);
  const JsonValue selected = *collect_sweep(folder).json.find("selected");
  const RunOutcome outcome =
      run_experiment(load_experiment(folder + "/selected.json", {}), {Device{}, 1, folder_ / "run"});
  const JsonValue results = parse_json(outcome.results_json, "results");
  EXPECT_EQ(json_number(results.find("summary")->find("uar")->find("mean")->real),
            json_number(selected.find("test")->find("uar")->find("mean")->real));
}

// Whoever validates a fold is tested in another one, with inner folds too, so the best of all trials knows test actors.
TEST_F(SweepTest, AChoiceByActorsWhoAreTestedIsStamped) {
  const auto text = [&](const std::string& rest, const std::string& out) {
    const std::string folder = begin(rest, out);
    work(folder);
    return collect_sweep(folder).text;
  };
  const std::string rate = R"("axes": {"train.optimizer.learning_rate": {"values": [0.01, 0.03]})";
  EXPECT_THAT(
      text(rate + "}", "plain"),
      HasSubstr("best of 2 by actors who validate one fold and are tested in another, so its test score "
                "is too good by a little; the score chosen fold by fold is not"));
  EXPECT_THAT(text(rate + R"(, "folds.inner_folds": {"values": [2]}})", "nested"),
              HasSubstr("too good by a little"));
  EXPECT_THAT(
      text(R"("axes": {"train.optimizer.learning_rate": {"low": 0.001, "high": 0.1}}, "strategy": "tpe",
                       "startup": 1, "batch": 1, "budget": {"trials": 2})",
           "adaptive"),
      HasSubstr("fold by fold is less so, but tpe made trials"));
  EXPECT_THAT(text(rate + R"(, "folds": {"values": [{"groups": [
                  {"test": ["ravdess/01"], "validation": ["ravdess/02"], "train": ["ravdess/03", "ravdess/04"]}]}]}})",
                   "fixed"),
              Not(HasSubstr("too good")));
}

TEST_F(SweepTest, TheSelectedExperimentSaysHowManyWereTried) {
  const std::string folder = begin(kAxes);
  work(folder);
  collect_sweep(folder);
  const ExperimentSettings selected = load_experiment(folder + "/selected.json", {});
  EXPECT_EQ(selected.tried, 4);
  const RunOutcome outcome = run_experiment(selected, {Device{}, 1, folder_ / "run"});
  EXPECT_EQ(parse_json(outcome.results_json, "results").find("configurations")->integer, 4);
  EXPECT_EQ(finished(begin(kAxes)).size(), 4u) << "the number makes no other trial";
}

TEST_F(SweepTest, TrialsOfChangedLabelsAreToldApart) {
  const std::string folder = begin(R"("axes": {"train.epochs": {"values": [1, 2]}})");
  work(folder);
  EXPECT_THAT(collect_sweep(folder).text, Not(HasSubstr("manifests")));
  const std::string path = folder + "/trials/" + *finished(folder).begin() + ".json";
  TrialResult changed = read_trial_result(path);
  changed.manifest = "another";
  write_atomically(path, write_trial_result(changed));
  EXPECT_THAT(collect_sweep(folder).text, HasSubstr("the trials are of 2 different manifests"));
}

TEST_F(SweepTest, ATrialUnderWayGoesOnUnderAnotherName) {
  const std::string folder = begin(kAxes);
  testing_support::stop_and_go(3, 1, [&] { work(folder); });
  std::string text = read_text(folder_ / "x.json");
  text.replace(text.find("\"name\": \""), 9, "\"name\": \"other_");
  folder_.write("x.json", text);
  begin(kAxes);
  work(folder);
  EXPECT_EQ(finished(folder).size(), 4u);
  EXPECT_EQ(sweep_status(folder).count(TrialState::kFailed), 0);
}

TEST_F(SweepTest, AnEnlargedFileRunsOnlyWhatIsNew) {
  const std::string folder = begin(kAxes);
  work(folder);
  const std::set<std::string> before = finished(folder);
  const auto written = fs::last_write_time(folder + "/trials/" + *before.begin() + ".json");
  begin(R"("axes": {"train.optimizer.learning_rate": {"values": [0.03, 0.02, 0.01]},
    "models.lstm.network.layers.0.hidden": {"values": [4, 6]}})");
  EXPECT_EQ(sweep_status(folder).count(TrialState::kWaiting), 2);
  work(folder);
  const std::set<std::string> after = finished(folder);
  EXPECT_EQ(after.size(), 6u);
  EXPECT_TRUE(std::includes(after.begin(), after.end(), before.begin(), before.end()));
  EXPECT_EQ(fs::last_write_time(folder + "/trials/" + *before.begin() + ".json"), written);
  // The smaller file again: the leaderboard has its trials alone.
  begin(kAxes);
  EXPECT_EQ(collect_sweep(folder).json.find("trials")->items.size(), 4u);
}

TEST_F(SweepTest, PointsThatMakeOneExperimentAreOneTrial) {
  const std::string folder = begin(R"("axes": {"store": {"values": ["one", "two"]},
    "train.optimizer.learning_rate": {"values": [0.01, 0.02]}})");
  EXPECT_EQ(SweepDirectory(folder).trials().size(), 2u) << "the folder of stores changes no result";
}

TEST_F(SweepTest, SettingsThatChangeNoResultMakeNoNewTrial) {
  const std::string folder = begin(kAxes);
  const std::vector<Trial> trials = SweepDirectory(folder).trials();
  folder_.write("x.json", testing_support::tone_experiment(folder_ / "corpus", folder_ / "other"));
  begin(kAxes);
  const std::vector<Trial> again = SweepDirectory(folder).trials();
  for (std::size_t i = 0; i < trials.size(); ++i) EXPECT_EQ(trials[i].id, again[i].id);
}

TEST_F(SweepTest, InterruptedAnywhereItEndsWithTheSameLeaderboard) {
  const std::string whole = begin(kAxes, "whole"), parts = begin(kAxes, "parts");
  work(whole);
  const int stops = testing_support::stop_and_go(15, 8, [&] { work(parts); });
  EXPECT_GT(stops, 0);
  EXPECT_EQ(board(parts), board(whole));
}

TEST_F(SweepTest, AdaptiveStrategiesPlanTheirBatchesFromValidationScores) {
  for (const char* strategy : {R"("strategy": "tpe", "startup": 3, "batch": 2, "budget": {"trials": 6})",
                               R"("strategy": "halving", "budget": {"trials": 4},
                                   "resource": {"path": "train.epochs", "low": 1, "high": 2, "factor": 2})"}) {
    const std::string rest =
        std::string(
            R"("axes": {"train.optimizer.learning_rate": {"low": 1e-3, "high": 0.1, "scale": "log"}}, )") +
        strategy;
    fs::remove_all(folder_ / "a");
    fs::remove_all(folder_ / "b");
    const std::string a = begin(rest, "a"), b = begin(rest, "b");
    work(a);
    EXPECT_EQ(finished(a).size(), 6u) << strategy;
    testing_support::stop_and_go(15, 8, [&] { work(b); });
    EXPECT_EQ(board(a), board(b)) << strategy;
  }
}

TEST_F(SweepTest, AFailedTrialStopsNoOtherAndCanBeRetried) {
  const std::string folder = begin(R"("axes": {"corpora.0.path": {"values": ["corpus", "absent"]}})");
  work(folder);
  const SweepStatus status = sweep_status(folder);
  EXPECT_EQ(status.count(TrialState::kFinished), 1);
  ASSERT_EQ(status.count(TrialState::kFailed), 1);
  EXPECT_THAT(status_text(status), AllOf(HasSubstr("absent"), HasSubstr("1 failed")));
  EXPECT_THAT(collect_sweep(folder).text, HasSubstr("failed: trial 2"));
  fs::create_directory_symlink(folder_ / "corpus", folder_ / "absent");
  EXPECT_EQ(retry_sweep(folder), 1);
  work(folder);
  EXPECT_EQ(sweep_status(folder).count(TrialState::kFinished), 2);
}

// Six trials of two common parts, which take turns in the plan.
TEST_F(SweepTest, PacksHaveTheScoresOfTrialsAlone) {
  const std::string axes = R"("keep": "runs", "axes": {
    "models.lstm.network.layers.0.hidden": {"values": [4, 6, 8]},
    "features.logmel.n_mels": {"values": [16, 20]}}, "pack": )";
  const std::string alone = begin(axes + "1", "alone"), packed = begin(axes + "3", "packed"),
                    parts = begin(axes + "2", "parts"), automatic = begin(axes + "\"auto\"", "auto");
  work(alone);
  work(packed);
  work(automatic);
  testing_support::stop_and_go(15, 8, [&] { work(parts); });
  for (const std::string& folder : {packed, parts, automatic}) EXPECT_EQ(board(folder), board(alone));
  int joined = 0;
  for (const Trial& trial : SweepDirectory(packed).trials()) {
    const std::string log = read_text(SweepDirectory(packed).run_folder(trial.id) + "/log.txt");
    if (log.find("together with") != std::string::npos) ++joined;
    const auto file = [&](const std::string& folder) {
      return SweepDirectory(folder).run_folder(trial.id) + "/predictions.csv";
    };
    EXPECT_EQ(read_text(file(packed)), read_text(file(alone)));
  }
  EXPECT_EQ(joined, 4) << "two packs of three";
}

TEST_F(SweepTest, ATrialThatFailsInAPackFailsAlone) {
  const std::string folder = begin(R"("pack": 3, "axes": {
    "models.lstm.network.layers.0.hidden": {"values": [4, 6, 8]},
    "models.lstm.initial_weights": {"values": [{"file": "absent.h5"}],
      "when": {"axis": "models.lstm.network.layers.0.hidden", "in": [6]}}})");
  work(folder);
  const SweepStatus status = sweep_status(folder);
  EXPECT_EQ(status.count(TrialState::kFinished), 2);
  ASSERT_EQ(status.count(TrialState::kFailed), 1);
  EXPECT_EQ(status.trials[1].state, TrialState::kFailed);
  EXPECT_THAT(status.trials[1].error, HasSubstr("absent.h5"));
}

TEST_F(SweepTest, ACancelledSweepRunsNothingUntilItIsRetried) {
  const std::string folder = begin(kAxes);
  cancel_sweep(folder);
  EXPECT_THROW(work(folder), InterruptedError);
  EXPECT_TRUE(sweep_status(folder).cancelled);
  EXPECT_EQ(finished(folder).size(), 0u);
  EXPECT_EQ(retry_sweep(folder), 0);
  work(folder);
  EXPECT_EQ(finished(folder).size(), 4u);
}

TEST_F(SweepTest, HoursThatAreSpentStartNoTrial) {
  const std::string folder = begin(std::string(kAxes) + R"(, "budget": {"hours": 1e-9})");
  work(folder);
  EXPECT_EQ(finished(folder).size(), 1u) << "the first one starts before anything is spent";
}

TEST_F(SweepTest, TrialsOfOthersAreLeftToThem) {
  const std::string folder = begin(kAxes);
  ClaimFolder claims = SweepDirectory(folder).claims();
  const auto claim = claims.take(SweepDirectory(folder).trials()[1].id);
  ASSERT_NE(claim, nullptr);
  work(folder, false);
  EXPECT_EQ(finished(folder).size(), 3u);
  EXPECT_EQ(sweep_status(folder).count(TrialState::kRunning), 1);
}

// A worker that was suspended for longer than a lease finds its trial in other hands.
TEST_F(SweepTest, AWorkerThatLosesATrialWorksOnOthers) {
  const std::string folder = begin(R"("lease_s": 1, "axes": {"train.epochs": {"values": [3000, 1]}})");
  const std::string claim = folder + "/claims/" + SweepDirectory(folder).trials()[0].id;
  auto worker = std::async(std::launch::async, [&] { work(folder, false); });
  while (!fs::exists(claim + ".1")) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  fs::copy_file(claim + ".1", claim + ".2");
  EXPECT_NO_THROW(worker.get());
  EXPECT_EQ(finished(folder), std::set<std::string>{SweepDirectory(folder).trials()[1].id});
  EXPECT_FALSE(interrupted());
}

TEST_F(SweepTest, EveryMistakeIsNamedAtOnceBeforeAnythingRuns) {
  const std::string text = refusal(R"("axes": {"train.batch_sise": {"values": [8]},
    "train.epochs": {"values": [3, 0, -1]},
    "train.optimizer.learning_rate": {"low": -1, "high": 0.1}},
    "strategy": "random", "budget": {"trials": 0})");
  EXPECT_THAT(
      text, AllOf(HasSubstr("s.json:2:"), HasSubstr("did you mean \"batch_size\"?"),
                  HasSubstr("train.epochs: 0 is out of range"), HasSubstr("train.epochs: -1 is out of range"),
                  HasSubstr("learning_rate: -1 is out of range"),
                  HasSubstr("budget.trials: 0 is out of range"), HasSubstr("6 errors; nothing was run")));
  EXPECT_FALSE(fs::exists(folder_ / "sweep"));
}

TEST_F(SweepTest, AnExperimentWithoutValidationIsRefused) {
  EXPECT_THAT(
      refusal(
          R"("axes": {"folds.validation_actors": {"values": [1, 0]}, "train.select": {"values": ["last"]}})"),
      HasSubstr("folds: nobody validates"));
  EXPECT_EQ(
      refusal(
          R"("axes": {"folds.validation_actors": {"values": [0]}, "folds.inner_folds": {"values": [2]}})"),
      "accepted");
}

TEST_F(SweepTest, RulesOfTheSweepFile) {
  EXPECT_THAT(refusal(R"("axes": {})"), HasSubstr("at least one axis"));
  EXPECT_THAT(refusal(R"("axes": {"train.epochs": {"low": 1, "high": 3}})"),
              HasSubstr("a grid needs values"));
  EXPECT_THAT(refusal(R"("axes": {"train.epochs": {"values": [1], "low": 1}})"), HasSubstr("and not both"));
  EXPECT_THAT(refusal(R"("axes": {"train.epochs": {"low": 3, "high": 1}}, "strategy": "random",
    "budget": {"trials": 2})"),
              HasSubstr("must be below high"));
  EXPECT_THAT(refusal(R"("axes": {"train.epochs": {"values": [1], "when": {"axis": "x", "in": [1]}}})"),
              HasSubstr("no axis before this one"));
  EXPECT_THAT(refusal(R"("axes": {"train.epochs": {"values": [1, 2]},
    "train.batch_size": {"values": [8], "when": {"axis": "train.epochs", "in": [7]}}})"),
              HasSubstr("never holds"));
  EXPECT_THAT(refusal(R"("axes": {"train.epochs": {"values": [1]}}, "strategy": "sobol")"),
              HasSubstr("trials or hours are needed"));
  EXPECT_THAT(refusal(R"("axes": {"train.epochs": {"values": [1]}}, "budget": {"hours": 0})"),
              HasSubstr("budget.hours: 0 is out of range"));
  EXPECT_THAT(refusal(R"("axes": {"train.epochs": {"values": [1]}}, "select": {"model": "gru"})"),
              HasSubstr("\"gru\" is not one of {lstm}"));
  EXPECT_THAT(refusal(R"("axes": {"train.epochs": {"values": [1]}}, "strategy": "gird")"),
              HasSubstr("did you mean \"grid\"?"));
}

TEST_F(SweepTest, AFolderOfOtherThingsOrOfAnotherVersionIsRefused) {
  folder_.write("other/notes.txt", "mine");
  EXPECT_THROW(begin(kAxes, "other"), ConfigError);
  EXPECT_THROW(sweep_status(folder_ / "other"), ConfigError);
  const std::string folder = begin(kAxes);
  const std::string path = folder + "/plan.jsonl";
  JsonValue plan = read_checked_file(path);
  for (auto& [key, value] : plan.members) {
    if (key == "serval_sweep") value = JsonValue::of(99);
  }
  write_atomically(path, checked_line(plan));
  for (const auto& attempt :
       std::vector<std::function<void()>>{[&] { begin(kAxes); }, [&] { work(folder); }}) {
    try {
      attempt();
      FAIL();
    } catch (const ConfigError& error) {
      EXPECT_THAT(error.what(), HasSubstr("version 99"));
    }
  }
}

TEST_F(SweepTest, FilesThatWereEditedOrCutAreNamed) {
  const std::string folder = begin(kAxes);
  work(folder);
  const std::string trial = folder + "/trials/" + *finished(folder).begin() + ".json";
  const std::string text = read_text(trial);
  std::string edited = text;
  edited.replace(edited.find("\"mean\":"), 7, "\"mean\":9");
  write_atomically(trial, edited);
  try {
    collect_sweep(folder);
    FAIL();
  } catch (const DataError& error) {
    EXPECT_THAT(error.what(), AllOf(HasSubstr(trial), HasSubstr("checksum differs")));
  }
  // As the message says: deleted, it is made again.
  const std::string before = (write_atomically(trial, text), board(folder));
  fs::remove(trial);
  work(folder);
  EXPECT_EQ(board(folder), before);

  const std::string batch = folder + "/batch-000.jsonl";
  const std::string whole = read_text(batch);
  for (const std::size_t size : {whole.size() - 1, whole.size() / 2, std::size_t{0}}) {
    write_atomically(batch, whole.substr(0, size));
    EXPECT_THROW(sweep_status(folder), DataError) << size;
  }
  // A line less, each of the others being sound.
  write_atomically(batch, whole.substr(0, whole.rfind('\n', whole.size() - 2) + 1));
  try {
    sweep_status(folder);
    FAIL();
  } catch (const DataError& error) {
    EXPECT_THAT(error.what(), HasSubstr("holds 3 trials instead of 4"));
  }
}

TEST_F(SweepTest, KeepsWholeRunsWhereAsked) {
  const std::string folder = begin(std::string(kAxes) + R"(, "keep": "runs")");
  work(folder);
  for (const std::string& id : finished(folder))
    EXPECT_TRUE(fs::exists(folder + "/runs/" + id + "/report.html"));
}

TEST_F(SweepTest, MixedProcessorsAreStamped) {
  const std::string folder = begin(kAxes);
  work(folder);
  EXPECT_THAT(board(folder), Not(HasSubstr("mixes devices")));
  const std::string path = folder + "/trials/" + *finished(folder).begin() + ".json";
  TrialResult result = read_trial_result(path);
  ASSERT_EQ(result.devices.size(), 1u) << "every trial says on what it was computed";
  result.devices = {"cpu (another one, avx2)"};
  write_atomically(path, write_trial_result(result));
  EXPECT_THAT(board(folder), AllOf(HasSubstr("mixes devices"), HasSubstr("another one")));
}

}  // namespace
}  // namespace serval::experiment
