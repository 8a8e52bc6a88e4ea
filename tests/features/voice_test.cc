// Pitch, harmonicity, Teager energy, modulation and PCEN: against plain second versions in double, at the edges, and
// with settings that do not fit.
#include <cmath>
#include <numbers>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "serval/core/json.h"
#include "serval/core/settings_io.h"
#include "serval/features/extractor.h"

#include "src/features/pitch_tables.h"
#include "tests/features/signals.h"
#include "tests/support/devices.h"

namespace serval::features {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr int kRateHz = 8000;

FeatureSettings parse(const std::string& json) {
  std::vector<std::string> errors;
  FeatureSettings s = read_settings<FeatureSettings>(parse_json(json, "f.json"), errors);
  EXPECT_THAT(errors, IsEmpty());
  return s;
}

// Harmonics of a pitch that glides from `from_hz` to `to_hz`.
audio::Waveform glide(int samples, double from_hz, double to_hz, double noise = 0) {
  const RandomStream random{.seed = 5};
  audio::Waveform clip;
  clip.sample_rate_hz = kRateHz;
  double phase = 0;
  for (int i = 0; i < samples; ++i) {
    phase += 2 * std::numbers::pi * (from_hz + (to_hz - from_hz) * i / samples) / kRateHz;
    double x = noise * (random.uniform(static_cast<std::uint64_t>(i)) - 0.5);
    for (int k = 1; k < 6; ++k) x += 0.1 / k * std::cos(k * phase);
    clip.samples.push_back(static_cast<float>(x));
  }
  return clip;
}

class VoiceTest : public testing_support::DeviceTest {
 protected:
  FeatureMatrix extract(const FeatureSettings& s, const audio::Waveform& clip) {
    return Extractor(s, clip.sample_rate_hz, context_).run({&clip, 1}).front();
  }
  std::vector<float> column(const FeatureSettings& s, const audio::Waveform& clip, std::int64_t number) {
    const FeatureMatrix m = extract(s, clip);
    std::vector<float> out;
    for (std::int64_t f = 0; f < m.frames; ++f) {
      out.push_back(m.values[static_cast<std::size_t>(f * m.dimension + number)]);
    }
    return out;
  }
  Context context_{device(), 1};
};

// A frame's samples by definition, zeros outside the clip.
std::vector<double> frame_of(const audio::Waveform& clip, std::int64_t frame, int hop, int length) {
  std::vector<double> x;
  for (int n = 0; n < length; ++n) {
    const std::int64_t at = frame * hop - length / 2 + n;
    const bool inside = at >= 0 && at < static_cast<std::int64_t>(clip.samples.size());
    x.push_back(inside ? clip.samples[static_cast<std::size_t>(at)] : 0);
  }
  return x;
}

double naive_yin(const std::vector<double>& x, int min_period, int max_period, double threshold) {
  std::vector<double> d{1};
  double sum = 0;
  for (int k = 1; k <= max_period; ++k) {
    double difference = 0;
    for (std::size_t n = 0; n < x.size(); ++n) {
      const std::size_t other = n + static_cast<std::size_t>(k);
      difference += std::pow(x[n] - (other < x.size() ? x[other] : 0), 2);
    }
    sum += difference;
    d.push_back(sum > 0 ? difference * k / sum : 0);
  }
  const auto at = [&](int k) { return d[static_cast<std::size_t>(k)]; };
  int best = min_period;
  for (int k = min_period; k <= max_period; ++k) {
    if (at(k) < at(best)) best = k;
    const bool falls = k == min_period || at(k) < at(k - 1);
    const bool rises = k == max_period || at(k) <= at(k + 1);
    if (falls && rises && !(k == min_period && at(k) == at(k + 1)) && at(k) < threshold) {
      best = k;
      break;
    }
  }
  double shift = 0;
  if (best > min_period && best < max_period) {
    const double a = at(best + 1) + at(best - 1) - 2 * at(best), b = (at(best + 1) - at(best - 1)) / 2;
    if (std::abs(b) < std::abs(a)) shift = -b / a;
  }
  return kRateHz / (best + shift);
}

TEST_P(VoiceTest, YinFollowsItsDefinition) {
  const audio::Waveform clip = glide(4000, 110, 320, 0.02);
  const FeatureSettings s =
      parse(R"({"type": "f0", "f0_method": "yin", "window_ms": 41, "hop_ms": 10, "unvoiced": "guess"})");
  const std::vector<float> got = column(s, clip, 0);
  ASSERT_EQ(got.size(), 51u);
  for (std::size_t f = 0; f < got.size(); ++f) {
    const double expected =
        naive_yin(frame_of(clip, static_cast<std::int64_t>(f), 80, 328), 10, 124, s.trough_threshold);
    EXPECT_NEAR(got[f], expected, 1e-4 * expected) << f;
  }
}

TEST_P(VoiceTest, BothMethodsFollowAGlideAndFindItsRests) {
  audio::Waveform clip = glide(8000, 120, 240, 1e-4);
  for (std::size_t i = 3500; i < 5000; ++i) clip.samples[i] = 0;
  for (const char* method : {"yin", "pyin"}) {
    const FeatureSettings s = parse(cat(R"({"type": "f0", "f0_method": ")", method, "\"}"));
    const FeatureMatrix got = extract(s, clip);
    ASSERT_EQ(got.dimension, 3);
    for (std::int64_t f = 5; f < got.frames - 5; ++f) {
      const float* row = got.values.data() + f * 3;
      const double truth_hz = 120 + 120.0 * static_cast<double>(f) * 80 / 8000;
      if (f > 50 && f < 56) {
        EXPECT_THAT(std::vector<float>(row, row + 2), ElementsAre(0, 0)) << method << f;
      } else if (f < 38 || f > 68) {
        EXPECT_EQ(row[1], 1) << method << f;
        EXPECT_NEAR(row[0], truth_hz, 0.015 * truth_hz) << method << f;
        EXPECT_GT(row[2], 0.5) << method << f;
      }
    }
  }
}

