// Descriptors against librosa and scipy in double precision; tests/golden/features/make_descriptor_goldens.py made
// the files. The vectors per recording are those of experiments/systems/fusionnet/base.json.
#include <algorithm>
#include <cmath>
#include <iostream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "serval/core/json.h"
#include "serval/core/settings_io.h"
#include "serval/features/extractor.h"

#include "tests/features/goldens.h"
#include "tests/support/devices.h"
#include "tests/support/expect_close.h"

namespace serval::features {
namespace {

struct Golden {
  std::string name;
  FeatureSettings settings;
  int rate_hz = 0;
  audio::Waveform clip;
  Shape shape;
  std::vector<float> expected;
};

// Cases without settings are named like a feature set of the experiment file.
std::vector<Golden> read_goldens() {
  const JsonValue experiment =
      parse_json_file(std::string(SERVAL_SOURCE_DIR) + "/experiments/systems/fusionnet/base.json");
  const JsonValue goldens = parse_json_file(kGoldenFolder + "descriptors.json");
  const std::vector<float> values = read_binary<float>(kGoldenFolder + "descriptors.f32");
  std::vector<Golden> out;
  auto next = values.begin();
  for (const JsonValue& item : goldens.find("cases")->items) {
    Golden golden;
    golden.name = item.find("name")->text;
    golden.rate_hz = static_cast<int>(item.find("sample_rate_hz")->integer);
    golden.clip = read_signal(item.find("signal")->text, golden.rate_hz);
    golden.shape = {item.find("frames")->integer, item.find("dimension")->integer};
    golden.expected = {next, next + golden.shape.size()};
    next += golden.shape.size();
    const JsonValue* settings = item.find("settings");
    if (settings == nullptr) settings = experiment.find("features")->find(golden.name);
    SERVAL_CHECK(settings != nullptr, golden.name);
    std::vector<std::string> errors;
    golden.settings = read_settings<FeatureSettings>(*settings, errors);
    EXPECT_EQ(errors, std::vector<std::string>());
    out.push_back(std::move(golden));
  }
  EXPECT_EQ(next, values.end());
  return out;
}

class DescriptorGoldenTest : public testing_support::DeviceTest {};

TEST_P(DescriptorGoldenTest, AgreesWithLibrosa) {
  const Context context(device());
  const std::vector<Golden> goldens = read_goldens();
  ASSERT_EQ(goldens.size(), 24u);
  for (const Golden& golden : goldens) {
    SCOPED_TRACE(golden.name);
    Extractor extractor(golden.settings, golden.rate_hz, context);
    const FeatureMatrix got = extractor.run({&golden.clip, 1}).front();
    ASSERT_EQ((Shape{got.frames, got.dimension}), golden.shape);
    double worst = 0;
    float largest = 0;
    for (std::size_t i = 0; i < got.values.size(); ++i) {
      const double expected = golden.expected[i];
      largest = std::max(largest, std::abs(golden.expected[i]));
      if (expected != 0) worst = std::max(worst, std::abs((got.values[i] - expected) / expected));
    }
    std::cout << "  " << golden.name << ": largest relative difference from librosa " << worst << std::endl;
    // The transform's rounding is a share of a frame's strongest bins, whatever the bins that a value is made of;
    // decibels show it in the valleys between harmonics.
    const bool decibels = golden.settings.type == FeatureType::kContrast && !golden.settings.contrast_linear;
    const bool vector = golden.shape[0] == 1;
    const double atol = decibels ? 5e-3 : vector ? 1e-6 : 1e-6 * largest;
    testing_support::expect_close(got.values, golden.expected, atol, 1e-4, golden.shape);
  }
}

SERVAL_DEVICE_TESTS(DescriptorGoldenTest);

}  // namespace
}  // namespace serval::features
