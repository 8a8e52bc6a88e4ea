// Presets, stacks and statistics: what is read, how columns lie, and the statistics against their definitions.
#include <algorithm>
#include <cmath>
#include <numeric>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "serval/core/json.h"
#include "serval/core/settings_io.h"
#include "serval/features/extractor.h"

#include "tests/features/signals.h"
#include "tests/support/devices.h"

namespace serval::features {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr int kRateHz = 16000;

FeatureSettings parse(const std::string& json) {
  std::vector<std::string> errors;
  FeatureSettings s = read_settings<FeatureSettings>(parse_json(json, "f.json"), errors);
  EXPECT_THAT(errors, IsEmpty());
  return s;
}
std::vector<std::string> errors_of(const std::string& json) {
  std::vector<std::string> errors;
  read_settings<FeatureSettings>(parse_json(json, "f.json"), errors);
  return errors;
}

TEST(Presets, ComeFirstAndCanBeChanged) {
  const FeatureSettings kaldi = parse(R"({"n_mels": 40, "type": "log_mel", "preset": "kaldi", "hop_ms": 5})");
  EXPECT_EQ(kaldi.window, WindowShape::kPovey);
  EXPECT_EQ(kaldi.padding, Padding::kNone);
  EXPECT_EQ(kaldi.n_mels, 40);
  EXPECT_EQ(kaldi.hop_ms, 5);
  const FeatureSettings librosa = parse(R"({"type": "mfcc", "preset": "librosa", "window_ms": 25})");
  EXPECT_EQ(librosa.n_fft, 2048);
  EXPECT_EQ(librosa.window_samples, 0);  // the duration that is given counts
  EXPECT_EQ(librosa.hop_samples, 512);
  EXPECT_EQ(parse(R"({"type": "mel"})").log, LogScale::kNone);
  EXPECT_EQ(parse(R"({"type": "log_mel"})").log, LogScale::kDb);
}

TEST(Presets, ResolvedSettingsReadBackTheSame) {
  for (
      const char* json :
      {R"({"type": "mfcc", "preset": "htk", "deltas": 2})", R"({"type": "log_mel", "preset": "torchaudio"})",
       R"({"type": "mel", "preset": "librosa", "log": "db", "statistics": ["mean", "p95"]})",
       R"({"type": "stack", "preset": "librosa", "n_fft": 1024, "window_samples": 1024, "statistics": ["mean"],
            "parts": [{"type": "mfcc"}, {"type": "mel"}, {"type": "waveform", "statistics": ["kurtosis"]}]})"}) {
    const std::string resolved = write_json(settings_to_json(parse(json)));
    EXPECT_EQ(write_json(settings_to_json(parse(resolved))), resolved) << json;
  }
}

TEST(Stack, PartsStartFromTheStacksFrames) {
  const FeatureSettings s = parse(
      R"({"type": "stack", "preset": "kaldi", "window_ms": 32, "padding": "mirror", "statistics": ["std"],
          "parts": [{"type": "mfcc"}, {"type": "energy", "hop_ms": 20, "statistics": ["mean"]}]})");
  ASSERT_EQ(s.parts.size(), 2u);
  EXPECT_EQ(s.parts[0].window, WindowShape::kPovey);
  EXPECT_EQ(s.parts[0].window_ms, 32);
  EXPECT_EQ(s.parts[0].padding, Padding::kMirror);
  EXPECT_EQ(s.parts[1].hop_ms, 20);
  EXPECT_THAT(s.parts[0].statistics, ElementsAre("std"));
  EXPECT_THAT(s.parts[1].statistics, ElementsAre("mean"));
}

