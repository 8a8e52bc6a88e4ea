// The whole road, in this process, on a corpus of tones.
#include "serval/experiment/run.h"

#include <atomic>
#include <filesystem>
#include <map>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "serval/core/csv.h"
#include "serval/core/files.h"
#include "serval/core/interrupt.h"
#include "serval/core/json.h"
#include "serval/core/log.h"
#include "serval/experiment/dataset.h"
#include "serval/experiment/resolve.h"

#include "tests/support/devices.h"
#include "tests/support/event_file.h"
#include "tests/support/stop_and_go.h"
#include "tests/support/tone_corpus.h"

namespace serval::experiment {
namespace {

namespace fs = std::filesystem;
using corpus::TempFolder;
using testing::HasSubstr;
using testing_support::make_tone_corpus;
using testing_support::tone_experiment;

class RunTest : public testing_support::DeviceTest {
 protected:
  void SetUp() override {
    set_quiet(true);
    make_tone_corpus(folder_ / "corpus");
    folder_.write("x.json", tone_experiment(folder_ / "corpus", folder_ / "stores"));
  }
  void TearDown() override { request_interrupt(false); }

  ExperimentSettings settings(const std::vector<std::string>& overrides = {}) const {
    return load_experiment(folder_ / "x.json", overrides);
  }
  RunOutcome run(const std::string& out, const std::vector<std::string>& overrides = {},
                 int threads = 2) const {
    return run_experiment(settings(overrides), {device(), threads, folder_ / out});
  }
  // results.json without what may differ between two equal runs: times and memory.
  static std::string comparable(const std::string& results) {
    JsonValue json = parse_json(results, "results");
    std::erase_if(json.members, [](const auto& member) {
      return member.first == "seconds" || member.first == "peak_bytes";
    });
    return write_json(json);
  }
  std::string predictions(const std::string& out) const {
    return read_text(folder_ / (out + "/predictions.csv"));
  }

  // A training's event file and history.csv: the one says the same as the other, each epoch once. Gives both without the
  // times.
  static std::string curves(const std::string& folder) {
    const std::vector<std::string> files = testing_support::event_files(folder);
    EXPECT_EQ(files.size(), 1u) << folder;
    const CsvTable history = parse_csv(read_text(folder + "/history.csv"), folder);
    std::string out;
    std::size_t row = 0;
    for (const testing_support::ReadEvent& event : testing_support::read_events(files.at(0))) {
      if (event.scalars.empty()) continue;
      if (row == history.rows.size()) return "more events than epochs";
      const std::vector<std::string>& fields = history.rows[row++].fields;
      EXPECT_EQ(event.step, std::stoll(fields[0]));
      const char* tags[] = {"train/loss", "validation/loss", "validation/uar", "learning_rate"};
      for (std::size_t i = 0; i < 4; ++i) {
        EXPECT_EQ(event.scalars.at(tags[i]), std::stof(fields[i + 1])) << tags[i];
        out += fields[i + 1] + " ";
      }
    }
    EXPECT_EQ(row, history.rows.size());
    return out;
  }

  // recording,corpus,actor,label,predicted,model,fold,seed,...
  static std::string lines_of_seed(const std::string& csv, const std::string& seed) {
    std::string kept;
    for (std::size_t at = csv.find('\n') + 1; at < csv.size();) {
      const std::size_t end = csv.find('\n', at) + 1;
      std::size_t column = at;
      for (int i = 0; i < 7; ++i) column = csv.find(',', column) + 1;
      if (csv.compare(column, seed.size() + 1, seed + ",") == 0) kept += csv.substr(at, end - at);
      at = end;
    }
    return kept;
  }

  // Stops a run again and again until it is done, and compares it with one that was left alone.
  void stop_and_go(std::vector<std::string> overrides) const {
    // The name is the folder's, so the interrupted run has the name of the uninterrupted one.
    const RunOutcome whole = run("whole", overrides);
    overrides.emplace_back("train.checkpoint_every_s=0");
    const int stops = testing_support::stop_and_go(20, 10, [&] {
      const RunOutcome part = run("parts", overrides);
      EXPECT_EQ(comparable(part.results_json), comparable(whole.results_json));
    });
    EXPECT_GT(stops, 0);
    EXPECT_EQ(predictions("parts"), predictions("whole"));
    for (const auto& model : fs::recursive_directory_iterator(folder_ / "whole/models")) {
      if (!fs::exists(model.path() / "history.csv")) continue;
      const std::string parts = folder_ / ("parts/" + fs::relative(model.path(), folder_ / "whole").string());
      EXPECT_EQ(curves(parts), curves(model.path())) << parts;
    }
  }