TEST_P(VoiceTest, RestsCanBeBridged) {
  audio::Waveform clip = glide(8000, 160, 160);
  for (std::size_t i = 0; i < 8000; ++i) {
    if (i < 1500 || i >= 6500 || (i >= 3000 && i < 4500)) clip.samples[i] = 0;
  }
  const FeatureSettings s = parse(R"({"type": "f0", "unvoiced": "interpolate"})");
  for (const float f0_hz : column(s, clip, 0)) EXPECT_NEAR(f0_hz, 160, 12);
  EXPECT_THAT(column(s, clip, 1), Contains(0));
  clip.samples.assign(3000, 0.0f);
  EXPECT_THAT(extract(s, clip).values, Each(0));
}

TEST_P(VoiceTest, SilenceConstantsAndSingleSamplesAreUnvoiced) {
  for (const char* method : {"yin", "pyin"}) {
    const FeatureSettings s = parse(cat(R"({"type": "f0", "f0_method": ")", method, "\"}"));
    for (const audio::Waveform& clip :
         {audio::Waveform{std::vector<float>(900, 0.0f), kRateHz}, audio::Waveform{{0.5f}, kRateHz}}) {
      EXPECT_THAT(column(s, clip, 0), Each(0)) << method;
      EXPECT_THAT(column(s, clip, 1), Each(0)) << method;
    }
  }
  const FeatureSettings hnr = parse(R"({"type": "hnr"})");
  EXPECT_THAT(extract(hnr, {std::vector<float>(900, 0.0f), kRateHz}).values, Each(-20));
  EXPECT_THAT(extract(hnr, {{0.5f}, kRateHz}).values, Each(-20));
}

TEST_P(VoiceTest, AFullScaleSquareHasItsPitch) {
  audio::Waveform clip;
  clip.sample_rate_hz = kRateHz;
  for (int i = 0; i < 4000; ++i) clip.samples.push_back(i % 50 < 25 ? 1.0f : -1.0f);
  for (const char* method : {"yin", "pyin"}) {
    const std::vector<float> got =
        column(parse(cat(R"({"type": "f0", "f0_method": ")", method, "\"}")), clip, 0);
    for (std::size_t f = 4; f < 46; ++f) EXPECT_NEAR(got[f], 160, 0.5) << method << f;
  }
}

