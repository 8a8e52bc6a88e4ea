// Augmentation through a whole experiment, on a corpus of tones.
#include "src/experiment/augmentation.h"

#include <filesystem>
#include <map>
#include <set>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "serval/core/files.h"
#include "serval/core/interrupt.h"
#include "serval/core/json.h"
#include "serval/core/log.h"
#include "serval/experiment/dataset.h"
#include "serval/experiment/resolve.h"
#include "serval/experiment/run.h"
#include "serval/folds/fold.h"
#include "serval/train/augmentation.h"

#include "tests/support/devices.h"
#include "tests/support/stop_and_go.h"
#include "tests/support/tone_corpus.h"

namespace serval::experiment {
namespace {

namespace fs = std::filesystem;
using corpus::message_of;
using corpus::TempFolder;
using testing::HasSubstr;
using testing::Not;
using testing_support::make_tone_corpus;
using testing_support::tone_experiment;

const char* const kEffects = R"(augment={"copies": 2, "redraw": "every_epoch", "effects": [
  {"type": "noise", "snr_db": [10, 20]}, {"type": "stretch", "rate": [0.8, 1.2]},
  {"type": "roll", "shift_samples": [-200, 200]}, {"type": "gain", "probability": 0.5}]})";

struct Row {
  std::string epoch, copy, recording, effect, parameters;
};
std::vector<Row> read_lineage(const std::string& path) {
  std::istringstream file(read_text(path));
  std::string line;
  std::getline(file, line);
  EXPECT_EQ(line, "epoch,copy,recording,effect,parameters");
  std::vector<Row> rows;
  while (std::getline(file, line)) {
    std::istringstream fields(line);
    Row& row = rows.emplace_back();
    for (std::string* field : {&row.epoch, &row.copy, &row.recording, &row.effect, &row.parameters})
      std::getline(fields, *field, ',');
  }
  return rows;
}

class AugmentationTest : public testing_support::DeviceTest {
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
  RunOutcome run(const std::string& out, std::vector<std::string> overrides, int threads = 2) const {
    overrides.insert(overrides.begin(), "train.epochs=4");
    return run_experiment(settings(overrides), {device(), threads, folder_ / out});
  }
  std::string predictions(const std::string& out) const {
    return read_text(folder_ / (out + "/predictions.csv"));
  }
  std::string lineage(const std::string& out, int fold, int seed) const {
    return folder_ / cat(out, "/models/lstm/fold-0", fold, "_seed-", seed, "/augmentation.csv");
  }

  TempFolder folder_;
};

TEST_P(AugmentationTest, TheLineageNamesEveryCopyAndTrainingActorsAlone) {
  run("out", {kEffects});
  const Dataset dataset = make_dataset(settings(), {device(), 2, false});
  const std::vector<folds::Fold> folds = folds::make_folds(settings().folds, dataset.manifest);
  ASSERT_EQ(folds.size(), 3u);
  for (const folds::Fold& fold : folds) {
    std::set<std::string> expected, found;
    std::set<std::string> effects;
    for (int epoch = 1; epoch <= 4; ++epoch) {
      for (const std::int64_t r : fold.train) {
        const std::string& id = dataset.manifest.recordings[static_cast<std::size_t>(r)].id;
        for (int copy = 1; copy <= 2; ++copy) expected.insert(cat(epoch, " ", copy, " ", id));
      }
    }
    for (const Row& row : read_lineage(lineage("out", fold.index + 1, 1))) {
      EXPECT_TRUE(found.insert(row.epoch + " " + row.copy + " " + row.recording).second) << "twice";
      effects.insert(row.effect);
      EXPECT_EQ(row.effect == "none", row.parameters.empty());
    }
    EXPECT_EQ(found, expected);
    EXPECT_THAT(effects, testing::ElementsAre("gain", "noise", "none", "roll", "stretch"));
  }
  EXPECT_THAT(read_text(folder_ / "out/audit.json"), HasSubstr("copies_of_training_recordings_only"));
  EXPECT_NE(read_text(lineage("out", 1, 1)), read_text(lineage("out", 1, 2)));
}

TEST_P(AugmentationTest, WithoutItNothingIsLeftAndNothingIsChecked) {
  run("out", {});
  EXPECT_FALSE(fs::exists(lineage("out", 1, 1)));
  EXPECT_THAT(read_text(folder_ / "out/audit.json"), Not(HasSubstr("copies_of_training_recordings_only")));
}

TEST_P(AugmentationTest, ThreadsAndCompanyChangeNoBit) {
  run("a", {kEffects}, 1);
  run("b", {kEffects}, 5);
  EXPECT_EQ(predictions("b"), predictions("a"));
  EXPECT_EQ(read_text(lineage("b", 2, 2)), read_text(lineage("a", 2, 2)));
  run("alone", {kEffects, "seeds=[2]"}, 4);
  EXPECT_EQ(read_text(lineage("alone", 2, 2)), read_text(lineage("a", 2, 2)));
  const std::string all = predictions("a");
  std::istringstream alone(predictions("alone"));
  std::string line;
  while (std::getline(alone, line)) EXPECT_THAT(all, HasSubstr(line + "\n"));
}

TEST_P(AugmentationTest, StoppingAnywhereAndGoingOnGivesTheSameBits) {
  for (const char* redraw : {"once", "every_epoch"}) {
    const std::vector<std::string> overrides{kEffects, cat("augment.redraw=", redraw), "train.epochs=12"};
    run(cat("whole_", redraw), overrides);
    std::vector<std::string> careful = overrides;
    careful.push_back("train.checkpoint_every_s=0");
    const int stops = testing_support::stop_and_go(20, 20, [&] { run(cat("parts_", redraw), careful); });
    EXPECT_GT(stops, 0);
    EXPECT_EQ(predictions(cat("parts_", redraw)), predictions(cat("whole_", redraw)));
    EXPECT_EQ(read_text(lineage(cat("parts_", redraw), 2, 1)),
              read_text(lineage(cat("whole_", redraw), 2, 1)));
  }
}

