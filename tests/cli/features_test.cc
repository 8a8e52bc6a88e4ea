// `serval features` on many clips: killed anywhere it continues, on a full disk it stops, and what is there is
// never made twice.
#include <cstdlib>
#include <filesystem>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "serval/core/files.h"
#include "serval/core/json.h"

#include "tests/audio/sound_files.h"
#include "tests/cli/programs.h"
#include "tests/support/process.h"
#include "tests/support/tone_corpus.h"

namespace serval {
namespace {

namespace fs = std::filesystem;
using corpus::TempFolder;
using testing::AllOf;
using testing::HasSubstr;
using testing_support::Outcome;
using testing_support::ProcessOptions;
using testing_support::run_in;

constexpr int kRate_hz = 8000;

int asked(const char* name, int otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::atoi(text);
}

class FeaturesTest : public testing::Test {
 protected:
  // Clips of about a quarter of a second, each with a sound of its own. `long_one` lasts much longer.
  void make_clips(int count, int long_one = -1) {
    std::string list = "path,id,actor,label\n";
    for (int i = 0; i < count; ++i) {
      const std::string name = cat("clips/", i / 500, "/", i, ".wav");
      const double seconds = i == long_one ? 200 : 0.2 + 0.01 * (i % 10);
      audio::write_sound(folder_ / name, audio::tone(seconds, 200 + i % 1000, 0.3 + 0.1 * (i % 7), kRate_hz),
                         kRate_hz);
      list += cat(name, ",clip", 100000 + i, ",a", i % 6, ",", i % 2 == 0 ? "angry" : "sad", "\n");
    }
    folder_.write("list.csv", list);
    folder_.write("x.json", R"({
  "name": "many",
  "corpora": [{"file": "list.csv"}],
  "audio": {"sample_rate_hz": 8000},
  "features": {"logmel": {"type": "log_mel", "n_mels": 20, "n_fft": 256, "hop_ms": 16}},
  "folds": {"count": 3, "validation_actors": 1},
  "models": {"m": {"input": {"features": "logmel"}, "network": {"layers": [{"type": "mean_pool"}, {"type": "dense"}]}}},
  "store_shard_mib": 1
})");
  }
  Outcome serval(const std::vector<std::string>& arguments, const ProcessOptions& options = {}) const {
    return run_in(folder_.str(), kProgram, arguments, options);
  }
  Outcome features(const std::string& store, const ProcessOptions& options = {}) const {
    return serval({"features", "x.json", "--device", "cpu", "--set", cat("store=\"", store, "\"")}, options);
  }
  // All files of a folder of stores, without their seals, which hold the time.
  std::map<std::string, std::string> contents(const std::string& store) const {
    std::map<std::string, std::string> out;
    for (const fs::directory_entry& entry : fs::directory_iterator(folder_ / store))
      out[entry.path().filename()] = read_text(entry.path()).substr(512);
    return out;
  }
  JsonValue listed(const std::string& store) const {
    return parse_json(serval({"store", "ls", store, "--json"}).out, "ls");
  }
  static int shards_in(const std::map<std::string, std::string>& files, const std::string& kind) {
    int count = 0;
    for (const auto& [name, bytes] : files)
      count += name.rfind(kind, 0) == 0 && name.find(".0") != std::string::npos;
    return count;
  }

