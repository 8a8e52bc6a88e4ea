// Agreement with librosa in double precision; tests/golden/features/make_goldens.py made the files.
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

// The largest difference among columns [0, columns), and among those of their values within 60 dB of the
// peak.
struct Difference {
  double all = 0;
  double near_peak = 0;
};
Difference largest_difference(const std::vector<float>& got, const std::vector<float>& expected,
                              std::int64_t dimension, std::int64_t columns, double near) {
  double peak = -INFINITY;
  const auto is_static = [&](std::size_t i) { return static_cast<std::int64_t>(i) % dimension < columns; };
  for (std::size_t i = 0; i < expected.size(); ++i) {
    if (is_static(i)) peak = std::max(peak, static_cast<double>(expected[i]));
  }
  Difference out;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    if (!is_static(i)) continue;
    const double difference = std::abs(static_cast<double>(got[i]) - static_cast<double>(expected[i]));
    out.all = std::max(out.all, difference);
    if (expected[i] >= peak - near) out.near_peak = std::max(out.near_peak, difference);
  }
  return out;
}

class GoldenTest : public testing_support::DeviceTest {};

TEST_P(GoldenTest, AgreesWithLibrosa) {
  const JsonValue goldens = parse_json_file(kGoldenFolder + "goldens.json");
  const Context context(device());
  ASSERT_EQ(goldens.find("cases")->items.size(), 11u);
  for (const JsonValue& golden : goldens.find("cases")->items) {
    const std::string name = golden.find("name")->text;
    SCOPED_TRACE(name);
    std::vector<std::string> errors;
    const FeatureSettings settings = read_settings<FeatureSettings>(*golden.find("settings"), errors);
    ASSERT_EQ(errors, std::vector<std::string>());
    const int rate_hz = static_cast<int>(golden.find("sample_rate_hz")->integer);
    Extractor extractor(settings, rate_hz, context);
    const audio::Waveform clip = read_signal(golden.find("signal")->text, rate_hz);
    const FeatureMatrix got = extractor.run({&clip, 1}).front();
    const std::vector<float> expected = read_binary<float>(kGoldenFolder + name + ".f32");
    ASSERT_EQ(got.frames, golden.find("frames")->integer);
    ASSERT_EQ(got.dimension, golden.find("dimension")->integer);

    // 60 dB are 6 log(10) in natural logarithms. Deltas and cepstra are sums of such values with small
    // weights.
    const bool log_mel = settings.type == FeatureType::kLogMel;
    const double near = settings.log == LogScale::kDb ? 60 : 6 * std::log(10.0);
    const std::int64_t columns = log_mel ? settings.n_mels : got.dimension;
    const Difference difference =
        largest_difference(got.values, expected, got.dimension, columns, log_mel ? near : INFINITY);
    std::cout << "  " << name << ": largest difference from librosa " << difference.all
              << (log_mel ? cat(", within 60 dB of the peak ", difference.near_peak) : "") << std::endl;
    EXPECT_LT(difference.near_peak, 1e-3);
    testing_support::expect_close(got.values, expected, 5e-3, 0, Shape{got.frames, got.dimension});
  }
}

SERVAL_DEVICE_TESTS(GoldenTest);

}  // namespace
}  // namespace serval::features
