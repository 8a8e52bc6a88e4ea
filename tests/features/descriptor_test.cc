// Descriptors of samples and spectra: every option against a naive version in double precision, signals at the
// edge, tuning, and settings that cannot be.
#include <cmath>
#include <functional>
#include <numbers>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "serval/core/json.h"
#include "serval/core/settings_io.h"
#include "serval/features/extractor.h"

#include "tests/features/naive_descriptors.h"
#include "tests/features/signals.h"
#include "tests/support/devices.h"
#include "tests/support/expect_close.h"

namespace serval::features {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr int kRateHz = 8000;
const std::vector<FeatureType> kTypes = {
    FeatureType::kZcr,     FeatureType::kRms,      FeatureType::kCentroid, FeatureType::kBandwidth,
    FeatureType::kRolloff, FeatureType::kFlatness, FeatureType::kContrast, FeatureType::kChroma};

FeatureSettings small(FeatureType type) {
  FeatureSettings s;
  s.window_samples = 100;
  s.hop_samples = 40;
  s.n_fft = 128;
  s.contrast_bands = 3;
  s.tuning = 0;
  apply_type(s, type);
  return s;
}

audio::Waveform clip_of(int samples, const std::function<double(int)>& x) {
  audio::Waveform clip;
  clip.sample_rate_hz = kRateHz;
  for (int n = 0; n < samples; ++n) clip.samples.push_back(static_cast<float>(x(n)));
  return clip;
}

class DescriptorTest : public testing_support::DeviceTest {
 protected:
  FeatureMatrix extract(const FeatureSettings& s, const audio::Waveform& clip) {
    return Extractor(s, clip.sample_rate_hz, context_).run({&clip, 1}).front();
  }
  void compare(const FeatureSettings& s, const audio::Waveform& clip, double atol = 1e-6) {
    const FeatureMatrix got = extract(s, clip);
    std::vector<double> flat;
    for (const std::vector<double>& row : naive::descriptor(clip.samples, s, clip.sample_rate_hz)) {
      flat.insert(flat.end(), row.begin(), row.end());
    }
    testing_support::expect_close(got.values, flat, atol, 1e-4, Shape{got.frames, got.dimension});
  }
  Context context_{device(), 1};
};

TEST_P(DescriptorTest, Defaults) {
  for (const FeatureType type : kTypes) {
    SCOPED_TRACE(static_cast<int>(type));
    const double atol = type == FeatureType::kContrast ? 2e-3 : 1e-6;
    for (const int samples : {1, 2, 39, 40, 1000}) compare(small(type), test_clip(samples, kRateHz, 3), atol);
    FeatureSettings inside = small(type);
    inside.padding = Padding::kNone;
    // Without padding, frames lie where transforms would be.
    inside.window_samples = 128;
    for (const int samples : {128, 170}) compare(inside, test_clip(samples, kRateHz, 3), atol);
  }
}

TEST_P(DescriptorTest, Options) {
  const audio::Waveform clip = test_clip(900, kRateHz, 4);
  FeatureSettings s = small(FeatureType::kZcr);
  s.zero_threshold = 0.02;
  s.window_samples = 101;
  compare(s, clip);
  s.remove_dc = true;
  s.sample_scale = 10;
  compare(s, clip);
  s.type = FeatureType::kRms;
  compare(s, clip, 1e-5);
  for (const FeatureType type : {FeatureType::kCentroid, FeatureType::kBandwidth, FeatureType::kRolloff}) {
    s = small(type);
    s.power = 2;
    s.bandwidth_power = 1.5;
    s.roll_percent = 0.05;
    compare(s, clip);
    s.bandwidth_normalised = false;
    s.roll_percent = 0.999;
    compare(s, clip);
  }
  s = small(FeatureType::kFlatness);
  s.flatness_power = 3;
  s.flatness_floor = 1e-4;
  compare(s, clip);
}

TEST_P(DescriptorTest, ContrastOptions) {
  const audio::Waveform clip = test_clip(900, kRateHz, 6);
  for (const double quantile : {0.1, 0.5, 0.99}) {
    FeatureSettings s = small(FeatureType::kContrast);
    s.contrast_quantile = quantile;
    s.contrast_top_db = 12;
    compare(s, clip, 2e-3);
    s.contrast_linear = true;
    s.power = 2;
    compare(s, clip, 1e-5);
  }
  FeatureSettings s = small(FeatureType::kContrast);
  s.contrast_top_db = std::nullopt;
  s.contrast_f_min_hz = 150;
  s.contrast_bands = 1;
  compare(s, clip, 2e-3);
}

TEST_P(DescriptorTest, ChromaOptions) {
  const audio::Waveform clip = test_clip(900, kRateHz, 7);
  for (const int n_chroma : {1, 5, 12, 36}) {
    for (const ChromaNorm norm : {ChromaNorm::kInf, ChromaNorm::kL1, ChromaNorm::kL2, ChromaNorm::kNone}) {
      FeatureSettings s = small(FeatureType::kChroma);
      s.n_chroma = n_chroma;
      s.chroma_norm = norm;
      s.tuning = 0.3;
      s.chroma_octave = 3.5;
      compare(s, clip, 1e-5);
      s.power = 1;
      s.chroma_octave_width = std::nullopt;
      compare(s, clip, 1e-5);
    }
  }
}

TEST_P(DescriptorTest, SilenceHasNoWeightAnywhere) {
  const audio::Waveform silence = clip_of(300, [](int) { return 0; });
  for (const FeatureType type : kTypes) {
    SCOPED_TRACE(static_cast<int>(type));
    FeatureSettings s = small(type);
    const float expected = type == FeatureType::kFlatness ? 1.0f : 0.0f;
    EXPECT_THAT(extract(s, silence).values, Each(testing::FloatNear(expected, 1e-6f)));
    s.tuning = std::nullopt;
    EXPECT_THAT(extract(s, silence).values, Each(testing::FloatNear(expected, 1e-6f)));
  }
}

TEST_P(DescriptorTest, SignalsAtTheEdge) {
  const audio::Waveform impulse = clip_of(300, [](int n) { return n == 150 ? 1 : 0; });
  const audio::Waveform square = clip_of(300, [](int n) { return n / 7 % 2 == 0 ? 1 : -1; });
  const audio::Waveform offset =
      clip_of(300, [](int n) { return 0.5 + 0.1 * std::sin(0.9 * n + 0.01 * n * n); });
  for (const FeatureType type : kTypes) {
    SCOPED_TRACE(static_cast<int>(type));
    FeatureSettings s = small(type);
    // Their valleys are the transform's rounding, which is nothing beside the peaks.
    s.contrast_linear = true;
    // A window of an impulse is flat: every bin has the same weight, but for rounding, on which rolloff jumps.
    compare(s, impulse, type == FeatureType::kRolloff ? 63.0 : 1e-5);
    compare(s, square, 1e-5);
    compare(s, offset, 1e-5);
  }
  const audio::Waveform constant = clip_of(300, [](int) { return -1; });
  EXPECT_THAT(extract(small(FeatureType::kZcr), constant).values, Each(0.0f));
  EXPECT_EQ(extract(small(FeatureType::kRms), constant).values[3], 1.0f);
  EXPECT_THAT(extract(small(FeatureType::kZcr), square).values[3], testing::FloatNear(0.14f, 0.011f));
}

// Tones a given share of a semitone above the scale: the estimate is the hundredth below, and the chroma are
// those of the tuning.
TEST_P(DescriptorTest, TuningIsEstimatedFromTheClip) {
  for (const double detune : {-0.355, 0.0, 0.235}) {
    SCOPED_TRACE(detune);
    audio::Waveform clip;
    clip.sample_rate_hz = 22050;
    for (int n = 0; n < 16000; ++n) {
      double x = 0;
      for (const int note : {-5, 2, 10}) {
        const double hz = 440 * std::exp2((note + detune) / 12);
        for (int k = 1; k <= 8; ++k) x += 0.05 / k * std::sin(2 * std::numbers::pi * hz * k * n / 22050 + k);
      }
      clip.samples.push_back(static_cast<float>(x));
    }
    FeatureSettings s;
    apply_preset(s, Preset::kLibrosa);
    apply_type(s, FeatureType::kChroma);
    const std::vector<float> got = extract(s, clip).values;
    double best = 1e9, best_tuning = 0;
    for (int hundredths = -50; hundredths < 50; ++hundredths) {
      s.tuning = hundredths / 100.0;
      const std::vector<float> given = extract(s, clip).values;
      double difference = 0;
      for (std::size_t i = 0; i < got.size(); ++i) difference += std::abs(got[i] - given[i]);
      if (difference < best) best = difference, best_tuning = *s.tuning;
    }
    EXPECT_LT(best, 1e-3);                   // of all frames and chroma together
    EXPECT_NEAR(best_tuning, detune, 0.04);  // a parabola through bins places a tone that well
  }
}

TEST_P(DescriptorTest, EachClipHasItsOwnTuning) {
  FeatureSettings s = small(FeatureType::kChroma);
  s.tuning = std::nullopt;
  const std::vector<audio::Waveform> clips{test_clip(900, kRateHz, 8), test_clip(500, kRateHz, 9)};
  const std::vector<FeatureMatrix> together = Extractor(s, kRateHz, context_).run(clips);
  for (std::size_t i = 0; i < clips.size(); ++i) EXPECT_EQ(together[i].values, extract(s, clips[i]).values);
}

SERVAL_DEVICE_TESTS(DescriptorTest);

std::vector<std::string> errors_of(const std::string& json) {
  std::vector<std::string> errors;
  read_settings<FeatureSettings>(parse_json(json, "f.json"), errors);
  return errors;
}

TEST(DescriptorSettings, TypesDecideWhatLibrosaDecides) {
  std::vector<std::string> errors;
  const auto parse = [&](const char* json) {
    return read_settings<FeatureSettings>(parse_json(json, "f.json"), errors);
  };
  EXPECT_EQ(parse(R"({"type": "centroid"})").power, 1);
  EXPECT_EQ(parse(R"({"type": "chroma", "preset": "htk"})").power, 2);
  EXPECT_EQ(parse(R"({"type": "zcr", "preset": "librosa"})").padding, Padding::kEdge);
  EXPECT_EQ(parse(R"({"type": "zcr", "preset": "kaldi"})").padding, Padding::kNone);
  EXPECT_EQ(parse(R"({"type": "zcr", "padding": "zero"})").padding, Padding::kZero);
  EXPECT_EQ(parse(R"({"type": "stack", "preset": "librosa", "parts": [{"type": "zcr"}]})").parts[0].padding,
            Padding::kEdge);
  EXPECT_THAT(errors, testing::IsEmpty());
}

TEST(DescriptorSettings, ErrorsNameTheField) {
  for (const char* percent : {"0", "1", "-0.1"}) {
    EXPECT_THAT(errors_of(std::string(R"({"type": "rolloff", "roll_percent": )") + percent + "}"),
                ElementsAre(AllOf(HasSubstr("roll_percent"), HasSubstr("0"))));
  }
  EXPECT_THAT(errors_of(R"({"type": "contrast", "contrast_quantile": 1})"),
              ElementsAre(AllOf(HasSubstr("contrast_quantile"), HasSubstr("both excluded"))));
  EXPECT_THAT(errors_of(R"({"type": "contrast", "contrast_bands": 0})"),
              ElementsAre(HasSubstr("contrast_bands")));
  EXPECT_THAT(errors_of(R"({"type": "contrast", "contrast_f_min_hz": 0})"),
              ElementsAre(HasSubstr("contrast_f_min_hz")));
  EXPECT_THAT(errors_of(R"({"type": "flatness", "flatness_floor": 0})"),
              ElementsAre(HasSubstr("flatness_floor")));
  EXPECT_THAT(errors_of(R"({"type": "bandwidth", "bandwidth_power": 0})"),
              ElementsAre(HasSubstr("bandwidth_power")));
  EXPECT_THAT(errors_of(R"({"type": "chroma", "n_chroma": 0})"), ElementsAre(HasSubstr("n_chroma")));
  EXPECT_THAT(errors_of(R"({"type": "chroma", "chroma_norm": "max"})"),
              ElementsAre(AllOf(HasSubstr("chroma_norm"), HasSubstr("inf, l1, l2, none"))));
  EXPECT_THAT(errors_of(R"({"type": "chroma", "tuning": 0.6})"), ElementsAre(HasSubstr("tuning")));
  EXPECT_THAT(errors_of(R"({"type": "zcr", "power": 2})"), ElementsAre(HasSubstr("power")));
}

std::string refusal(const FeatureSettings& s) {
  const Context context;
  try {
    Extractor(s, kRateHz, context);
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "";
}

TEST(DescriptorSettings, ContrastBandsMustFitTheSpectrum) {
  FeatureSettings s = small(FeatureType::kContrast);
  s.contrast_bands = 6;
  EXPECT_THAT(refusal(s), AllOf(HasSubstr("contrast_bands 6"), HasSubstr("starts at 6400 Hz"),
                                HasSubstr("ends at 4000 Hz"), HasSubstr("fewer bands")));
  s.contrast_bands = 5;
  EXPECT_EQ(refusal(s), "");
  s.contrast_f_min_hz = 62;  // bins are 62.5 Hz apart
  EXPECT_THAT(refusal(s), AllOf(HasSubstr("from 0 to 62 Hz"), HasSubstr("larger n_fft")));
  s.contrast_f_min_hz = 62.5;
  EXPECT_EQ(refusal(s), "");
}

TEST(DescriptorSettings, HiddenPartsOfOtherFramesAreNamedByTheirChroma) {
  FeatureSettings s;
  s.type = FeatureType::kStack;
  PartSettings chroma = small(FeatureType::kChroma);
  chroma.tuning = std::nullopt;
  chroma.hop_samples = 50;
  s.parts = {small(FeatureType::kRms), chroma};
  EXPECT_THAT(refusal(s), HasSubstr("\"chroma_0\" has a hop of 50 samples"));
}

}  // namespace
}  // namespace serval::features
