#include "serval/audio/resample.h"

#include <cmath>
#include <numbers>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/audio/librosa_golden.h"
#include "tests/audio/sound_files.h"

namespace serval::audio {
namespace {

// Amplitude and phase of one frequency, by projection onto it in double precision, away from the ends.
struct Line {
  double amplitude;
  double phase;
};
Line line_at(const Waveform& waveform, double frequency_hz) {
  const std::size_t n = waveform.samples.size();
  // Hann-weighted, so that what is left of other frequencies does not leak in.
  double re = 0;
  double im = 0;
  double weight = 0;
  for (std::size_t i = n / 8; i < n - n / 8; ++i) {
    const double place = static_cast<double>(i - n / 8) / static_cast<double>(n - 2 * (n / 8));
    const double w = 0.5 - 0.5 * std::cos(2 * std::numbers::pi * place);
    const double angle =
        2 * std::numbers::pi * frequency_hz * static_cast<double>(i) / waveform.sample_rate_hz;
    re += w * waveform.samples[i] * std::sin(angle);
    im += w * waveform.samples[i] * std::cos(angle);
    weight += w / 2;
  }
  return {std::hypot(re, im) / weight, std::atan2(im, re)};
}

struct Case {
  Resampler resampler;
  double pass_tolerance;   // of the amplitude in the pass band
  double alias_amplitude;  // that may remain of a tone above the new Nyquist frequency
  const char* name;
};
class ResampleTest : public ::testing::TestWithParam<Case> {};

TEST_P(ResampleTest, KeepsATonesFrequencyAmplitudeAndPhase) {
  for (const int from_hz : {8000, 22050, 24414, 44100, 48000, 96000}) {
    for (const double frequency_hz : {100.0, 1000.0, 2500.0}) {
      SCOPED_TRACE(cat(from_hz, " Hz, tone of ", frequency_hz));
      const Waveform out =
          resample({tone(1, frequency_hz, 0.5, from_hz), from_hz}, 16000, GetParam().resampler);
      EXPECT_EQ(out.sample_rate_hz, 16000);
      EXPECT_EQ(out.samples.size(), 16000u);
      const Line line = line_at(out, frequency_hz);
      EXPECT_NEAR(line.amplitude, 0.5, 0.5 * GetParam().pass_tolerance);
      EXPECT_NEAR(line.phase, 0, 1e-4);
    }
  }
}

TEST_P(ResampleTest, RemovesWhatTheNewRateCannotHold) {
  // 11 kHz would appear at 5 kHz.
  const Waveform out = resample({tone(1, 11000, 0.5, 48000), 48000}, 16000, GetParam().resampler);
  EXPECT_LT(line_at(out, 5000).amplitude, GetParam().alias_amplitude);
}

TEST_P(ResampleTest, RoundsTheLengthUp) {
  for (const std::size_t n : {1u, 2u, 3u, 100u, 1001u}) {
    const Waveform out = resample({std::vector<float>(n, 0.1f), 48000}, 16000, GetParam().resampler);
    EXPECT_EQ(out.samples.size(), (n + 2) / 3);
    for (const float sample : out.samples) ASSERT_TRUE(std::isfinite(sample));
  }
}

TEST_P(ResampleTest, SameRateIsTheSameSound) {
  const std::vector<float> samples = tone(0.1);
  EXPECT_EQ(resample({samples, 16000}, 16000, GetParam().resampler).samples, samples);
  EXPECT_TRUE(resample({{}, 8000}, 16000, GetParam().resampler).samples.empty());
}

TEST_P(ResampleTest, GivesTheSameBitsAgain) {
  const Waveform input{tone(0.3, 700, 0.4, 44100), 44100};
  EXPECT_EQ(resample(input, 16000, GetParam().resampler).samples,
            resample(input, 16000, GetParam().resampler).samples);
}

INSTANTIATE_TEST_SUITE_P(All, ResampleTest,
                         ::testing::Values(Case{Resampler::kSoxrHq, 1e-4, 1e-5, "soxr_hq"},
                                           Case{Resampler::kSoxrVhq, 1e-5, 1e-6, "soxr_vhq"},
                                           Case{Resampler::kKaiserFast, 2e-3, 1e-3, "kaiser_fast"}),
                         [](const auto& tested) { return std::string(tested.param.name); });

std::vector<float> chord() {
  std::vector<float> out(4410);
  for (std::size_t i = 0; i < out.size(); ++i) {
    const double t = static_cast<double>(i) / 44100;
    out[i] = static_cast<float>(0.5 * std::sin(2 * std::numbers::pi * 440 * t) +
                                0.25 * std::sin(2 * std::numbers::pi * 3000 * t));
  }
  return out;
}

TEST(SoxrTest, MatchesLibrosa) {
  const auto check = [](int rate_hz, std::size_t length, const std::vector<float>& every_37th) {
    const Waveform out = resample({chord(), 44100}, rate_hz, Resampler::kSoxrHq);
    ASSERT_EQ(out.samples.size(), length);
    for (std::size_t i = 0; i < every_37th.size(); ++i) {
      EXPECT_NEAR(out.samples[37 * i], every_37th[i], 2e-6) << rate_hz << " Hz, sample " << 37 * i;
    }
  };
  check(16000, golden::kLength16000, golden::kEvery37th16000);
  check(22050, golden::kLength22050, golden::kEvery37th22050);
  check(48000, golden::kLength48000, golden::kEvery37th48000);
}

// One sample of 1 among zeros shows the filter itself: h(k / r - n) of the header, by its formula.
TEST(KaiserFastTest, IsTheWindowedSincOfItsFormula) {
  const auto i0 = [](double x) { return std::cyl_bessel_i(0.0, x); };
  std::vector<float> impulse(401, 0.0f);
  impulse[200] = 1;
  for (const int to_hz : {16000, 24000, 96000}) {
    const double ratio = to_hz / 48000.0;
    const double scale = std::min(1.0, ratio);
    const Waveform out = resample({impulse, 48000}, to_hz, Resampler::kKaiserFast);
    for (std::size_t k = 0; k < out.samples.size(); ++k) {
      const double t = static_cast<double>(k) / ratio - 200;
      const double u = scale * t / 16;
      const double x = std::numbers::pi * 0.85 * scale * t;
      const double window =
          std::abs(u) < 1 ? i0(8.555504641634386 * std::sqrt(1 - u * u)) / i0(8.555504641634386) : 0;
      const double expected = 0.85 * scale * (t == 0 ? 1 : std::sin(x) / x) * window;
      ASSERT_NEAR(out.samples[k], expected, 1e-7) << to_hz << " Hz, sample " << k;
    }
  }
}

}  // namespace
}  // namespace serval::audio