TEST(Stack, ErrorsNameThePart) {
  EXPECT_THAT(errors_of(R"({"type": "stack", "parts": []})"), Contains(HasSubstr("at least one part")));
  EXPECT_THAT(errors_of(R"({"type": "stack"})"), Contains(HasSubstr("parts: is missing")));
  EXPECT_THAT(errors_of(R"({"type": "stack", "parts": [{"type": "mfcc", "n_mfc": 3}]})"),
              Contains(AllOf(HasSubstr("parts[0].n_mfc"), HasSubstr("did you mean \"n_mfcc\"?"))));
  EXPECT_THAT(errors_of(R"({"type": "stack", "parts": [{"type": "stack"}]})"),
              Contains(HasSubstr("\"stack\" is not one of")));
  EXPECT_THAT(errors_of(R"({"type": "stack", "deltas": 1, "parts": [{"type": "mel", "deltas": 1}]})"),
              Contains(HasSubstr("keep one of the two")));
  EXPECT_THAT(
      errors_of(R"({"type": "stack", "parts": [{"type": "mel"}, {"type": "mel", "statistics": ["mean"]}]})"),
      Contains(HasSubstr("either every part has statistics or none has")));
  EXPECT_THAT(errors_of(R"({"type": "mel", "statistics": ["mode", "p101", "p5"]})"),
              ElementsAre(HasSubstr("\"mode\" is not one of"), HasSubstr("\"p101\" is not one of")));
  EXPECT_THAT(errors_of(R"({"type": "log_mel", "log": "none"})"), Contains(HasSubstr("needs a logarithm")));
  EXPECT_THAT(errors_of(R"({"type": "waveform", "n_fft": 512})"), Contains(HasSubstr("n_fft")));
}

TEST(Stack, PartsWithOtherFramesAreAnError) {
  const Context context;
  FeatureSettings s =
      parse(R"({"type": "stack", "parts": [{"type": "mel"}, {"type": "energy", "hop_ms": 5}]})");
  try {
    Extractor(s, kRateHz, context);
    ADD_FAILURE() << "no error";
  } catch (const ConfigError& error) {
    EXPECT_THAT(error.what(), AllOf(HasSubstr("\"log_energy\" has a hop of 80 samples"), HasSubstr("160")));
  }
  for (PartSettings& part : s.parts) part.statistics = {"mean"};
  EXPECT_EQ(Extractor(s, kRateHz, context).dimension(), 65);
}

class StackTest : public testing_support::DeviceTest {
 protected:
  FeatureMatrix extract(const FeatureSettings& s, const audio::Waveform& clip) {
    return Extractor(s, clip.sample_rate_hz, context_).run({&clip, 1}).front();
  }
  Context context_{device(), 1};
};

TEST_P(StackTest, ColumnsStandSideBySideAndDeltasBehindThem) {
  const audio::Waveform clip = test_clip(6000, kRateHz, 2);
  FeatureSettings s = parse(
      R"({"type": "stack", "deltas": 2, "parts": [{"type": "mfcc", "n_mfcc": 5}, {"type": "energy"}]})");
  const FeatureMatrix got = extract(s, clip);
  EXPECT_EQ(got.dimension, 18);
  FeatureSettings mfcc = parse(R"({"type": "mfcc", "n_mfcc": 5, "deltas": 2})");
  FeatureSettings energy = parse(R"({"type": "energy", "deltas": 2})");
  const FeatureMatrix left = extract(mfcc, clip), right = extract(energy, clip);
  for (std::int64_t f = 0; f < got.frames; ++f) {
    for (int order = 0; order < 3; ++order) {
      const float* row = got.values.data() + f * 18 + order * 6;
      for (int c = 0; c < 5; ++c) {
        const float alone = left.values[static_cast<std::size_t>(f * 15 + order * 5 + c)];
        // On a GPU the fused engine takes the cepstra alone, the general one the stack.
        ASSERT_NEAR(row[c], alone, context_.on_cuda() ? 1e-4 * (10 + std::abs(alone)) : 0);
      }
      ASSERT_EQ(row[5], right.values[static_cast<std::size_t>(f * 3 + order)]);
    }
  }
  const std::vector<std::string> names = Extractor(s, kRateHz, context_).names();
  EXPECT_EQ(names[5], "log_energy");
  EXPECT_EQ(names[6], "mfcc_0_delta");
  EXPECT_EQ(names[17], "log_energy_delta2");
  // With deltas of its own, a part keeps its columns together.
  s.deltas = 0;
  for (PartSettings& part : s.parts) part.deltas = 1;
  EXPECT_THAT(Extractor(s, kRateHz, context_).names()[5], "mfcc_0_delta");
}

