#include "serval/audio/effects.h"

#include <cmath>
#include <complex>
#include <functional>
#include <limits>
#include <numbers>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "serval/audio/prepare.h"
#include "serval/core/error.h"

#include "tests/audio/golden_effects.h"
#include "tests/audio/sound_files.h"

namespace serval::audio {
namespace {

using ::testing::HasSubstr;

const RandomStream kStream{11, 2, RandomPurpose::kTest, 3, 4};

TEST(EffectsGoldenTest, TheSignalIsThatOfTheScript) { expect_golden("signal", golden_signal(24000), 2e-8); }

TEST(EffectsGoldenTest, StretchFollowsLibrosa) {
  for (const double rate : {0.8, 0.93, 1.21}) {
    expect_golden(cat("stretch ", rate), time_stretch(golden_signal(24000), rate), kTight);
  }
  expect_golden("stretch 1.0", time_stretch(golden_signal(24000), 1), kTight);
  expect_golden("stretch 2.0", time_stretch(golden_signal(24000), 2), kTight);
  expect_golden("stretch short", time_stretch(golden_signal(700), 1.3), kTight);
}

TEST(EffectsGoldenTest, PitchFollowsLibrosa) {
  for (const double semitones : {-2.0, 0.7, 5.0}) {
    expect_golden(cat("pitch ", semitones), pitch_shift(golden_signal(24000), semitones), kResampled);
  }
}

TEST(EffectsGoldenTest, SpeedFollowsLibrosa) {
  for (const double rate : {0.9, 1.1}) {
    expect_golden(cat("speed ", rate), change_speed(golden_signal(24000), rate), kResampled);
  }
}

TEST(EffectsGoldenTest, RollFollowsNumpy) {
  expect_golden("roll 5000", roll(golden_signal(24000), 5000), 2e-8);
  expect_golden("roll -77", roll(golden_signal(24000), -77), 2e-8);
}

TEST(EffectsGoldenTest, LowPassFollowsScipy) {
  for (const double cutoff_hz : {300.0, 3400.0, 7900.0}) {
    expect_golden(cat("low_pass ", cutoff_hz), low_pass(golden_signal(24000), cutoff_hz), kTight);
  }
}

TEST(EffectsGoldenTest, RoomFollowsScipy) {
  const Waveform forward = golden_signal(3000);
  std::vector<double> response(forward.samples.rbegin(), forward.samples.rend());
  for (std::size_t i = 0; i < response.size(); ++i) response[i] *= std::exp(-static_cast<double>(i) / 400);
  expect_golden("room", reverberate(golden_signal(24000), response), 2e-7);
}

// Rolling by any number of turns is rolling by what remains.
TEST(RollTest, GoesRound) {
  const Waveform x{{1, 2, 3, 4, 5}, 16000};
  EXPECT_EQ(roll(x, 2).samples, (std::vector<float>{4, 5, 1, 2, 3}));
  EXPECT_EQ(roll(x, -8).samples, roll(x, 2).samples);
  EXPECT_EQ(roll(x, 0).samples, x.samples);
  EXPECT_EQ(roll({{7}, 16000}, -3).samples, std::vector<float>{7});
}

TEST(GainTest, IsExactInDecibels) {
  const Waveform x{tone(0.1, 400, 0.5), 16000};
  EXPECT_NEAR(to_db(peak(change_gain(x, -6.5)) / peak(x)), -6.5, 1e-6);
  EXPECT_NEAR(to_db(peak(change_gain(x, 30)) / peak(x)), 30, 1e-6);  // beyond full scale, not clipped
  EXPECT_EQ(change_gain(x, 0).samples, x.samples);
}

TEST(StretchTest, KeepsThePitchAndPitchKeepsTheLength) {
  const Waveform x{tone(1, 500), 16000};
  const auto frequency_hz = [](const Waveform& y) {  // by zero crossings of the middle half
    int crossings = 0;
    const std::size_t begin = y.samples.size() / 4, end = 3 * y.samples.size() / 4;
    for (std::size_t i = begin; i < end; ++i)
      crossings += (y.samples[i] < 0) != (y.samples[i + 1] < 0) ? 1 : 0;
    return 0.5 * crossings * y.sample_rate_hz / static_cast<double>(end - begin);
  };
  EXPECT_NEAR(frequency_hz(time_stretch(x, 1.25)), 500, 3);
  EXPECT_EQ(time_stretch(x, 1.25).samples.size(), 12800u);
  EXPECT_NEAR(frequency_hz(pitch_shift(x, 12)), 1000, 5);
  EXPECT_EQ(pitch_shift(x, 12).samples.size(), 16000u);
  EXPECT_NEAR(frequency_hz(change_speed(x, 1.25)), 625, 3);
  EXPECT_EQ(change_speed(x, 1.25).samples.size(), 12800u);
}

TEST(StretchTest, TheShortestSounds) {
  EXPECT_EQ(time_stretch({{0.5f}, 16000}, 1).samples.size(), 1u);
  EXPECT_EQ(time_stretch({{0.5f, 0.1f, 0.2f}, 16000}, 1.4).samples.size(), 2u);
  EXPECT_EQ(pitch_shift({{0.5f, 0.25f}, 16000}, 24).samples.size(), 2u);
  EXPECT_THAT(message_of<DataError>([] {
                time_stretch({{0.5f}, 16000}, 4);
              }),
              HasSubstr("too short to be played at rate 4: 1 samples"));
}

TEST(NoiseTest, ReachesTheRatioExactly) {
  const Waveform x = golden_signal(20000);
  for (const double snr_db : {-10.0, 0.0, 13.7, 40.0}) {
    for (const bool pink : {false, true}) {
      const std::vector<double> noise = pink ? pink_noise(20000, kStream) : white_noise(20000, kStream);
      const Waveform y = add_noise(x, noise, snr_db);
      double sound = 0, added = 0;
      for (std::size_t i = 0; i < x.samples.size(); ++i) {
        const double difference = static_cast<double>(y.samples[i]) - x.samples[i];
        sound += static_cast<double>(x.samples[i]) * x.samples[i];
        added += difference * difference;
      }
      EXPECT_NEAR(10 * std::log10(sound / added), snr_db, 1e-5) << (pink ? "pink" : "white");
    }
  }
}

TEST(NoiseTest, WhiteIsNormal) {
  const std::vector<double> noise = white_noise(200000, {12, 2, RandomPurpose::kTest, 3, 4});
  double mean = 0, square = 0, fourth = 0, neighbours = 0;
  for (std::size_t i = 0; i < noise.size(); ++i) {
    mean += noise[i];
    square += noise[i] * noise[i];
    fourth += std::pow(noise[i], 4);
    neighbours += i > 0 ? noise[i] * noise[i - 1] : 0;
  }
  const auto n = static_cast<double>(noise.size());
  EXPECT_NEAR(mean / n, 0, 0.01);
  EXPECT_NEAR(square / n, 1, 0.01);
  EXPECT_NEAR(fourth / n, 3, 0.1);
  EXPECT_NEAR(neighbours / n, 0, 0.01);
}

// Against a plain transform of the same white numbers.
TEST(NoiseTest, PinkFallsWithFrequency) {
  constexpr std::size_t kSize = 256;
  const std::vector<double> white = white_noise(kSize, kStream);
  const std::vector<double> pink = pink_noise(200, kStream);
  ASSERT_EQ(pink.size(), 200u);
  const auto turn = [](std::size_t k, std::size_t n) {
    return std::polar(1.0, 2 * std::numbers::pi * static_cast<double>(k * n % kSize) / kSize);
  };
  std::vector<double> expected(kSize, 0.0);
  for (std::size_t k = 1; k < kSize; ++k) {
    std::complex<double> bin = 0;
    for (std::size_t n = 0; n < kSize; ++n) bin += white[n] * std::conj(turn(k, n));
    bin /= std::sqrt(static_cast<double>(std::min(k, kSize - k)));
    for (std::size_t n = 0; n < kSize; ++n) expected[n] += (bin * turn(k, n)).real() / kSize;
  }
  for (std::size_t n = 0; n < pink.size(); ++n) EXPECT_NEAR(pink[n], expected[n], 1e-12) << n;
}

TEST(NoiseTest, TheSameKeyGivesTheSameNumbersAndAnotherOthers) {
  EXPECT_EQ(white_noise(1001, kStream), white_noise(1001, kStream));
  RandomStream other = kStream;
  other.step = 9;
  EXPECT_NE(white_noise(1001, kStream), white_noise(1001, other));
  // A longer one begins with a shorter one.
  std::vector<double> longer = white_noise(2000, kStream);
  longer.resize(1001);
  EXPECT_EQ(longer, white_noise(1001, kStream));
}

TEST(RoomTest, TheSyntheticResponseDecaysAndHasItsRatio) {
  const std::vector<double> h = synthetic_response(16000, 0.5, 3, kStream);
  ASSERT_EQ(h.size(), 8001u);
  EXPECT_EQ(h[0], 1);
  double energy = 0;
  std::vector<double> parts(4, 0.0);
  for (std::size_t i = 1; i < h.size(); ++i) {
    energy += h[i] * h[i];
    parts[(i - 1) / 2000] += h[i] * h[i];
  }
  EXPECT_NEAR(10 * std::log10(1 / energy), 3, 1e-9);
  for (std::size_t i = 1; i < parts.size(); ++i)
    EXPECT_NEAR(10 * std::log10(parts[i - 1] / parts[i]), 15, 1.0) << i;
  EXPECT_EQ(synthetic_response(16000, 0.5, 3, kStream), h);
}

TEST(RoomTest, OneImpulseChangesNothingAndDelaysAreTakenOut) {
  const Waveform x = golden_signal(1000);
  const std::vector<double> impulse{0, 0, 0, -0.5};
  const Waveform y = reverberate(x, impulse);
  for (std::size_t i = 0; i < x.samples.size(); ++i) EXPECT_NEAR(y.samples[i], -x.samples[i], 1e-7) << i;
  EXPECT_NEAR(rms(reverberate(x, synthetic_response(16000, 0.3, 0, kStream))), rms(x), 1e-7);
}

TEST(EffectsTest, BadWaveformsAreRefusedByEachOne) {
  const std::vector<double> noise(64, 0.5), response{1, 0.5};
  const std::vector<std::function<void(const Waveform&)>> effects{
      [](const Waveform& x) { time_stretch(x, 1.1); },
      [](const Waveform& x) { pitch_shift(x, 1); },
      [](const Waveform& x) { change_speed(x, 1.1); },
      [](const Waveform& x) { roll(x, 1); },
      [](const Waveform& x) { change_gain(x, 1); },
      [](const Waveform& x) { low_pass(x, 1000); },
      [&](const Waveform& x) { add_noise(x, noise, 10); },
      [&](const Waveform& x) { add_scaled(x, noise, 0.1); },
      [&](const Waveform& x) { reverberate(x, response); },
  };
  const float nan = std::numeric_limits<float>::quiet_NaN();
  for (const auto& effect : effects) {
    EXPECT_EQ(message_of<DataError>([&] { effect({{}, 16000}); }), "there are no samples");
    EXPECT_EQ(message_of<DataError>([&] {
                effect({{0.1f, nan}, 16000});
              }),
              "a sample is nan; full scale is 1");
    EXPECT_THAT(message_of<DataError>([&] {
                  effect({{0.1f, 1e31f}, 16000});
                }),
                HasSubstr("a sample is 1e+31"));
  }
}

TEST(EffectsTest, BadParametersAreRefused) {
  const Waveform x = golden_signal(64);
  const std::vector<double> noise(64, 0.5);
  EXPECT_EQ(message_of<ConfigError>([&] { time_stretch(x, 0); }), "rate: 0 is out of range [0.1, 10]");
  EXPECT_EQ(message_of<ConfigError>([&] { change_speed(x, std::nan("")); }),
            "rate: nan is out of range [0.1, 10]");
  EXPECT_THAT(message_of<ConfigError>([&] { pitch_shift(x, 25); }), HasSubstr("semitones: 25"));
  EXPECT_THAT(message_of<ConfigError>([&] { change_gain(x, 121); }), HasSubstr("gain_db: 121"));
  EXPECT_EQ(message_of<ConfigError>([&] { low_pass(x, 8000); }),
            "cutoff_hz: 8000 is out of range (0, 8000): it must lie below half the sample rate");
  EXPECT_THAT(message_of<ConfigError>([&] { low_pass(x, 0); }), HasSubstr("cutoff_hz: 0"));
  EXPECT_THAT(message_of<ConfigError>([&] { add_noise(x, noise, 121); }), HasSubstr("snr_db: 121"));
  EXPECT_THAT(message_of<ConfigError>([&] { synthetic_response(16000, 0, 0, kStream); }),
              HasSubstr("rt60_s: 0"));
  EXPECT_THAT(message_of<ConfigError>([&] { synthetic_response(16000, 1, 61, kStream); }),
              HasSubstr("direct_to_reverberant_db: 61"));
}

TEST(EffectsTest, SilenceIsNamedWhereARatioNeedsSound) {
  const Waveform silence{std::vector<float>(64, 0.0f), 16000};
  const std::vector<double> noise(64, 0.5), nothing(64, 0.0);
  EXPECT_EQ(message_of<DataError>([&] { add_noise(silence, noise, 10); }),
            "silent: there is no signal-to-noise ratio");
  EXPECT_EQ(message_of<DataError>([&] { add_noise(golden_signal(64), nothing, 10); }),
            "the noise is silent: there is no signal-to-noise ratio");
  EXPECT_EQ(message_of<DataError>([&] { reverberate(golden_signal(64), nothing); }),
            "the room's response is silent");
  // The others leave silence silent.
  EXPECT_EQ(peak(time_stretch(silence, 0.8)), 0);
  EXPECT_EQ(peak(pitch_shift(silence, 3)), 0);
  EXPECT_EQ(peak(low_pass(silence, 3000)), 0);
  EXPECT_EQ(peak(reverberate(silence, noise)), 0);
}

}  // namespace
}  // namespace serval::audio