TEST_P(VoiceTest, HnrMeasuresTheNoiseThatWasAdded) {
  for (const double ratio_db : {0.0, 10.0, 20.0}) {
    const RandomStream random{.seed = 9};
    audio::Waveform clip;
    clip.sample_rate_hz = 16000;
    // A harmonic tone of power 1 under uniform noise of power 10^(-ratio / 10).
    const double width = std::sqrt(12 * std::pow(10, -ratio_db / 10));
    for (int i = 0; i < 16000; ++i) {
      double x = width * (random.uniform(static_cast<std::uint64_t>(i)) - 0.5);
      for (int k = 1; k < 5; ++k) x += std::sqrt(0.5) * std::cos(2 * std::numbers::pi * k * 200 * i / 16000);
      clip.samples.push_back(static_cast<float>(0.1 * x));
    }
    const std::vector<float> got = column(parse(R"({"type": "hnr", "hop_ms": 20})"), clip, 0);
    double mean_db = 0;
    for (std::size_t f = 5; f < 45; ++f) mean_db += got[f] / 40;
    EXPECT_NEAR(mean_db, ratio_db, 0.7);
  }
}

TEST_P(VoiceTest, TeagerEnergyOfASineIsItsFormula) {
  // x = a cos(w n): x[n]^2 - x[n - 1] x[n + 1] = a^2 sin(w)^2.
  audio::Waveform clip;
  clip.sample_rate_hz = kRateHz;
  for (int i = 0; i < 800; ++i) clip.samples.push_back(static_cast<float>(0.3 * std::cos(0.7 * i)));
  const double expected = std::pow(0.3 * std::sin(0.7), 2);
  const std::vector<float> mean = extract(parse(R"({"type": "teager"})"), clip).values;
  const std::vector<float> log_mean =
      extract(parse(R"({"type": "teager", "teager": "log_mean_abs"})"), clip).values;
  for (std::size_t f = 2; f < 8; ++f) {
    EXPECT_NEAR(mean[f], expected, 1e-7);
    EXPECT_NEAR(log_mean[f], std::log(expected), 1e-5);
  }
  const audio::Waveform noise = test_clip(500, kRateHz, 3);
  const std::vector<float> got =
      extract(parse(R"({"type": "teager", "teager": "mean_abs", "window_samples": 100, "hop_samples": 50})"),
              noise)
          .values;
  for (std::size_t f = 0; f < got.size(); ++f) {
    const std::vector<double> x = frame_of(noise, static_cast<std::int64_t>(f), 50, 100);
    double sum = 0;
    for (std::size_t n = 1; n < 99; ++n) sum += std::abs(x[n] * x[n] - x[n - 1] * x[n + 1]);
    EXPECT_NEAR(got[f], sum / 98, 1e-7);
  }
}

