#include "serval/audio/sound_print.h"

#include <cmath>
#include <numbers>
#include <numeric>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "serval/core/error.h"
#include "serval/core/philox.h"

#include "sound_files.h"

namespace serval::audio {
namespace {

// Something like speech: harmonics of a wandering pitch under a changing envelope, other words for each seed.
std::vector<float> speech(std::uint64_t seed, int rate_hz = 16000, double seconds = 2) {
  const RandomStream random{seed, 0, RandomPurpose::kTest, 0, 0};
  std::vector<float> out(static_cast<std::size_t>(seconds * rate_hz));
  double phase = 0;
  for (std::size_t i = 0; i < out.size(); ++i) {
    const double t = static_cast<double>(i) / rate_hz;
    const auto syllable = static_cast<std::uint64_t>(t * 5);
    const double along = t * 5 - static_cast<double>(syllable);
    const double pitch_hz =
        110 + 60 * static_cast<double>(random.uniform(4 * syllable)) + 20 * std::sin(7 * t);
    const double formant_hz = 300 + 900 * static_cast<double>(random.uniform(4 * syllable + 1));
    phase += 2 * std::numbers::pi * pitch_hz / rate_hz;
    double value = 0;
    for (int harmonic = 1; harmonic * pitch_hz < 1900; ++harmonic) {
      const double distance = (harmonic * pitch_hz - formant_hz) / 250;
      value += std::exp(-distance * distance) * std::cos(harmonic * phase);
    }
    out[i] = static_cast<float>(0.1 * value * std::sin(std::numbers::pi * along));
  }
  return out;
}

double alike(const SoundPrint& a, const SoundPrint& b) {
  return std::inner_product(a.description.begin(), a.description.end(), b.description.begin(), 0.0);
}

TEST(SoundPrint, StaysWhenTheLevelOrTheStartChanges) {
  std::vector<float> samples = speech(1);
  const SoundPrint print = sound_print(samples, 16000);
  EXPECT_EQ(print.rate_hz, 4000);
  EXPECT_EQ(print.description.size(), SoundPrint::kSize);
  EXPECT_NEAR(alike(print, print), 1, 1e-5);
  EXPECT_NEAR(waveform_correlation(print, print), 1, 1e-3);
  EXPECT_NEAR(spectrum_correlation(print, print), 1, 1e-3);

  std::vector<float> later(5000);
  for (const float sample : samples) later.push_back(-0.02f * sample);
  const SoundPrint moved = sound_print(later, 16000);
  EXPECT_GT(alike(print, moved), 0.98);
  EXPECT_GT(waveform_correlation(print, moved), 0.99);
  EXPECT_GT(spectrum_correlation(print, moved), 0.9);  // the silence counts as a level
}

// A plain second version of the low-pass: 10 periods of the low rate on each side, 0.9 of its band, Hann.
TEST(SoundPrint, ItsSamplesAreLowPassedAndThinned) {
  for (const int rate_hz : {16000, 8000, 22050}) {
    for (const std::size_t length : {1, 7, 300, 6001}) {
      const std::vector<float> all = speech(3, rate_hz);
      const std::vector<float> x(all.begin() + 500, all.begin() + 500 + static_cast<std::ptrdiff_t>(length));
      const int divisor = static_cast<int>(std::lround(rate_hz / 4000.0)), half = 10 * divisor;
      std::vector<double> taps, low;
      for (int n = -half; n <= half; ++n) {
        const double angle = std::numbers::pi * 0.9 * n / divisor;
        taps.push_back((n == 0 ? 1 : std::sin(angle) / angle) *
                       (0.5 + 0.5 * std::cos(std::numbers::pi * n / (half + 1))));
      }
      const double sum = std::accumulate(taps.begin(), taps.end(), 0.0);
      double peak = 0;
      for (int centre = 0; centre < static_cast<int>(length); centre += divisor) {
        double value = 0;
        for (int n = -half; n <= half; ++n) {
          if (centre + n >= 0 && centre + n < static_cast<int>(length))
            value += static_cast<double>(x[static_cast<std::size_t>(centre + n)]) *
                     taps[static_cast<std::size_t>(n + half)] / sum;
        }
        low.push_back(value);
        peak = std::max(peak, std::abs(value));
      }
      const SoundPrint print = sound_print(x, rate_hz);
      ASSERT_EQ(print.samples.size(), low.size()) << rate_hz << " Hz, " << length;
      for (std::size_t i = 0; i < low.size(); ++i)
        ASSERT_NEAR(print.samples[i], low[i] / peak * 32767, 0.51)
            << rate_hz << " Hz, " << length << ", " << i;
    }
  }
}

TEST(SoundPrint, WhatCannotReachABoundIsNotWorkedOut) {
  int skipped = 0, reached = 0;
  for (int i = 1; i < 6; ++i) {
    for (int k = i; k < 6; ++k) {
      const SoundPrint a = sound_print(speech(i), 16000), b = sound_print(speech(k), 16000);
      const double whole = waveform_correlation(a, b), bound = waveform_correlation(a, b, 0.75);
      if (whole >= 0.75) {
        EXPECT_EQ(bound, whole);
        ++reached;
      } else {
        EXPECT_TRUE(bound == whole || bound == 0);
        skipped += bound == 0;
      }
    }
  }
  EXPECT_EQ(reached, 5);
  EXPECT_GT(skipped, 0);
}

TEST(SoundPrint, TellsOtherWordsApart) {
  const SoundPrint a = sound_print(speech(1), 16000), b = sound_print(speech(2), 16000);
  EXPECT_LT(alike(a, b), 0.95);
  EXPECT_LT(waveform_correlation(a, b), 0.5);
  EXPECT_LT(spectrum_correlation(a, b), 0.8);
}

// The same harmonics with other phases: only the spectrum remembers.
TEST(SoundPrint, SpectraDoNotHearPhases) {
  constexpr int kRate_hz = 16000;
  const auto chord = [](double turn) {
    std::vector<float> out(2 * kRate_hz);
    for (std::size_t i = 0; i < out.size(); ++i) {
      const double t = static_cast<double>(i) / kRate_hz;
      double value = 0;
      for (int k = 1; k <= 9; ++k)
        value += std::cos(2 * std::numbers::pi * 170 * k * t + turn * k * k) * (1 + std::sin(3 * t + k));
      out[i] = static_cast<float>(0.03 * value);
    }
    return out;
  };
  const SoundPrint a = sound_print(chord(0), kRate_hz), b = sound_print(chord(1.3), kRate_hz);
  EXPECT_LT(waveform_correlation(a, b), 0.75);
  EXPECT_GT(spectrum_correlation(a, b), 0.95);
}

TEST(SoundPrint, OddRatesAndSilenceAndVeryShortSounds) {
  EXPECT_NEAR(sound_print(speech(3, 22050), 22050).rate_hz, 3675, 1e-9);
  EXPECT_NEAR(sound_print(speech(3, 4100), 4100).rate_hz, 4100, 1e-9);
  EXPECT_THROW(sound_print(speech(3), 3999), InternalError);
  const SoundPrint silence = sound_print(std::vector<float>(16000), 16000),
                   some = sound_print(speech(3), 16000);
  EXPECT_TRUE(silence.silent());
  EXPECT_THAT(silence.description, testing::Each(0.0f));
  EXPECT_EQ(waveform_correlation(silence, some), 0);
  EXPECT_EQ(spectrum_correlation(some, silence), 0);
  EXPECT_TRUE(sound_print({}, 16000).silent());
  const SoundPrint click = sound_print(std::vector<float>{0.5f, -0.25f}, 16000);
  EXPECT_FALSE(click.silent());
  EXPECT_GE(waveform_correlation(click, some), 0);
  EXPECT_THROW(waveform_correlation(some, sound_print(speech(3, 22050), 22050)), InternalError);
}

}  // namespace
}  // namespace serval::audio