  TempFolder folder_;
};

TEST_P(RunTest, LearnsTonesAndLeavesEveryFileOfTheContract) {
  const RunOutcome outcome = run("out");
  const JsonValue results = parse_json(outcome.results_json, "results");
  EXPECT_GT(results.find("summary")->find("uar")->find("mean")->real, 0.8);
  EXPECT_EQ(results.find("folds")->items.size(), 6u);
  EXPECT_EQ(results.find("audit")->text, "passed");
  for (const char* key :
       {"pooled", "chance", "models", "stamps", "versions", "device", "seconds", "peak_bytes"}) {
    EXPECT_NE(results.find(key), nullptr) << key;
  }
  for (const char* file :
       {"experiment.json", "manifest.csv", "audit.json", "results.json", "results.csv", "predictions.csv",
        "report.html", "log.txt", "models/lstm/fold-03_seed-1/checkpoint.h5",
        "models/lstm/fold-01_seed-2/history.csv"}) {
    EXPECT_TRUE(fs::exists(folder_ / (std::string("out/") + file))) << file;
  }
  EXPECT_NE(curves(folder_ / "out/models/lstm/fold-02_seed-1"), "");
  EXPECT_THAT(predictions("out"), HasSubstr("recording,corpus,actor,label,predicted,model,fold,seed,p_"));
  // Every recording is tested once a seed: 48 recordings, 2 seeds, a heading.
  const std::string text = predictions("out");
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1 + 2 * 48);
}

TEST_P(RunTest, AFinishedRunIsNotRunAgain) {
  const RunOutcome first = run("out");
  const auto written = fs::last_write_time(folder_ / "out/results.json");
  const RunOutcome second = run("out");
  EXPECT_FALSE(first.already_finished);
  EXPECT_TRUE(second.already_finished);
  EXPECT_EQ(second.results_json, first.results_json);
  EXPECT_EQ(second.results_text, first.results_text);
  EXPECT_EQ(fs::last_write_time(folder_ / "out/results.json"), written);
}

TEST_P(RunTest, ThreadsStoresAndCompanyChangeNoBit) {
  const RunOutcome decoded = run("a", {}, 1);
  const RunOutcome stored = run("b", {}, 4);
  EXPECT_EQ(comparable(stored.results_json), comparable(decoded.results_json));
  EXPECT_EQ(predictions("b"), predictions("a"));
  // One seed alone gives the same predictions as beside another.
  run("c", {"seeds=[2]"}, 3);
  const std::string alone = predictions("c");
  EXPECT_EQ(lines_of_seed(predictions("a"), "2"), alone.substr(alone.find('\n') + 1));
}

TEST_P(RunTest, StoppingAnywhereAndGoingOnGivesTheSameBits) { stop_and_go({}); }

TEST_P(RunTest, SegmentsTrainAndRecordingsAreScored) {
  const std::vector<std::string> segments{"models.lstm.input.segment_frames=[8, 5]",
                                          "models.lstm.input.shift_frames=[4, 5]",
                                          "models.lstm.input.tail=shift_back"};
  const RunOutcome outcome = run("a", segments, 1);
  EXPECT_GT(parse_json(outcome.results_json, "results").find("summary")->find("uar")->find("mean")->real,
            0.8);
  const std::string text = predictions("a");
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1 + 2 * 48);
  EXPECT_THAT(read_text(folder_ / "a/log.txt"), AllOf(HasSubstr("model lstm: 48 recordings in "),
                                                      HasSubstr(" segments of 8 frames, shift 4, 0 frames "
                                                                "in none; ")));
  run("b", segments, 4);
  EXPECT_EQ(predictions("b"), text);
  run("whole");
  EXPECT_NE(predictions("whole"), text);
  try {
    run("a", {"models.lstm.input.segment_frames=8", "models.lstm.input.tail=shift_back"});
    FAIL() << "accepted";
  } catch (const ConfigError& error) {
    EXPECT_THAT(error.what(), HasSubstr("models.lstm.input.segment_frames: [8, 5] there, [8] here"));
  }
}

TEST_P(RunTest, StoppingAmongSegmentsAndGoingOnGivesTheSameBits) {
  stop_and_go({"models.lstm.input.segment_frames=8", "models.lstm.input.min_real_share=0.5"});
}