TEST_P(AugmentationTest, ATestRecordingCannotTouchItsFoldsTraining) {
  run("before", {kEffects});
  // Another and longer sound for one recording of actor 1, who is tested in fold 1 only.
  audio::write_sound(folder_ / "corpus/03-01-02-01-01-01-01.wav", audio::tone(1.3, 1900, 0.9, 8000), 8000);
  run("after", {kEffects});
  const auto train_losses = [&](const std::string& out, int fold) {
    std::istringstream file(
        read_text(folder_ / cat(out, "/models/lstm/fold-0", fold, "_seed-1/history.csv")));
    std::string line, kept;
    while (std::getline(file, line)) kept += line.substr(0, line.rfind(',')) + "\n";  // without the seconds
    return kept;
  };
  EXPECT_EQ(train_losses("after", 1), train_losses("before", 1));
  EXPECT_NE(train_losses("after", 2), train_losses("before", 2));
}

TEST_P(AugmentationTest, RunsOnSegments) {
  run("out", {kEffects, "models.lstm.input.segment_frames=[8]", "models.lstm.input.shift_frames=[4]"});
  EXPECT_TRUE(fs::exists(lineage("out", 3, 2)));
}

// Copies that nothing was done to have the features of their recordings, bit for bit.
TEST_P(AugmentationTest, CopiesGoThroughTheSameExtractor) {
  const ExperimentSettings s =
      settings({R"(augment={"copies": 2, "effects": [{"type": "gain", "gain_db": 0}]})"});
  const Dataset dataset = make_dataset(s, {device(), 2, true});
  train::Task task;
  task.sides = folds::make_folds(s.folds, dataset.manifest).front();
  const auto augmenter = std::make_shared<const audio::Augmenter>(s.augment, 8000);
  const auto maker = std::make_shared<const CopyMaker>(s, augmenter, dataset);
  const Context context(device());
  const auto copies = augmentation_of(maker, s.models.front().second.all_inputs(),
                                      {s.features.front().second})(task, context, 3);
  const train::Copies made = copies->make(1);
  const FeatureSet& set = dataset.features.front();
  ASSERT_EQ(made.sources.size(), 2 * task.sides.train.size());
  for (std::size_t i = 0; i < made.sources.size(); ++i) {
    const auto r = static_cast<std::size_t>(made.sources[i]);
    EXPECT_EQ(made.sources[i], task.sides.train[i / 2]);
    ASSERT_EQ(made.inputs[0].items.frames[i], set.offsets[r + 1] - set.offsets[r]);
    const auto at = made.inputs[0].values.begin() + made.inputs[0].items.starts[i] * set.dimension;
    const auto expected = set.values.begin() + set.offsets[r] * set.dimension;
    EXPECT_TRUE(std::equal(at, at + made.inputs[0].items.frames[i] * set.dimension, expected)) << i;
  }
}

TEST_P(AugmentationTest, EqualLengthsStayEqual) {
  const ExperimentSettings s =
      settings({"audio.length_s=0.3",
                R"(augment={"effects": [{"type": "stretch"}, {"type": "speed", "rate": [0.5, 2]}]})"});
  const Dataset dataset = make_dataset(s, {device(), 2, true});
  const CopyMaker maker(s, std::make_shared<const audio::Augmenter>(s.augment, 8000), dataset);
  for (std::uint32_t copy = 0; copy < 10; ++copy) {
    EXPECT_EQ(maker.copy(0, maker.original(0), {1, 0, 0, copy, maker.content(0)}).samples.size(), 2400u);
  }
  EXPECT_EQ(maker.longest(0), 2400);
}

TEST_P(AugmentationTest, MistakesAreNamed) {
  EXPECT_THAT(
      message_of<ConfigError>([&] { settings({R"(augment={"effects": [{"type": "low_pass"}]})"}); }),
      HasSubstr("augment: effects[0].cutoff_hz: 4000 must lie below half of audio.sample_rate_hz, 4000"));
  const std::string absent = folder_ / "absent";
  const std::string recorded =
      R"(augment={"effects": [{"type": "noise", "noise": "recordings", "folder": ")" + absent + R"("}]})";
  EXPECT_THAT(message_of<ConfigError>([&] { run("a", {recorded}); }), HasSubstr(absent + ": cannot be read"));
  EXPECT_FALSE(fs::exists(folder_ / "stores"));  // nothing was decoded
  // Without padding, a frame needs 256 samples: a tone at quarter of its length may have fewer.
  audio::write_sound(folder_ / "corpus/03-01-01-01-01-01-06.wav", audio::tone(0.06, 300, 0.5, 8000), 8000);
  EXPECT_THAT(
      message_of<DataError>([&] {
        run("b", {"features.logmel.padding=none", R"(augment={"effects": [{"type": "speed", "rate": 4}]})"});
      }),
      HasSubstr("ravdess/03-01-01-01-01-01-06, copy 1: 120 samples are too short for one frame of "
                "features.logmel; narrow the rates under augment"));
}

TEST_P(AugmentationTest, ChangedEffectsAreAnotherExperiment) {
  run("out", {kEffects});
  EXPECT_THAT(message_of<ConfigError>([&] {
                run("out", {kEffects, "augment.copies=3"});
              }),
              HasSubstr("augment.copies: 2 there, 3 here"));
}

SERVAL_DEVICE_TESTS(AugmentationTest);

}  // namespace
}  // namespace serval::experiment