  TempFolder folder_;
};

TEST_F(FeaturesTest, KilledAnywhereItContinuesToTheSameBytes) {
  const int clips = asked("SERVAL_TEST_CLIPS", 3000);
  const int kills = asked("SERVAL_TEST_KILLS", 6);
  make_clips(clips);
  ASSERT_EQ(features("whole").exit_code, 0);
  const std::map<std::string, std::string> whole = contents("whole");
  EXPECT_GT(shards_in(whole, "audio"), 5);
  EXPECT_GT(shards_in(whole, "features"), 2);
  int killed = 0, kept = 0;
  for (int round = 0; killed < kills; ++round) {
    ASSERT_LT(round, 100) << killed;
    const std::string store = cat("parts", round);
    for (int attempt = 0;; ++attempt) {
      ProcessOptions options;
      // Longer and longer, so that a slow machine gets to the end as well.
      options.kill_after_s = (0.03 + 0.05 * (attempt % 7) + 0.011 * (round % 8)) * (1 + attempt / 5);
      options.kill_signal = attempt % 3 == 1 ? SIGTERM : SIGKILL;
      const Outcome outcome = features(store, options);
      kept += outcome.err.find("are in the store already") != std::string::npos;
      EXPECT_EQ(outcome.err.find("warning"), std::string::npos) << outcome.err;
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
    const std::map<std::string, std::string> parts = contents(store);
    ASSERT_EQ(parts.size(), whole.size());  // nothing is left behind either
    for (const auto& [name, bytes] : whole) EXPECT_TRUE(parts.at(name) == bytes) << name;
    fs::remove_all(folder_ / store);
  }
  EXPECT_GT(kept, 0);  // some attempt did continue from a shard
}

TEST_F(FeaturesTest, AFullDiskEndsWithSevenAndTheSameCommandContinues) {
  make_clips(700, 600);
  ASSERT_EQ(features("whole").exit_code, 0);
  ProcessOptions full;
  full.file_bytes = 1500 << 10;  // room for every shard but that of the long recording
  const Outcome outcome = features("stores", full);
  EXPECT_EQ(outcome.exit_code, 7) << outcome.err;
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("cannot be written"), HasSubstr("run the same command again")));
  const JsonValue list = listed("stores");
  ASSERT_EQ(list.items.size(), 1u);
  EXPECT_EQ(list.items[0].find("finished")->boolean, false);
  EXPECT_GT(list.items[0].find("items")->integer, 200);
  EXPECT_LT(list.items[0].find("items")->integer, 601);
  EXPECT_EQ(list.items[0].find("sources")->integer, 700);
  EXPECT_THAT(serval({"store", "ls", "stores"}).out,
              AllOf(HasSubstr("unfinished: "),
                    HasSubstr(" recordings of 700 are there, the same command continues")));
  EXPECT_EQ(serval({"store", "verify", "stores"}).exit_code, 0);  // unfinished is no fault
  EXPECT_EQ(parse_json(serval({"store", "prune", "stores", "--json"}).out, "prune").items.size(), 0u);
  const Outcome again = features("stores");
  EXPECT_EQ(again.exit_code, 0) << again.err;
  EXPECT_THAT(again.err, HasSubstr("are in the store already"));
  EXPECT_TRUE(contents("stores") == contents("whole"));
}

TEST_F(FeaturesTest, ADamagedShardAloneIsMadeAgain) {
  make_clips(700);
  ASSERT_EQ(features("stores").exit_code, 0);
  const std::map<std::string, std::string> whole = contents("stores");
  std::map<std::string, fs::file_time_type> written;
  std::string damaged;
  for (const auto& [name, bytes] : whole) {
    written[name] = fs::last_write_time(folder_ / ("stores/" + name));
    if (name.rfind("features", 0) == 0 && name.find(".000.") != std::string::npos) damaged = name;
  }
  ASSERT_NE(damaged, "");
  fs::resize_file(folder_ / ("stores/" + damaged), 5000);
  EXPECT_EQ(serval({"store", "verify", "stores"}).exit_code, 3);
  const Outcome outcome = features("stores");
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("warning"), HasSubstr(damaged), HasSubstr("torn")));
  EXPECT_TRUE(contents("stores") == whole);
  for (const auto& [name, time] : written) {
    const bool same = fs::last_write_time(folder_ / ("stores/" + name)) == time;
    const bool index = name.rfind("features", 0) == 0 && name.find(".0") == std::string::npos;
    EXPECT_EQ(same, name != damaged && !index) << name;
  }
}

TEST_F(FeaturesTest, ABadRecordingStopsItPreciselyOrIsLeftOut) {
  make_clips(900);
  for (const int bad : {640, 641, 880})
    audio::put_bytes(folder_ / cat("clips/1/", bad, ".wav"), "this is text");
  const Outcome stopped = features("stores");
  EXPECT_EQ(stopped.exit_code, 3);
  EXPECT_THAT(stopped.err, HasSubstr("clips/1/640.wav"));
  EXPECT_EQ(stopped.err.find("641.wav"), std::string::npos) << stopped.err;
  const Outcome skipped =
      serval({"features", "x.json", "--device", "cpu", "--json", "--set", "audio.on_bad_recording=skip"});
  EXPECT_EQ(skipped.exit_code, 0) << skipped.err;
  const JsonValue out = parse_json(skipped.out, "features");
  EXPECT_EQ(out.find("recordings")->integer, 897);
  ASSERT_EQ(out.find("skipped")->items.size(), 3u);
  EXPECT_EQ(out.find("skipped")->items[0].text, "list/clip100640");
}

TEST_F(FeaturesTest, ListsTheParametersOfEachStore) {
  make_clips(50);
  ASSERT_EQ(features("stores").exit_code, 0);
  const JsonValue list = listed("stores");
  ASSERT_EQ(list.items.size(), 2u);
  const JsonValue* audio_parameters = list.items[0].find("parameters");
  const JsonValue* feature_parameters = list.items[1].find("parameters");
  EXPECT_EQ(audio_parameters->find("settings")->find("sample_rate_hz")->integer, 8000);
  EXPECT_EQ(feature_parameters->find("computed_on")->text, "cpu");
  EXPECT_NE(feature_parameters->find("settings"), nullptr);
  EXPECT_THAT(serval({"store", "ls", "stores"}).out, HasSubstr("\"sample_rate_hz\": 8000"));
}

}  // namespace
}  // namespace serval
