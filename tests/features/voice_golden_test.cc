// Pitch, harmonicity, Teager energy, modulation and PCEN against librosa, Praat, numpy and scipy in double precision;
// tests/golden/features/make_pitch_goldens.py made the files.
#include <algorithm>
#include <cmath>
#include <iostream>
#include <vector>

#include <gtest/gtest.h>

#include "serval/core/json.h"
#include "serval/core/settings_io.h"
#include "serval/features/extractor.h"

#include "tests/features/goldens.h"
#include "tests/support/devices.h"

namespace serval::features {
namespace {

// How far values of a type may be apart, as a share of their size and absolutely.
struct Tolerance {
  double relative = 0;
  double absolute = 0;
};
Tolerance tolerance_of(FeatureType type) {
  if (type == FeatureType::kF0) return {1e-4, 2e-4};
  if (type == FeatureType::kHnr) return {0, 0.005};  // dB
  if (type == FeatureType::kModulation) return {1e-4, 2e-4};
  return {1e-5, 1e-6};
}

class VoiceGoldenTest : public testing_support::DeviceTest {};

TEST_P(VoiceGoldenTest, AgreesWithLibrosaPraatAndScipy) {
  const JsonValue goldens = parse_json_file(kGoldenFolder + "pitch.json");
  const std::vector<float> values = read_binary<float>(kGoldenFolder + "pitch.f32");
  const int rate_hz = static_cast<int>(goldens.find("sample_rate_hz")->integer);
  const Context context(device());
  ASSERT_EQ(goldens.find("cases")->items.size(), 16u);
  auto expected = values.begin();
  for (std::size_t number = 0; number < 16; ++number) {
    const JsonValue& golden = goldens.find("cases")->items[number];
    std::vector<std::string> errors;
    const FeatureSettings settings = read_settings<FeatureSettings>(*golden.find("settings"), errors);
    ASSERT_EQ(errors, std::vector<std::string>());
    const audio::Waveform clip = read_signal(golden.find("signal")->text, rate_hz);
    const FeatureMatrix got = Extractor(settings, rate_hz, context).run({&clip, 1}).front();
    const std::int64_t columns = golden.find("dimension")->integer;  // librosa's YIN has one
    ASSERT_EQ(got.frames, golden.find("frames")->integer) << number;
    const Tolerance tolerance = tolerance_of(settings.type);
    double worst = 0;
    for (std::int64_t f = 0; f < got.frames; ++f) {
      for (std::int64_t c = 0; c < columns; ++c, ++expected) {
        const double value = got.values[static_cast<std::size_t>(f * got.dimension + c)];
        const double difference = std::abs(value - *expected);
        worst = std::max(worst, difference);
        EXPECT_LE(difference, tolerance.absolute + tolerance.relative * std::abs(*expected))
            << "case " << number << ", frame " << f << ", column " << c << ": " << value << " for "
            << *expected;
      }
    }
    std::cout << "case " << number << ": differs by " << worst << '\n';
  }
  EXPECT_EQ(expected, values.end());
}

SERVAL_DEVICE_TESTS(VoiceGoldenTest);

}  // namespace
}  // namespace serval::features