TEST_P(VoiceTest, ModulationIsThatOfTheBands) {
  const audio::Waveform clip = test_clip(6000, kRateHz, 2);
  const FeatureMatrix mel = extract(parse(R"({"type": "log_mel", "n_mels": 6})"), clip);
  const FeatureSettings s = parse(
      R"({"type": "modulation", "n_mels": 6, "modulation_window_ms": 310, "modulation_min_hz": 4, "modulation_bands": 3})");
  const FeatureMatrix got = extract(s, clip);
  ASSERT_EQ(got.dimension, 18);
  constexpr int kWindow = 31;
  for (std::int64_t f = 0; f < got.frames; f += 7) {
    for (int m = 0; m < 6; ++m) {
      std::vector<double> e;
      double mean = 0;
      for (int n = 0; n < kWindow; ++n) {
        const std::int64_t at = std::clamp<std::int64_t>(f - kWindow / 2 + n, 0, mel.frames - 1);
        e.push_back(mel.values[static_cast<std::size_t>(at * 6 + m)]);
        mean += e.back() / kWindow;
      }
      for (int band = 0; band < 3; ++band) {
        double sum = 0;
        int bins = 0;
        for (int k = 0; k <= kWindow / 2; ++k) {
          const double hz = 100.0 * k / kWindow;
          if (hz < 4 * (1 << band) || hz >= 8 * (1 << band)) continue;
          double re = 0, im = 0;
          for (int n = 0; n < kWindow; ++n) {
            const double angle = 2 * std::numbers::pi * n / kWindow;
            const double x = (0.5 - 0.5 * std::cos(angle)) * (e[static_cast<std::size_t>(n)] - mean);
            re += x * std::cos(k * angle);
            im += x * std::sin(k * angle);
          }
          sum += 2 * std::hypot(re, im) / (kWindow / 2.0);
          ++bins;
        }
        EXPECT_NEAR(got.values[static_cast<std::size_t>(f * 18 + m * 3 + band)], sum / bins, 1e-3) << f;
      }
    }
  }
}

TEST_P(VoiceTest, PcenFollowsItsDefinition) {
  const audio::Waveform clip = test_clip(3000, kRateHz, 2);
  const FeatureMatrix mel = extract(parse(R"({"type": "mel", "n_mels": 6, "power": 1})"), clip);
  const double t = 0.4 * 100;
  const double b = (std::sqrt(1 + 4 * t * t) - 1) / (2 * t * t);
  for (const double bias : {2.0, 0.0}) {
    for (const double power : {0.5, 0.0}) {
      const FeatureMatrix got = extract(parse(cat(R"({"type": "pcen", "n_mels": 6, "pcen_bias": )", bias,
                                                  R"(, "pcen_power": )", power, "}")),
                                        clip);
      for (std::size_t m = 0; m < 6; ++m) {
        double smooth = 1;
        for (std::size_t f = 0; f < static_cast<std::size_t>(got.frames); ++f) {
          const double energy = mel.values[f * 6 + m];
          smooth = b * energy + (1 - b) * smooth;
          const double level = energy * std::pow(1e-6 + smooth, -0.98);
          const double expected =
              power == 0 ? std::log1p(level) : std::pow(level + bias, power) - std::pow(bias, power);
          EXPECT_NEAR(got.values[f * 6 + m], expected, 1e-5 * (1 + expected));
        }
      }
    }
  }
}

TEST_P(VoiceTest, FrameSizesOfOddLengthAndTheSameBitsTwice) {
  const audio::Waveform clip = test_clip(5000, kRateHz, 7);
  for (const char* json :
       {R"({"type": "f0", "window_samples": 401})", R"({"type": "hnr"})",
        R"({"type": "modulation", "modulation_window_ms": 1000, "modulation_min_hz": 1})"}) {
    const std::vector<float> first = extract(parse(json), clip).values;
    EXPECT_EQ(extract(parse(json), clip).values, first) << json;
    for (const float value : first) EXPECT_TRUE(std::isfinite(value)) << json;
  }
}

