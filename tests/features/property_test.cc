// What must hold for every type of feature: prefixes, gain, shift, degenerate sounds.
#include <cmath>
#include <functional>
#include <numbers>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "serval/core/error.h"
#include "serval/core/json.h"
#include "serval/core/settings_io.h"
#include "serval/features/extractor.h"

#include "tests/features/signals.h"
#include "tests/support/devices.h"

namespace serval::features {
namespace {

constexpr int kRateHz = 16000;
constexpr std::int64_t kHop = 160;

FeatureSettings parse(const std::string& json) {
  std::vector<std::string> errors;
  FeatureSettings s = read_settings<FeatureSettings>(parse_json(json, "f.json"), errors);
  EXPECT_EQ(errors, std::vector<std::string>()) << json;
  return s;
}

// One of every type, and every preset.
const std::vector<std::string> kSets{
    R"({"type": "log_mel", "deltas": 2})",
    R"({"type": "log_mel", "preset": "kaldi", "energy": "last"})",
    R"({"type": "log_mel", "preset": "torchaudio"})",
    R"({"type": "mfcc", "preset": "htk", "deltas": 2})",
    R"({"type": "mfcc", "deltas": 2, "delta_method": "savgol_repeated"})",
    R"({"type": "mel"})",
    R"({"type": "spectrum", "log": "db"})",
    R"({"type": "energy"})",
    R"({"type": "waveform"})",
    R"({"type": "zcr"})",
    R"({"type": "rms"})",
    R"({"type": "centroid"})",
    R"({"type": "bandwidth"})",
    R"({"type": "rolloff"})",
    R"({"type": "flatness"})",
    R"({"type": "contrast", "contrast_bands": 4})",
    R"({"type": "chroma"})",
    R"({"type": "f0", "window_ms": 64})",
    R"({"type": "hnr"})",
    R"({"type": "teager"})",
    R"({"type": "modulation"})",
    R"({"type": "pcen"})",
    R"({"type": "stack", "statistics": ["mean", "skewness", "p10"], "parts": [{"type": "mfcc"}, {"type": "zcr"}]})",
};

class PropertyTest : public testing_support::DeviceTest {
 protected:
  FeatureMatrix extract(const std::string& json, const audio::Waveform& clip) {
    return Extractor(parse(json), clip.sample_rate_hz, context_).run({&clip, 1}).front();
  }
  Context context_{device(), 1};
};

audio::Waveform shaped(int samples, const std::function<double(int)>& value) {
  audio::Waveform clip{{}, kRateHz};
  for (int n = 0; n < samples; ++n) clip.samples.push_back(static_cast<float>(value(n)));
  return clip;
}

TEST_P(PropertyTest, DegenerateSoundsGiveFiniteNumbers) {
  const std::vector<audio::Waveform> sounds{
      shaped(6000, [](int) { return 0; }),                            // silence
      shaped(6000, [](int) { return 0.7; }),                          // a constant
      shaped(6000, [](int n) { return n % 100 < 50 ? 1.0 : -1.0; }),  // full-scale square wave
      shaped(6000, [](int n) { return n == 3000 ? 1 : 0; }),          // one click
      shaped(6000, [](int n) { return n % 2 == 0 ? 1.0 : -1.0; }),    // half the sample rate
      shaped(6000, [](int n) { return 1e-30 * std::sin(0.3 * n); }),  // hardly anything
  };
  for (const std::string& json : kSets) {
    for (std::size_t i = 0; i < sounds.size(); ++i) {
      for (const float value : extract(json, sounds[i]).values)
        ASSERT_TRUE(std::isfinite(value)) << json << " " << i;
    }
  }
}

TEST_P(PropertyTest, TheShortestClips) {
  for (const std::string& json : kSets) {
    const Extractor extractor(parse(json), kRateHz, context_);
    for (const std::int64_t more : {0, 1, 2}) {
      const int samples = static_cast<int>(extractor.min_samples() + more);
      const FeatureMatrix out = extract(json, test_clip(samples, kRateHz, 3));
      ASSERT_GE(out.frames, 1) << json;
      for (const float value : out.values)
        ASSERT_TRUE(std::isfinite(value)) << json << ", " << samples << " samples";
    }
  }
}

TEST_P(PropertyTest, SilenceIsTheFloor) {
  const audio::Waveform silence = shaped(4000, [](int) { return 0; });
  for (const auto& [json, floor] : std::vector<std::pair<std::string, float>>{
           {R"({"type": "log_mel"})", -100.0f},
           {R"({"type": "log_mel", "preset": "kaldi"})", std::log(1.1920929e-07f)},
           {R"({"type": "energy"})", std::log(1e-10f)},
           {R"({"type": "mel"})", 0.0f},
           {R"({"type": "spectrum"})", 0.0f},
           {R"({"type": "zcr"})", 0.0f},
           {R"({"type": "rms"})", 0.0f}}) {
    for (const float value : extract(json, silence).values) ASSERT_NEAR(value, floor, 1e-4f) << json;
  }
}

// Frames that see neither the end nor anything behind it are those of the longer clip, bit for bit.
TEST_P(PropertyTest, APrefixHasTheFramesOfTheWhole) {
  const audio::Waveform whole = test_clip(12000, kRateHz, 5);
  audio::Waveform prefix = whole;
  prefix.samples.resize(8000);
  for (const char* json :
       {R"({"type": "log_mel", "top_db": null, "deltas": 2})",
        R"({"type": "mfcc", "preset": "kaldi", "deltas": 2})", R"({"type": "mel"})",
        R"({"type": "spectrum"})", R"({"type": "energy"})", R"({"type": "zcr"})", R"({"type": "rms"})",
        R"({"type": "centroid"})", R"({"type": "rolloff"})", R"({"type": "teager"})",
        R"({"type": "chroma", "tuning": 0})", R"({"type": "pcen"})"}) {
    const FeatureMatrix a = extract(json, whole), b = extract(json, prefix);
    const std::int64_t safe = b.frames - 16;  // the window's half and the deltas' four, generously
    ASSERT_GT(safe, 20) << json;
    const std::int64_t count = safe * a.dimension;
    EXPECT_EQ(std::vector<float>(a.values.begin(), a.values.begin() + count),
              std::vector<float>(b.values.begin(), b.values.begin() + count))
        << json;
  }
}

// Half the amplitude: a power of two changes no bit but exponents.
TEST_P(PropertyTest, GainMovesWhatItShould) {
  const audio::Waveform loud = test_clip(8000, kRateHz, 6);
  audio::Waveform quiet = loud;
  for (float& sample : quiet.samples) sample *= 0.5f;
  const float halved_db = static_cast<float>(20 * std::log10(0.5));
  struct Case {
    const char* json;
    std::function<float(float)> expected;
    float tolerance;
  };
  for (const Case& c :
       std::vector<Case>{{R"({"type": "log_mel", "floor": 1e-25, "top_db": 60})",
                          [&](float x) { return x + halved_db; }, 2e-5f},
                         {R"({"type": "mel"})", [](float x) { return x / 4; }, 0},
                         {R"({"type": "mel", "power": 1})", [](float x) { return x / 2; }, 0},
                         {R"({"type": "rms"})", [](float x) { return x / 2; }, 0},
                         {R"({"type": "teager"})", [](float x) { return x / 4; }, 0},
                         {R"({"type": "zcr", "zero_threshold": 0})", [](float x) { return x; }, 0},
                         {R"({"type": "centroid"})", [](float x) { return x; }, 2e-3f},
                         {R"({"type": "rolloff"})", [](float x) { return x; }, 0},
                         {R"({"type": "chroma", "tuning": 0})", [](float x) { return x; }, 1e-6f},
                         {R"({"type": "log_mel", "floor": 1e-25, "db_reference": "peak"})",
                          [](float x) { return x; }, 2e-5f}}) {
    const FeatureMatrix a = extract(c.json, loud), b = extract(c.json, quiet);
    for (std::size_t i = 0; i < a.values.size(); ++i) {
      ASSERT_NEAR(b.values[i], c.expected(a.values[i]), c.tolerance) << c.json << " at " << i;
    }
  }
}

// Without padding, a clip that starts a hop later has the same frames but for the first, bit for bit.
TEST_P(PropertyTest, ShiftByAHopShiftsFrames) {
  const audio::Waveform clip = test_clip(8000, kRateHz, 8);
  audio::Waveform later = clip;
  later.samples.erase(later.samples.begin(), later.samples.begin() + kHop);
  for (const char* json :
       {R"({"type": "log_mel", "padding": "none", "top_db": null})", R"({"type": "mfcc", "preset": "kaldi"})",
        R"({"type": "zcr", "padding": "none"})", R"({"type": "centroid", "padding": "none"})",
        R"({"type": "energy", "padding": "none"})", R"({"type": "flatness", "padding": "none"})"}) {
    const FeatureMatrix a = extract(json, clip), b = extract(json, later);
    ASSERT_EQ(b.frames, a.frames - 1) << json;
    EXPECT_EQ(std::vector<float>(a.values.begin() + a.dimension, a.values.end()), b.values) << json;
  }
}

SERVAL_DEVICE_TESTS(PropertyTest);

}  // namespace
}  // namespace serval::features
