#include "serval/audio/load_all.h"

#include <atomic>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "serval/audio/prepare.h"
#include "serval/core/error.h"
#include "serval/core/interrupt.h"

#include "tests/audio/sound_files.h"

namespace serval::audio {
namespace {

using ::testing::HasSubstr;

class LoadAllTest : public ::testing::Test {
 protected:
  void SetUp() override {
    for (int i = 0; i < 24; ++i) {
      paths_.push_back(write_sound(folder_ / cat(i, ".wav"), tone(0.1 + 0.01 * i, 200 + 10 * i)));
    }
  }
  TempFolder folder_;
  std::vector<std::string> paths_;
  AudioSettings settings_;
};

TEST_F(LoadAllTest, GivesEachWaveformOnceWhateverTheThreads) {
  std::vector<std::vector<float>> expected;
  for (const std::string& path : paths_) expected.push_back(load(path, settings_).samples);
  for (const int threads : {1, 2, 7}) {
    std::vector<std::vector<float>> got(paths_.size());
    std::atomic<int> calls{0};
    const std::vector<BadRecording> bad =
        load_all(paths_, settings_, threads, "", [&](std::size_t i, Waveform w) {
          got[i] = std::move(w.samples);
          ++calls;
        });
    EXPECT_TRUE(bad.empty());
    EXPECT_EQ(calls, 24);
    EXPECT_EQ(got, expected);
  }
}

TEST_F(LoadAllTest, SkipListsBadRecordingsInOrder) {
  put_bytes(paths_[20], "text");
  put_bytes(paths_[3], "");
  settings_.on_bad_recording = OnBadRecording::kSkip;
  std::atomic<int> calls{0};
  const auto bad = load_all(paths_, settings_, 3, "", [&](std::size_t, const Waveform&) { ++calls; });
  EXPECT_EQ(calls, 22);
  ASSERT_EQ(bad.size(), 2u);
  EXPECT_EQ(bad[0].index, 3u);
  EXPECT_EQ(bad[0].path, paths_[3]);
  EXPECT_THAT(bad[0].reason, HasSubstr("empty"));
  EXPECT_EQ(bad[1].index, 20u);
}

TEST_F(LoadAllTest, SkipsASampleBeyondAllMeasure) {
  constexpr int kFloatWav = SF_FORMAT_WAV | SF_FORMAT_FLOAT;
  std::vector<float> samples = tone(0.2);
  samples[1000] = -2e30f;
  write_sound(paths_[7], samples, 16000, kFloatWav);
  samples[1000] = 3e38f;
  write_sound(paths_[9], samples, 48000, kFloatWav);  // resampling makes it larger still
  settings_.on_bad_recording = OnBadRecording::kSkip;
  const auto bad = load_all(paths_, settings_, 2, "", [](std::size_t, const Waveform&) {});
  ASSERT_EQ(bad.size(), 2u);
  EXPECT_THAT(bad[0].reason, HasSubstr(paths_[7] + ": a sample is -2e+30; full scale is 1"));
  EXPECT_EQ(bad[1].index, 9u);
  EXPECT_THAT(bad[1].reason, HasSubstr("full scale is 1"));
}

TEST_F(LoadAllTest, StopNamesTheFirstOfTheListWhateverTheThreads) {
  for (const int i : {5, 6, 7, 8, 20}) put_bytes(paths_[static_cast<std::size_t>(i)], "text");
  for (int round = 0; round < 20; ++round) {
    const std::string message = message_of<DataError>(
        [&] { load_all(paths_, settings_, 1 + round % 5, "", [](std::size_t, const Waveform&) {}); });
    EXPECT_THAT(message, HasSubstr("/5.wav: is not a recording"));
  }
}

TEST_F(LoadAllTest, AnInterruptStopsItBetweenRecordings) {
  std::atomic<int> calls{0};
  message_of<InterruptedError>([&] {
    load_all(paths_, settings_, 2, "", [&](std::size_t, const Waveform&) {
      ++calls;
      request_interrupt(true);
    });
  });
  request_interrupt(false);
  EXPECT_GE(calls, 1);
  EXPECT_LE(calls, 2);
}

TEST_F(LoadAllTest, AnErrorOfTheSinkIsNotABadRecording) {
  settings_.on_bad_recording = OnBadRecording::kSkip;
  const std::string message = message_of<DataError>([&] {
    load_all(paths_, settings_, 2, "", [](std::size_t, const Waveform&) { throw DataError("sink"); });
  });
  EXPECT_EQ(message, "sink");
}

}  // namespace
}  // namespace serval::audio
