// Presets against the packages whose conventions they name; tests/golden/features/make_convention_goldens.py made
// the files with those packages.
#include <cmath>
#include <fstream>
#include <iostream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "serval/core/json.h"
#include "serval/core/settings_io.h"
#include "serval/features/extractor.h"

#include "tests/support/devices.h"

namespace serval::features {
namespace {

const std::string kFolder = std::string(SERVAL_SOURCE_DIR) + "/tests/golden/features/";

template <class T>
std::vector<T> read_binary(const std::string& path) {
  std::ifstream in(path, std::ios::binary | std::ios::ate);
  SERVAL_CHECK(in.good(), path);
  std::vector<T> values(static_cast<std::size_t>(in.tellg()) / sizeof(T));
  in.seekg(0);
  in.read(reinterpret_cast<char*>(values.data()), static_cast<std::streamsize>(values.size() * sizeof(T)));
  return values;
}

// Logarithms: the largest difference in dB within 60 dB of the peak. Others: the largest difference relative to
// the column's largest value.
double difference_in_db(const FeatureSettings& s, const std::vector<float>& got, const float* expected) {
  const double to_db = s.log == LogScale::kNatural ? 10 / std::log(10.0) : 1;
  double peak = -INFINITY;
  for (std::size_t i = 0; i < got.size(); ++i) peak = std::max(peak, to_db * expected[i]);
  double worst = 0;
  for (std::size_t i = 0; i < got.size(); ++i) {
    if (to_db * expected[i] >= peak - 60)
      worst = std::max(worst, std::abs(to_db * (static_cast<double>(got[i]) - expected[i])));
  }
  return worst;
}
double relative_difference(const std::vector<float>& got, const float* expected, std::size_t dimension) {
  double worst = 0;
  for (std::size_t column = 0; column < dimension; ++column) {
    double largest = 1e-12;
    double difference = 0;
    for (std::size_t i = column; i < got.size(); i += dimension) {
      if (std::isnan(expected[i])) continue;  // where the package departs from its convention
      largest = std::max(largest, std::abs(static_cast<double>(expected[i])));
      difference = std::max(difference, std::abs(static_cast<double>(got[i]) - expected[i]));
    }
    worst = std::max(worst, difference / largest);
  }
  return worst;
}

class ConventionsTest : public testing_support::DeviceTest {};

TEST_P(ConventionsTest, AgreeWithThePackages) {
  const JsonValue goldens = parse_json_file(kFolder + "conventions.json");
  const std::vector<float> all = read_binary<float>(kFolder + "conventions.f32");
  const Context context(device());
  std::size_t at = 0;
  ASSERT_EQ(goldens.find("cases")->items.size(), 20u);
  for (const JsonValue& golden : goldens.find("cases")->items) {
    const std::string name = golden.find("name")->text;
    SCOPED_TRACE(name);
    std::vector<std::string> errors;
    const FeatureSettings settings = read_settings<FeatureSettings>(*golden.find("settings"), errors);
    ASSERT_EQ(errors, std::vector<std::string>());
    const int rate_hz = static_cast<int>(golden.find("sample_rate_hz")->integer);
    audio::Waveform clip{{}, rate_hz};
    std::vector<std::int16_t> samples = read_binary<std::int16_t>(kFolder + cat("voice_", rate_hz, ".i16"));
    samples.resize(static_cast<std::size_t>(rate_hz / 2));
    for (const std::int16_t sample : samples) clip.samples.push_back(static_cast<float>(sample) / 32768);
    const FeatureMatrix got = Extractor(settings, rate_hz, context).run({&clip, 1}).front();
    ASSERT_EQ(got.frames, golden.find("frames")->integer);
    ASSERT_EQ(got.dimension, golden.find("dimension")->integer);
    ASSERT_LE(at + got.values.size(), all.size());
    const float* expected = all.data() + at;
    at += got.values.size();
    if (settings.type == FeatureType::kLogMel) {
      const double worst = difference_in_db(settings, got.values, expected);
      std::cout << "  " << name << ": " << worst << " dB\n";
      // kaldi-native-fbank makes its filters in single precision.
      EXPECT_LT(worst, name.rfind("kaldi", 0) == 0 ? 3e-3 : 1e-3);
    } else {
      const double worst = relative_difference(got.values, expected, static_cast<std::size_t>(got.dimension));
      std::cout << "  " << name << ": " << worst << "\n";
      EXPECT_LT(worst, 1e-4);
    }
  }
  EXPECT_EQ(at, all.size());
}

SERVAL_DEVICE_TESTS(ConventionsTest);

}  // namespace
}  // namespace serval::features
