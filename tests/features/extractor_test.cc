// What holds for every extractor: batches, edges, errors, names.
#include "serval/features/extractor.h"

#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "serval/core/error.h"

#include "tests/features/signals.h"
#include "tests/support/devices.h"

namespace serval::features {
namespace {

using ::testing::HasSubstr;

constexpr int kRateHz = 16000;

FeatureSettings mfcc_settings() {
  FeatureSettings s;
  s.type = FeatureType::kMfcc;
  s.n_mfcc = 13;
  s.deltas = 2;
  return s;
}

std::string data_error_of(const std::function<void()>& body) {
  try {
    body();
  } catch (const DataError& error) {
    return error.what();
  }
  return "no DataError";
}

class ExtractorTest : public testing_support::DeviceTest {
 protected:
  Context context_{device(), 2};
};

TEST_P(ExtractorTest, BatchEqualsOneByOneBitForBit) {
  std::vector<audio::Waveform> clips;
  const std::vector<int> lengths{16000, 1, 400, 161, 7999, 23456, 160, 3200};
  for (std::size_t i = 0; i < lengths.size(); ++i) clips.push_back(test_clip(lengths[i], kRateHz, i));
  for (float& sample : clips[4].samples) sample *= 1e-4f;  // its peak must not be that of its neighbours
  Extractor extractor(mfcc_settings(), kRateHz, context_);
  const std::vector<FeatureMatrix> together = extractor.run(clips);
  ASSERT_EQ(together.size(), clips.size());
  for (std::size_t i = 0; i < clips.size(); ++i) {
    Extractor fresh(mfcc_settings(), kRateHz, context_);
    const FeatureMatrix alone = fresh.run({&clips[i], 1}).front();
    EXPECT_EQ(together[i].frames, 1 + lengths[i] / 160);
    EXPECT_EQ(together[i].frames, extractor.frames(lengths[i]));
    EXPECT_EQ(together[i].dimension, 39);
    EXPECT_EQ(together[i].values, alone.values) << "clip " << i;
  }
  EXPECT_TRUE(extractor.run({}).empty());
}

TEST_P(ExtractorTest, SilenceIsTheFloorEverywhere) {
  FeatureSettings settings;
  settings.deltas = 1;
  Extractor extractor(settings, kRateHz, context_);
  const audio::Waveform silence{std::vector<float>(5000, 0.0f), kRateHz};
  const FeatureMatrix out = extractor.run({&silence, 1}).front();
  for (std::int64_t i = 0; i < out.frames * out.dimension; ++i) {
    const float value = out.values[static_cast<std::size_t>(i)];
    if (i % out.dimension < 64) {
      EXPECT_NEAR(value, -100, 1e-4);
    } else {
      EXPECT_NEAR(value, 0, 1e-4);
    }
  }
}

TEST_P(ExtractorTest, TopDbIsMeasuredFromThePeakOfTheClip) {
  FeatureSettings settings;
  Extractor extractor(settings, kRateHz, context_);
  const audio::Waveform clip = test_clip(8000, kRateHz, 1);
  const std::vector<float> values = extractor.run({&clip, 1}).front().values;
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  EXPECT_FLOAT_EQ(*high - *low, 80);
}

TEST_P(ExtractorTest, OneSample) {
  Extractor extractor(mfcc_settings(), kRateHz, context_);
  const audio::Waveform click{{0.5f}, kRateHz};
  const FeatureMatrix out = extractor.run({&click, 1}).front();
  EXPECT_EQ(out.frames, 1);
  for (const float value : out.values) EXPECT_TRUE(std::isfinite(value));
  for (std::size_t i = 13; i < 39; ++i) EXPECT_EQ(out.values[i], 0.0f);
}

TEST_P(ExtractorTest, BadClipsAreErrorsThatNameTheClip) {
  Extractor extractor(FeatureSettings{}, kRateHz, context_);
  std::vector<audio::Waveform> clips{test_clip(500, kRateHz, 0), test_clip(500, kRateHz, 1)};
  const auto run = [&] { extractor.run(clips); };
  clips[1].samples[17] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_THAT(data_error_of(run), HasSubstr("clip 1: sample 17 is nan, not a finite number"));
  clips[1].samples[17] = -INFINITY;
  EXPECT_THAT(data_error_of(run), HasSubstr("clip 1: sample 17 is -inf"));
  clips[1].samples.clear();
  EXPECT_THAT(data_error_of(run), HasSubstr("clip 1 has no samples"));
  clips[1] = test_clip(500, 8000, 1);
  EXPECT_THAT(data_error_of(run), HasSubstr("clip 1 is sampled at 8000 Hz; expected 16000 Hz"));
}

TEST_P(ExtractorTest, WithoutPaddingAClipNeedsAWholeFrame) {
  FeatureSettings settings;
  settings.padding = Padding::kNone;
  Extractor extractor(settings, kRateHz, context_);
  EXPECT_EQ(extractor.min_samples(), 512);
  EXPECT_EQ(extractor.frames(511), 0);
  EXPECT_EQ(extractor.frames(512), 1);
  EXPECT_EQ(extractor.frames(671), 1);
  EXPECT_EQ(extractor.frames(672), 2);
  const audio::Waveform clip = test_clip(511, kRateHz, 0);
  EXPECT_THAT(data_error_of([&] {
                extractor.run({&clip, 1});
              }),
              HasSubstr("clip 0 has 511 samples; its shortest frame needs 512"));
}

TEST_P(ExtractorTest, NamesOneAColumn) {
  const Extractor extractor(mfcc_settings(), kRateHz, context_);
  const std::vector<std::string> names = extractor.names();
  ASSERT_EQ(static_cast<std::int64_t>(names.size()), extractor.dimension());
  EXPECT_EQ(names[0], "mfcc_0");
  EXPECT_EQ(names[13], "mfcc_0_delta");
  EXPECT_EQ(names[38], "mfcc_12_delta2");
  EXPECT_EQ(Extractor(FeatureSettings{}, kRateHz, context_).names().back(), "mel_63");
}

SERVAL_DEVICE_TESTS(ExtractorTest);

TEST(Extractor, SettingsMustFitTheSampleRate) {
  const Context context;
  FeatureSettings settings;
  settings.f_max_hz = 8000;
  EXPECT_NO_THROW(Extractor(settings, 16000, context));
  EXPECT_THROW(Extractor(settings, 15999, context), ConfigError);
  settings = FeatureSettings{};
  settings.n_fft = 512;
  EXPECT_THROW(Extractor(settings, 22050, context), ConfigError);  // 25 ms are 551 samples
  EXPECT_THROW(Extractor(FeatureSettings{}, 0, context), ConfigError);
  FeatureSettings seconds;
  seconds.window_ms = 2000;  // 32000 samples at 16 kHz, too many at 24 kHz
  EXPECT_NO_THROW(Extractor(seconds, 16000, context));
  EXPECT_THROW(Extractor(seconds, 24000, context), ConfigError);
  EXPECT_THROW(Extractor(FeatureSettings{}, 20, context), ConfigError);
}

TEST(Extractor, HalfSamplesRoundUp) {
  FeatureSettings settings;
  const Context context;
  // At 22.05 kHz 10 ms are 220.5 samples.
  EXPECT_EQ(Extractor(settings, 22050, context).frames(2210), 1 + 2210 / 221);
}

}  // namespace
}  // namespace serval::features
