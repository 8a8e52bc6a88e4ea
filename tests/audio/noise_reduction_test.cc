#include "serval/audio/noise_reduction.h"

#include <cmath>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "serval/audio/effects.h"
#include "serval/audio/prepare.h"
#include "serval/core/error.h"

#include "tests/audio/golden_effects.h"
#include "tests/audio/sound_files.h"

namespace serval::audio {
namespace {

using ::testing::HasSubstr;

TEST(NoiseReductionTest, FollowsNoisereduce) {
  expect_golden("noise 1.5 1", reduce_noise(golden_signal(24000), {}), kTight);
  expect_golden("noise 0.5 0.7", reduce_noise(golden_signal(24000), {0.5, 0.7}), kTight);
  expect_golden("noise 48000", reduce_noise(golden_signal(24000, 48000), {}), kTight);
  expect_golden("noise short", reduce_noise(golden_signal(1100), {}), kTight);
}

// Longer than a piece: the seams and the noise of the first piece alone.
TEST(NoiseReductionTest, FollowsNoisereduceThroughItsPieces) {
  expect_golden("noise long", reduce_noise(golden_signal(640000), {}), kTight);
}

// Two seconds of steady noise, twenty times as loud in the middle quarter of a second.
Waveform burst_in_noise() {
  const std::vector<double> noise = white_noise(32000, {3, 0, RandomPurpose::kTest, 0, 0});
  Waveform out{{}, 16000};
  for (std::size_t i = 0; i < noise.size(); ++i) {
    const bool sounds = i >= 14000 && i < 18000;
    out.samples.push_back(static_cast<float>((sounds ? 0.2 : 0.01) * noise[i]));
  }
  return out;
}

TEST(NoiseReductionTest, TakesSteadyNoiseAndLeavesTheBurst) {
  const Waveform noisy = burst_in_noise();
  const Waveform clean = reduce_noise(noisy, {});
  const auto level = [](const Waveform& x, std::size_t begin, std::size_t end) {
    return rms({{x.samples.begin() + static_cast<std::ptrdiff_t>(begin),
                 x.samples.begin() + static_cast<std::ptrdiff_t>(end)},
                x.sample_rate_hz});
  };
  EXPECT_LT(level(clean, 2000, 12000), 0.2 * level(noisy, 2000, 12000));
  EXPECT_GT(level(clean, 15000, 17000), 0.8 * level(noisy, 15000, 17000));
}

// The weights are then 1 but within 500 Hz of the ends of the spectrum, where smoothing meets zeros.
TEST(NoiseReductionTest, ADecreaseOfNothingLeavesTheMiddleOfTheSpectrum) {
  const Waveform x{tone(1, 2500), 16000};
  const Waveform y = reduce_noise(x, {1.5, 0});
  for (std::size_t i = 2000; i < 14000; ++i) ASSERT_NEAR(y.samples[i], x.samples[i], 1e-5) << i;
}

TEST(NoiseReductionTest, RefusesWhatItCannotJudge) {
  EXPECT_EQ(message_of<DataError>([] { reduce_noise(golden_signal(1023), {}); }),
            "too short for noise reduction: 1023 samples, at least 1024 are needed");
  EXPECT_EQ(message_of<ConfigError>([] { reduce_noise(golden_signal(2000, 5119), {}); }),
            "noise reduction needs a sample rate of 5120 Hz or more, not 5119");
  Waveform bad = golden_signal(2000);
  bad.samples[7] = std::numeric_limits<float>::infinity();
  EXPECT_THAT(message_of<DataError>([&] { reduce_noise(bad, {}); }), HasSubstr("a sample is inf"));
  EXPECT_EQ(reduce_noise(golden_signal(1024, 5120), {}).samples.size(), 1024u);
  // Silence has no sound to keep and stays what it is.
  EXPECT_EQ(peak(reduce_noise({std::vector<float>(4000, 0.0f), 16000}, {})), 0);
}

}  // namespace
}  // namespace serval::audio
