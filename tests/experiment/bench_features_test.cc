// What the benchmark of features reports. Times themselves are not tested, only what is made of them.
#include "serval/experiment/bench_features.h"

#include <cstdlib>
#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "serval/core/error.h"

#include "tests/support/tone_corpus.h"

namespace serval::experiment {
namespace {

using corpus::TempFolder;
using testing::AllOf;
using testing::DoubleEq;
using testing::ElementsAre;
using testing::Gt;
using testing::HasSubstr;

std::vector<std::string> names_of(const BenchReport& report) {
  std::vector<std::string> names;
  for (const BenchStage& stage : report.stages) names.push_back(stage.name);
  return names;
}

template <class Function>
std::string error_of(const Function& function) {
  try {
    function();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

class BenchFeaturesTest : public testing::Test {
 protected:
  // Stores of the benchmark go to a folder where what stays behind can be seen.
  BenchFeaturesTest() { ::setenv("TMPDIR", (folder_ / "tmp").c_str(), 1); }
  ~BenchFeaturesTest() override { ::unsetenv("TMPDIR"); }
  void SetUp() override { std::filesystem::create_directories(folder_ / "tmp"); }

  BenchOptions options(const std::string& preset = "log_mel_mfcc") const {
    BenchOptions options;
    options.features = bench_preset(preset);
    options.synthetic = 3;
    options.repeats = 2;
    options.threads = 2;
    return options;
  }
  TempFolder folder_;
};

TEST(BenchSpread, IsMedianSmallestAndLargest) {
  const Spread one = spread_of({3});
  EXPECT_THAT((std::vector{one.median, one.min, one.max}), ElementsAre(3, 3, 3));
  const Spread odd = spread_of({9, 1, 4});
  EXPECT_THAT((std::vector{odd.median, odd.min, odd.max}), ElementsAre(4, 1, 9));
  const Spread even = spread_of({9, 1, 4, 6});
  EXPECT_THAT((std::vector{even.median, even.min, even.max}), ElementsAre(5, 1, 9));
}

TEST(BenchPreset, NamesWhatIsComputed) {
  EXPECT_EQ(bench_preset("log_mel").size(), 1u);
  EXPECT_EQ(bench_preset("log_mel_mfcc").size(), 2u);
  EXPECT_EQ(bench_preset("mfcc")[0].second.n_mfcc, 40);
  EXPECT_THAT(error_of([] { bench_preset("mfc"); }),
              AllOf(HasSubstr("\"mfc\""), HasSubstr("log_mel, mfcc and log_mel_mfcc")));
}

TEST_F(BenchFeaturesTest, SyntheticClipsAreCountedAndTheirBytesToo) {
  const BenchReport report = bench_features(options());
  EXPECT_THAT(names_of(report), ElementsAre("read", "extract log_mel", "extract mfcc", "total"));
  EXPECT_EQ(report.clips, 3);
  EXPECT_EQ(report.skipped, 0);
  EXPECT_GE(report.shortest_s, 2.999);
  EXPECT_LE(report.longest_s, 5.0);
  EXPECT_LT(report.shortest_s, report.longest_s);
  const std::int64_t samples = std::llround(report.seconds * report.sample_rate_hz);
  // Centred frames every 160 samples: one more than fit, for each clip.
  EXPECT_LE(report.frames, samples / 160 + 3);
  EXPECT_GE(report.frames, samples / 160);
  EXPECT_THAT(report.dimensions, ElementsAre(std::pair<std::string, std::int64_t>{"log_mel", 192},
                                             std::pair<std::string, std::int64_t>{"mfcc", 120}));
  EXPECT_EQ(report.stages[0].bytes, samples * (2 + 4));
  EXPECT_EQ(report.stages[1].bytes, 4 * (samples + 192 * report.frames));
  EXPECT_EQ(report.stages[2].bytes, 4 * (samples + 120 * report.frames));
  EXPECT_EQ(report.stages[3].bytes, report.stages[0].bytes + report.stages[1].bytes + report.stages[2].bytes);
  for (std::size_t repeat = 0; repeat < 2; ++repeat) {
    double sum = 0;
    for (std::size_t stage = 0; stage < 3; ++stage) {
      ASSERT_EQ(report.stages[stage].seconds.size(), 2u);
      EXPECT_GT(report.stages[stage].seconds[repeat], 0);
      sum += report.stages[stage].seconds[repeat];
    }
    EXPECT_DOUBLE_EQ(report.stages[3].seconds[repeat], sum);
  }
  EXPECT_GT(report.copy_bytes_per_s, 0);
  EXPECT_EQ(report.memory.input_bytes, 4 * samples);
  EXPECT_EQ(report.memory.output_bytes, 4 * (192 + 120) * report.frames);
  EXPECT_TRUE(std::filesystem::is_empty(folder_ / "tmp"));
}

TEST_F(BenchFeaturesTest, SyntheticClipsAreTheSameEachTime) {
  const BenchReport first = bench_features(options("log_mel"));
  const BenchReport second = bench_features(options("log_mel"));
  EXPECT_EQ(first.frames, second.frames);
  EXPECT_EQ(first.seconds, second.seconds);
  EXPECT_EQ(first.longest_s, second.longest_s);
}

TEST_F(BenchFeaturesTest, MemoryThatIsHeldIsSeen) {
  BenchOptions many = options("log_mel_mfcc");
  many.synthetic = 60;
  const BenchReport report = bench_features(many);
  // 24,000 frames of 312 values are 30 MB, which no memory that happened to be free holds.
  EXPECT_GT(static_cast<double>(report.memory.growth_bytes),
            0.7 * static_cast<double>(report.memory.output_bytes));
  EXPECT_DOUBLE_EQ(report.memory.ratio(),
                   static_cast<double>(report.memory.input_bytes + report.memory.growth_bytes) /
                       static_cast<double>(report.memory.input_bytes + report.memory.output_bytes));
}

TEST_F(BenchFeaturesTest, RecordingsAreDecodedAndBadOnesLeftOut) {
  testing_support::make_tone_corpus(folder_ / "corpus", {.actors = 1, .emotions = 2});
  folder_.write("corpus/broken.WAV", "no sound at all");
  folder_.write("corpus/notes.txt", "not a recording");
  BenchOptions given = options("mfcc");
  given.folder = folder_ / "corpus";
  const BenchReport report = bench_features(given);
  EXPECT_THAT(names_of(report), ElementsAre("decode", "read", "extract mfcc", "total"));
  EXPECT_EQ(report.clips, 4);
  EXPECT_EQ(report.skipped, 1);
  EXPECT_EQ(report.source, given.folder);
  std::int64_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(given.folder)) {
    if (entry.path().extension() != ".txt") files += static_cast<std::int64_t>(entry.file_size());
  }
  EXPECT_EQ(report.stages[0].bytes, files + 2 * std::llround(report.seconds * 16000));
  EXPECT_THAT(bench_text(report), AllOf(HasSubstr("4 clips"), HasSubstr("1 could not be used")));
}

TEST_F(BenchFeaturesTest, AFolderThatCannotBeUsedIsNamed) {
  BenchOptions given = options();
  given.folder = folder_ / "none";
  EXPECT_THAT(error_of([&] { bench_features(given); }), HasSubstr(given.folder));
  folder_.write("texts/a.txt", "a");
  given.folder = folder_ / "texts";
  EXPECT_THAT(error_of([&] { bench_features(given); }),
              AllOf(HasSubstr(given.folder), HasSubstr("holds no recordings"), HasSubstr(".flac")));
  folder_.write("broken/a.wav", "no sound");
  given.folder = folder_ / "broken";
  EXPECT_THAT(error_of([&] { bench_features(given); }),
              AllOf(HasSubstr(given.folder), HasSubstr("not one recording can be used")));
}

TEST(BenchReports, RatesFollowFromTimes) {
  BenchReport report;
  report.device = "cpu";
  report.device_name = "a processor";
  report.threads = 3;
  report.source = "here";
  report.clips = 10;
  report.seconds = 72;
  report.frames = 7200;
  report.sample_rate_hz = 16000;
  report.dimensions = {{"m", 40}};
  report.copy_bytes_per_s = 1e10;
  report.copy_is = "memcpy";
  report.stages = {{"extract m", "what", 4'000'000'000, {4, 1, 2}}};
  report.memory = {5, 100, 300, 500};
  const JsonValue json = parse_json(write_json(bench_json(report)), "report");
  ASSERT_EQ(json.find("stages")->items.size(), 1u);
  const JsonValue& stage = json.find("stages")->items[0];
  const auto number = [&](const char* name) { return stage.find(name)->real; };
  EXPECT_EQ(stage.find("name")->text, "extract m");
  EXPECT_EQ(stage.find("includes")->text, "what");
  EXPECT_EQ(stage.find("seconds")->find("median")->real, 2);
  EXPECT_EQ(stage.find("seconds")->find("min")->real, 1);
  EXPECT_EQ(stage.find("seconds")->find("max")->real, 4);
  EXPECT_EQ(number("clips_per_s"), 5);
  EXPECT_EQ(number("frames_per_s"), 3600);
  EXPECT_EQ(number("times_real_time"), 36);
  EXPECT_THAT(number("audio_hours_per_s"), DoubleEq(0.01));
  EXPECT_EQ(number("gb_per_s"), 2);
  EXPECT_THAT(number("share_of_copy"), DoubleEq(0.2));
  EXPECT_EQ(json.find("repeats")->integer, 3);
  EXPECT_EQ(json.find("threads")->integer, 3);
  EXPECT_EQ(json.find("clips")->find("count")->integer, 10);
  EXPECT_EQ(json.find("dimensions")->find("m")->integer, 40);
  EXPECT_EQ(json.find("copy_gb_per_s")->real, 10);
  EXPECT_EQ(json.find("memory")->find("ratio")->real, 1.5);
  const std::string text = bench_text(report);
  for (const char* part : {"on cpu (a processor), 3 threads; medians of 3", "10 clips (here)", "3600",
                           "20.0 %", "extract m: what", "so 1.50 times input and output"}) {
    EXPECT_THAT(text, HasSubstr(part));
  }
}

}  // namespace
}  // namespace serval::experiment