TEST_P(RunTest, AChangedExperimentInTheSameFolderIsRefusedWithItsDifferences) {
  run("out");
  try {
    run("out", {"train.epochs=3", "seeds=[1]"});
    FAIL() << "accepted";
  } catch (const ConfigError& error) {
    EXPECT_THAT(error.what(), HasSubstr("train.epochs: 12 there, 3 here"));
    EXPECT_THAT(error.what(), HasSubstr("seeds: [1, 2] there, [1] here"));
  }
}

TEST_P(RunTest, AFolderThatIsNoRunIsLeftAlone) {
  folder_.write("other/thesis.tex", "x");
  EXPECT_THROW(run("other"), ConfigError);
  EXPECT_FALSE(fs::exists(folder_ / "other/experiment.json"));
}

TEST_P(RunTest, ADamagedCheckpointIsNamed) {
  const std::vector<std::string> long_run{"train.checkpoint_every_s=0", "train.epochs=4000"};
  const std::string path = folder_ / "out/models/lstm/fold-01_seed-1/checkpoint.h5";
  std::atomic<bool> ended{false};  // a run that fails leaves no checkpoint
  std::thread stopper([&] {
    while (!fs::exists(path) && !ended) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    request_interrupt(true);
  });
  EXPECT_THROW(run("out", long_run), InterruptedError);
  ended = true;
  stopper.join();
  request_interrupt(false);
  try {
    std::string bytes = read_text(path);
    bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
    audio::put_bytes(path, bytes);
    run("out", long_run);
    FAIL() << "believed";
  } catch (const DataError& error) {
    EXPECT_THAT(error.what(), HasSubstr("checkpoint.h5"));
  }
}

TEST_P(RunTest, AHalfWrittenStoreIsMadeAgain) {
  const RunOutcome whole = run("whole");
  for (const fs::directory_entry& entry : fs::directory_iterator(folder_ / "stores")) {
    fs::resize_file(entry.path(), fs::file_size(entry.path()) / 2);
  }
  const RunOutcome again = run("again");
  EXPECT_EQ(comparable(again.results_json), comparable(whole.results_json));
}

TEST_P(RunTest, SkippedRecordingsAreStamped) {
  folder_.write("corpus/03-01-01-01-01-01-02.wav", "this is text");
  EXPECT_THROW(run("stop"), DataError);
  const RunOutcome outcome = run("skip", {"audio.on_bad_recording=skip"});
  EXPECT_THAT(outcome.results_text,
              HasSubstr("1 unusable recordings were left out: ravdess/03-01-01-01-01-01-02"));
  // The second run finds the same in the store.
  EXPECT_EQ(comparable(run("skip2", {"audio.on_bad_recording=skip"}).results_json),
            comparable(outcome.results_json));
}

TEST_P(RunTest, ASyntheticCorpusIsStampedEverywhere) {
  folder_.write("corpus/README.txt", "SYNTHETIC tones\n");
  const RunOutcome outcome = run("out");
  EXPECT_THAT(outcome.results_json, HasSubstr("synthetic speech: corpus ravdess"));
  EXPECT_THAT(outcome.results_text, HasSubstr("synthetic speech"));
  EXPECT_THAT(read_text(folder_ / "out/report.html"), HasSubstr("synthetic speech"));
  EXPECT_THAT(read_text(folder_ / "out/manifest.csv"), HasSubstr(",true,"));
}

TEST_P(RunTest, ATestRecordingCannotTouchItsFoldsTraining) {
  // Dropout on the sequence itself: its masks must not depend on how long the test recordings are.
  const std::vector<std::string> sequence_dropout{
      R"(models.lstm.network={"layers": [{"type": "dropout", "rate": 0.3}, {"type": "lstm", "hidden": 8}, {"type": "mean_pool"}, {"type": "dense"}]})"};
  run("before", sequence_dropout);
  // Another and longer sound for one recording of actor 1, who is tested in fold 1 only.
  audio::write_sound(folder_ / "corpus/03-01-02-01-01-01-01.wav", audio::tone(1.3, 1900, 0.9, 8000), 8000);
  run("after", sequence_dropout);
  const auto history = [&](const char* run_name, int fold) {
    std::string text = read_text(folder_ / (std::string(run_name) + "/models/lstm/fold-0" +
                                            std::to_string(fold) + "_seed-1/history.csv"));
    std::string kept;  // without the seconds, which are the last column
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t end = text.find('\n', at);
      kept += text.substr(at, text.rfind(',', end) - at) + "\n";
      at = end + 1;
    }
    return kept;
  };
  EXPECT_EQ(history("after", 1), history("before", 1));
  EXPECT_NE(history("after", 2), history("before", 2));  // there it trains or validates
}

SERVAL_DEVICE_TESTS(RunTest);

}  // namespace
}  // namespace serval::experiment
