// The program itself: messages, exit codes, interruption, and every bad input that a user can bring.
#include <cstdlib>
#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "serval/core/context.h"
#include "serval/core/files.h"
#include "serval/core/json.h"

#include "tests/cli/programs.h"
#include "tests/support/process.h"
#include "tests/support/tone_corpus.h"

namespace serval {
namespace {

namespace fs = std::filesystem;
using corpus::TempFolder;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing_support::make_tone_corpus;
using testing_support::Outcome;
using testing_support::ProcessOptions;
using testing_support::run_in;
using testing_support::run_process;
using testing_support::tone_experiment;
using testing_support::tone_name;

class CliTest : public testing::Test {
 protected:
  void SetUp() override {
    make_tone_corpus(corpus());
    folder_.write("x.json", tone_experiment(corpus(), folder_ / "stores"));
  }
  std::string corpus() const { return folder_ / "corpus"; }
  std::string recording(int emotion = 2, int repetition = 0, int actor = 1) const {
    return corpus() + "/" + tone_name(emotion, repetition, actor) + ".wav";
  }
  Outcome serval(const std::vector<std::string>& arguments, const ProcessOptions& options = {}) const {
    return run_in(folder_.str(), kProgram, arguments, options);
  }
  Outcome run(const std::vector<std::string>& more = {}, const ProcessOptions& options = {}) const {
    std::vector<std::string> arguments{"run", "x.json", "--device", "cpu", "--quiet"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return serval(arguments, options);
  }
  // The run fails with this code and a message that holds all of `parts`, and leaves no result.
  void expect_failure(const Outcome& outcome, int code, const std::vector<std::string>& parts) const {
    EXPECT_EQ(outcome.exit_code, code) << outcome.err;
    EXPECT_THAT(outcome.out, IsEmpty());
    for (const std::string& part : parts) EXPECT_THAT(outcome.err, HasSubstr(part));
    EXPECT_FALSE(fs::exists(folder_ / "runs/tones/results.json"));
  }

  TempFolder folder_;
};

TEST_F(CliTest, RunsPrintsATableAndSaysWhereTheReportIs) {
  const Outcome outcome = run();
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("UAR"), HasSubstr("pooled"), HasSubstr("runs/tones/report.html")));
  const Outcome again = serval({"run", "x.json", "--device", "cpu"});
  EXPECT_EQ(again.exit_code, 0);
  EXPECT_THAT(again.err, HasSubstr("already finished"));
  EXPECT_EQ(again.out, outcome.out);
}

TEST_F(CliTest, ASecondRunReadsTheStoreAndSaysSo) {
  const Outcome first = serval({"features", "x.json", "--device", "cpu"});
  const Outcome second = serval({"features", "x.json", "--device", "cpu"});
  EXPECT_THAT(first.err, AllOf(HasSubstr("recordings decoded into"), HasSubstr("values computed into")));
  EXPECT_THAT(second.err, AllOf(HasSubstr("recordings read from"), HasSubstr("values read from")));
  EXPECT_EQ(second.out, first.out);
}

TEST_F(CliTest, WithJsonStandardOutputIsOneDocument) {
  for (const std::vector<std::string>& command : std::vector<std::vector<std::string>>{
           {"run", "x.json", "--device", "cpu", "--json"},
           {"features", "x.json", "--device", "cpu", "--json"},
           {"corpus", "check", "corpus", "--json"},
           {"store", "ls", "stores", "--json"},
           {"store", "verify", "stores", "--json"},
           {"store", "prune", "stores", "--json"},
           {"info", "--ops", "--json"},
           {"bench", "features", "x.json", "--synthetic", "2", "--repeat", "1", "--device", "cpu", "--json"},
           {"schema"}}) {
    const Outcome outcome = serval(command);
    EXPECT_EQ(outcome.exit_code, 0) << command[0] << outcome.err;
    EXPECT_NO_THROW(parse_json(outcome.out, command[0]));
  }
}

TEST_F(CliTest, KilledAnywhereItContinuesToTheSameResults) {
  EXPECT_EQ(run({"--out", "whole"}).exit_code, 0);
  const char* asked = std::getenv("SERVAL_TEST_KILLS");
  const int kills = asked == nullptr ? 3 : std::atoi(asked);
  int killed = 0;
  for (int round = 0; round == 0 || (killed < kills && round < kills); ++round) {
    SCOPED_TRACE(cat("round ", round));
    const std::string parts = cat("parts", round);
    std::vector<std::string> arguments{"--out", parts, "--set", "train.checkpoint_every_s=0"};
    // Every second round is killed while it writes its stores, too.
    if (round % 2 == 1) arguments.insert(arguments.end(), {"--set", cat("store=\"stores", round, "\"")});
    for (int attempt = 0;; ++attempt) {
      ProcessOptions options;
      // Longer and longer, so that a slow machine gets to the end as well.
      options.kill_after_s = (0.02 + 0.013 * (attempt % 11) + 0.0017 * (round % 8)) * (1 + attempt / 22);
      options.kill_signal = attempt % 3 == 0 ? SIGTERM : SIGKILL;
      const Outcome outcome = run(arguments, options);
      if (outcome.exit_code == 0) break;
      ++killed;
      ASSERT_LT(attempt, 400) << outcome.err;
      if (outcome.exit_code < 0) {
        ASSERT_EQ(outcome.signal, options.kill_signal) << outcome.err;
      } else {
        ASSERT_EQ(outcome.exit_code, 5) << outcome.err;
        EXPECT_THAT(outcome.err, HasSubstr("run the same command again"));
      }
    }
    for (const char* file : {"predictions.csv", "results.csv", "audit.json", "manifest.csv", "results.txt"}) {
      EXPECT_EQ(read_text(folder_ / (parts + "/" + file)),
                read_text(folder_ / (std::string("whole/") + file)))
          << file;
    }
  }
  EXPECT_GE(killed, kills);
}

TEST_F(CliTest, AnOutputThatIsFullIsAFailure) {
  const Outcome outcome = run_process({"sh", "-c", std::string(kProgram) + " schema >/dev/full"});
  EXPECT_EQ(outcome.exit_code, 7);
  EXPECT_THAT(outcome.err, HasSubstr("standard output: cannot be written"));
}

TEST_F(CliTest, WhatTheFileSystemRefusesIsNamed) {
  fs::create_directories(folder_ / "loop");
  fs::create_symlink("experiment.json", folder_ / "loop/experiment.json");
  const Outcome outcome = run({"--out", "loop"});
  EXPECT_EQ(outcome.exit_code, 3) << outcome.err;
  EXPECT_THAT(outcome.err, HasSubstr("loop/experiment.json: Too many levels of symbolic links"));
}

TEST_F(CliTest, BadCommandLinesEndWithTwo) {
  EXPECT_EQ(serval({}).exit_code, 2);
  EXPECT_EQ(serval({"rnu"}).exit_code, 2);
  EXPECT_EQ(serval({"run"}).exit_code, 2);
  EXPECT_EQ(serval({"run", "x.json", "--threads", "-1"}).exit_code, 2);
  EXPECT_EQ(serval({"bench"}).exit_code, 2);
  EXPECT_EQ(serval({"bench", "features", "--repeat", "0"}).exit_code, 2);
  EXPECT_EQ(serval({"bench", "features", "--synthetic", "0"}).exit_code, 2);
  EXPECT_EQ(serval({"bench", "features", "--synthetic", "2", "--corpus", "corpus"}).exit_code, 2);
  EXPECT_EQ(serval({"bench", "features", "--set", "audio.sample_rate_hz=8000"}).exit_code, 2);
  EXPECT_EQ(serval({"bench", "features", "x.json", "--preset", "mfcc"}).exit_code, 2);
  expect_failure(serval({"bench", "features", "--preset", "mfc"}), 2, {"\"mfc\"", "log_mel_mfcc"});
  EXPECT_EQ(serval({"run", "none.json"}).exit_code, 2);
  for (const char* does : {"ls", "verify", "prune"})
    EXPECT_EQ(serval({"store", does, "nowhere"}).exit_code, 2) << does;
  EXPECT_EQ(run({"--device", "gpu"}).exit_code, 2);
  EXPECT_EQ(serval({"--version"}).exit_code, 0);
  EXPECT_THAT(serval({"--help"}).out, HasSubstr("exit codes"));
}

TEST_F(CliTest, MissingAndEmptyCorpusFolders) {
  fs::rename(corpus(), folder_ / "moved");
  expect_failure(run(), 2, {"corpus"});
  fs::create_directory(corpus());
  expect_failure(run(), 3, {corpus()});
}

TEST_F(CliTest, UnusableRecordingsAreNamed) {
  const std::string good = read_text(recording());
  struct Case {
    const char* name;
    std::string bytes;
  };
  std::string truncated = good.substr(0, good.size() / 2);
  for (const Case& bad : {Case{"truncated", truncated}, Case{"zero bytes", ""},
                          Case{"text", "Dear diary, ..."}, Case{"header alone", good.substr(0, 44)}}) {
    SCOPED_TRACE(bad.name);
    audio::put_bytes(recording(), bad.bytes);
    expect_failure(run(), 3, {recording()});
  }
  const auto write = [&](const std::vector<float>& samples, int format) {
    audio::write_sound(recording(), samples, 8000, format);
  };
  std::vector<float> nan(4000, 0.1f);
  nan[1234] = std::numeric_limits<float>::quiet_NaN();
  write(nan, SF_FORMAT_WAV | SF_FORMAT_FLOAT);
  expect_failure(run(), 3, {recording(), "finite"});
  write({0.5f}, audio::kWav16);
  expect_failure(run(), 3, {recording()});
  write(std::vector<float>(4000, 0.0f), audio::kWav16);
  expect_failure(run(), 3, {recording(), "silen"});
  // The same recording, but the experiment says what to do about it.
  const Outcome skipped = run({"--set", "audio.on_bad_recording=skip"});
  EXPECT_EQ(skipped.exit_code, 0) << skipped.err;
  EXPECT_THAT(skipped.err, HasSubstr(recording()));
  EXPECT_THAT(skipped.out, HasSubstr("1 unusable recordings were left out"));
}

TEST_F(CliTest, FeaturesOfOtherRecordings) {
  folder_.write("w2v.csv", "file,x,y\n/elsewhere/angry_1.wav,1,2\n/elsewhere/angry_2.wav,3,4\n");
  const std::vector<std::string> with = {"--set",
                                         "features.logmel={\"type\": \"external\", \"path\": \"w2v.csv\"}"};
  expect_failure(
      run(with), 3,
      {"features.logmel: ", "w2v.csv: has features of none of the 48 recordings",
       "ravdess/03-01-01-01-01-01-01", "and 38 more", "2 items are named like \"/elsewhere/angry_1.wav\""});
  folder_.write("w2v.csv", "file,x,y\n" + tone_name(1, 0, 1) + ",1,2,3\n");
  expect_failure(run(with), 3, {"w2v.csv:2: 4 fields, but the header names 3"});
  fs::remove(folder_ / "w2v.csv");
  expect_failure(run(with), 2, {"features.logmel.path: ", "w2v.csv: there is no such file"});
}

TEST_F(CliTest, AnUnknownEmotionCode) {
  fs::copy(recording(), corpus() + "/03-01-09-01-01-01-01.wav");
  expect_failure(run(), 3, {"03-01-09-01-01-01-01", "09"});
}

TEST_F(CliTest, FewerActorsThanFolds) { expect_failure(run({"--set", "folds.count=7"}), 2, {"6", "7"}); }

TEST_F(CliTest, ALabelThatAFoldCannotTrain) {
  // Only actors 1 and 2 are ever surprised; both are tested in fold 1.
  for (int actor : {1, 2}) audio::write_sound(recording(8, 0, actor), audio::tone(0.3, 500, 0.5, 8000), 8000);
  expect_failure(run(), 2, {"surprise", "fold 1"});
}

TEST_F(CliTest, BrokenExperimentFiles) {
  const std::string good = read_text(folder_ / "x.json");
  const auto broken = [&](const std::string& from, const std::string& to) {
    std::string text = good;
    text.replace(text.find(from), from.size(), to);
    folder_.write("x.json", text);
    return run();
  };
  expect_failure(broken("\"n_mels\"", "\"n_mel\""), 2,
                 {"x.json:5:55: features.logmel.n_mel: unknown key; did you mean \"n_mels\"?"});
  expect_failure(broken("\"epochs\": 12", "\"epochs\": 12, \"epochs\": 13"), 2, {"duplicate key \"epochs\""});
  expect_failure(broken("\"epochs\": 12", "\"epochs\": \"12\""), 2,
                 {"train.epochs: must be an integer, not text"});
  expect_failure(broken("[1, 2]", "[1, 2,]"), 2, {"a comma before the closing bracket"});
  expect_failure(broken("\"epochs\": 12", "\"epochs\": " + std::string(1 << 20, '9')), 2, {"x.json:9"});
  expect_failure(broken("\"epochs\": 12", "\"epochs\": 0, \"epoch\": 1, \"patience\": -1"), 2,
                 {"train.epochs: 0 is out of range", "train.epoch: unknown key", "train.patience: -1",
                  "3 errors; nothing was run"});
  fs::resize_file(folder_ / "x.json", std::uintmax_t{1} << 30);  // a hole of a gigabyte
  expect_failure(run(), 2, {"at most 16777216"});
}

TEST_F(CliTest, AnAbsentGpuIsNeverReplacedSilently) {
  if (!cuda_devices().empty()) {
    EXPECT_EQ(serval({"run", "x.json", "--device", "cuda:99"}).exit_code, 4);
    return;
  }
  expect_failure(serval({"run", "x.json", "--device", "cuda"}), 4, {"--device cuda"});
  ProcessOptions allocated;
  allocated.environment["CUDA_VISIBLE_DEVICES"] = "0";
  expect_failure(serval({"run", "x.json"}, allocated), 4,
                 {"a GPU was allocated to this job (CUDA_VISIBLE_DEVICES=0)"});
}

TEST_F(CliTest, FoldersThatCannotBeWritten) {
  folder_.write("file", "");
  EXPECT_EQ(run({"--out", "file/run"}).exit_code, 2);
  expect_failure(run({"--set", "store=file/stores"}), 2, {"file/stores"});
}

TEST_F(CliTest, AFullDiskEndsWithSevenAndTheRunContinues) {
  ProcessOptions full;
  full.file_bytes = 64 << 10;
  const Outcome outcome = run({}, full);
  expect_failure(outcome, 7, {"cannot be written"});
  EXPECT_EQ(run().exit_code, 0);
}

TEST_F(CliTest, AHalfWrittenStoreIsNamedAndMadeAgain) {
  ASSERT_EQ(run({"--out", "first"}).exit_code, 0);
  for (const fs::directory_entry& entry : fs::directory_iterator(folder_ / "stores")) {
    fs::resize_file(entry.path(), fs::file_size(entry.path()) - 100);
  }
  EXPECT_EQ(serval({"store", "verify", "stores"}).exit_code, 3);
  const Outcome outcome = run({"--out", "second"});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("warning"), HasSubstr("audio-"), HasSubstr("features-")));
  EXPECT_EQ(read_text(folder_ / "second/predictions.csv"), read_text(folder_ / "first/predictions.csv"));
  EXPECT_EQ(serval({"store", "verify", "stores"}).exit_code, 0);
}

TEST_F(CliTest, TwoProcessesCannotShareARun) {
  std::thread other([&] {
    ProcessOptions options;
    options.kill_after_s = 3;
    run({"--set", "train.epochs=100000"}, options);
  });
  std::this_thread::sleep_for(std::chrono::seconds(1));
  expect_failure(run({"--set", "train.epochs=100000"}), 2, {"another process is running this experiment"});
  other.join();
}

TEST_F(CliTest, ScanWritesAManifestThatIsACorpus) {
  ASSERT_EQ(serval({"corpus", "scan", "ravdess", "corpus", "--out", "list.csv"}).exit_code, 0);
  const Outcome from_list = run({"--out", "list", "--set", "corpora=[{\"file\": \"list.csv\"}]"});
  EXPECT_EQ(from_list.exit_code, 0) << from_list.err;
  ASSERT_EQ(run({"--out", "folder"}).exit_code, 0);
  EXPECT_EQ(read_text(folder_ / "list/predictions.csv"), read_text(folder_ / "folder/predictions.csv"));
}

}  // namespace
}  // namespace serval