TEST_P(StackTest, StatisticsFollowTheirDefinitions) {
  const audio::Waveform clip = test_clip(5003, kRateHz, 4);
  FeatureSettings s = parse(R"({"type": "mfcc", "n_mfcc": 3})");
  const FeatureMatrix frames = extract(s, clip);
  s.statistics = {"mean", "variance", "std",    "skewness", "kurtosis", "min",
                  "max",  "range",    "median", "p5",       "p99.5",    "all_mean"};
  const FeatureMatrix got = extract(s, clip);
  ASSERT_EQ(got.frames, 1);
  ASSERT_EQ(got.dimension, 3 * 11 + 1);
  double all = 0;
  for (std::size_t column = 0; column < 3; ++column) {
    std::vector<double> x;
    for (std::size_t f = 0; f < static_cast<std::size_t>(frames.frames); ++f)
      x.push_back(frames.values[f * 3 + column]);
    const double n = static_cast<double>(x.size());
    const double mean = std::accumulate(x.begin(), x.end(), 0.0) / n;
    all += mean / 3;
    double m2 = 0, m3 = 0, m4 = 0;
    for (const double v : x)
      m2 += std::pow(v - mean, 2) / n, m3 += std::pow(v - mean, 3) / n, m4 += std::pow(v - mean, 4) / n;
    std::sort(x.begin(), x.end());
    const auto percentile = [&](double p) {
      const double at = p / 100 * (n - 1);
      const std::size_t low = static_cast<std::size_t>(std::floor(at));
      return low + 1 < x.size() ? x[low] + (at - std::floor(at)) * (x[low + 1] - x[low]) : x[low];
    };
    const std::vector<double> expected{mean,
                                       m2,
                                       std::sqrt(m2),
                                       m3 / std::pow(m2, 1.5),
                                       m4 / (m2 * m2) - 3,
                                       x[0],
                                       x.back(),
                                       x.back() - x[0],
                                       percentile(50),
                                       percentile(5),
                                       percentile(99.5)};
    for (std::size_t i = 0; i < expected.size(); ++i) {
      EXPECT_NEAR(got.values[i * 3 + column], expected[i], 1e-5 * (1 + std::abs(expected[i])))
          << s.statistics[i];
    }
  }
  EXPECT_NEAR(got.values.back(), all, 1e-5 * std::abs(all));
  EXPECT_EQ(Extractor(s, kRateHz, context_).names().back(), "mfcc_0_all_mean");
  EXPECT_TRUE(Extractor(s, kRateHz, context_).one_row());
}

TEST_P(StackTest, StatisticsOfAConstantAndOfOneFrame) {
  FeatureSettings s =
      parse(R"({"type": "waveform", "statistics": ["mean", "std", "skewness", "kurtosis", "p30", "range"]})");
  const audio::Waveform constant{std::vector<float>(1000, 0.3f), kRateHz};
  EXPECT_THAT(extract(s, constant).values, ElementsAre(0.3f, testing::FloatNear(0, 1e-7f), 0, 0, 0.3f, 0));
  const audio::Waveform one{{-0.25f}, kRateHz};
  EXPECT_THAT(extract(s, one).values, ElementsAre(-0.25f, 0, 0, 0, -0.25f, 0));
}

TEST_P(StackTest, TheSamplesThemselves) {
  const audio::Waveform clip = test_clip(777, kRateHz, 1);
  const FeatureMatrix got = extract(parse(R"({"type": "waveform"})"), clip);
  EXPECT_EQ(got.dimension, 1);
  EXPECT_EQ(got.values, clip.samples);
}

SERVAL_DEVICE_TESTS(StackTest);

}  // namespace
}  // namespace serval::features