std::string plan_error(const std::string& json, int rate_hz = kRateHz) {
  try {
    const Context context;
    Extractor(parse(json), rate_hz, context);
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "no error";
}
std::vector<std::string> errors_of(const std::string& json) {
  std::vector<std::string> errors;
  read_settings<FeatureSettings>(parse_json(json, "f.json"), errors);
  return errors;
}

TEST(VoiceSettings, ThatDoNotFitAreErrors) {
  EXPECT_THAT(plan_error(R"({"type": "f0", "f0_min_hz": 50, "window_ms": 25})"),
              AllOf(HasSubstr("two periods of f0_min_hz 50 do not fit the window of 200 samples"),
                    HasSubstr("window_ms 40 or 320 samples, or f0_min_hz 80")));
  EXPECT_THAT(plan_error(R"({"type": "f0", "f0_max_hz": 4001})"),
              HasSubstr("f0_max_hz 4001 is above 4000 Hz, half the sample rate"));
  EXPECT_THAT(errors_of(R"({"type": "f0", "f0_min_hz": 500, "f0_max_hz": 500})"),
              Contains(HasSubstr("f0_max_hz: must be above f0_min_hz, which is 500 Hz")));
  EXPECT_THAT(errors_of(R"({"type": "f0", "f0_method": "yin", "n_thresholds": 5})"),
              Contains(HasSubstr("n_thresholds")));
  EXPECT_THAT(errors_of(R"({"type": "f0", "switch_probability": 1})"),
              Contains(HasSubstr("must be below 1")));
  EXPECT_THAT(errors_of(R"({"type": "f0", "n_fft": 512})"), Contains(HasSubstr("n_fft")));
  EXPECT_THAT(plan_error(R"({"type": "hnr", "hnr_min_hz": 1001})"), HasSubstr("is above 1000 Hz, an eighth"));
  EXPECT_THAT(plan_error(R"({"type": "hnr", "hnr_min_hz": 1})"), HasSubstr("at most 32768"));
  EXPECT_THAT(plan_error(R"({"type": "teager", "window_samples": 2})"), HasSubstr("at least 3 samples"));
  EXPECT_THAT(plan_error(R"({"type": "modulation", "modulation_bands": 8})"),
              AllOf(HasSubstr("reach 128 Hz"), HasSubstr("at most 50 Hz")));
  EXPECT_THAT(plan_error(R"({"type": "modulation", "modulation_window_ms": 1000})"),
              AllOf(HasSubstr("is 100 frames"), HasSubstr("asks for 200"), HasSubstr("2000 ms")));
}

TEST(VoiceSettings, PitchHasAWindowOfItsOwn) {
  EXPECT_EQ(parse(R"({"type": "f0"})").window_ms, 64);
  EXPECT_EQ(parse(R"({"type": "f0", "preset": "librosa"})").window_samples, 2048);
  const FeatureSettings stack = parse(
      R"({"type": "stack", "window_ms": 20, "hop_ms": 5, "parts": [{"type": "mfcc"}, {"type": "f0"}]})");
  EXPECT_EQ(stack.parts[1].window_ms, 64);
  EXPECT_EQ(stack.parts[1].hop_ms, 5);
  const Context context;
  EXPECT_EQ(Extractor(stack, kRateHz, context).dimension(), 23);
}

TEST(PitchTables, BetaDistribution) {
  // scipy.stats.beta.cdf
  EXPECT_NEAR(detail::beta_cdf(0.1, 2, 18), 0.5797350211684026, 1e-13);
  EXPECT_NEAR(detail::beta_cdf(0.5, 2, 18), 0.9999618530273438, 1e-14);
  EXPECT_NEAR(detail::beta_cdf(0.3, 0.5, 0.5), 0.36901011956554536, 1e-13);
  EXPECT_NEAR(detail::beta_cdf(0.9, 700, 90), 0.8942844088022756, 1e-11);
  EXPECT_EQ(detail::beta_cdf(0, 2, 18), 0);
  EXPECT_EQ(detail::beta_cdf(1, 2, 18), 1);
}

TEST(PitchTables, LocalTransitions) {
  const detail::LocalTransitions odd = detail::LocalTransitions::make(5, 3);
  EXPECT_THAT(odd.weights, ElementsAre(0.5, 1, 0.5));
  EXPECT_THAT(odd.divisors, ElementsAre(1.5, 2, 2, 2, 1.5));
  // librosa: an even width reaches one further up among an even number of states, one further down otherwise.
  const detail::LocalTransitions even = detail::LocalTransitions::make(6, 4);
  EXPECT_EQ(even.half_left, 1);
  EXPECT_EQ(even.half_right, 2);
  EXPECT_THAT(even.weights, ElementsAre(0.25, 0.75, 0.75, 0.25));
  EXPECT_EQ(detail::LocalTransitions::make(7, 4).half_left, 2);
}

SERVAL_DEVICE_TESTS(VoiceTest);

}  // namespace
}  // namespace serval::features
