// Every option against the same features written by definition in double precision.
#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "serval/features/extractor.h"

#include "tests/features/naive_features.h"
#include "tests/features/signals.h"
#include "tests/support/devices.h"
#include "tests/support/expect_close.h"

namespace serval::features {
namespace {

using testing_support::DeviceTest;
using testing_support::expect_close;

class ReferenceTest : public DeviceTest {
 protected:
  static FeatureSettings small() {
    FeatureSettings s;
    s.window_samples = 100;
    s.hop_samples = 40;
    s.n_fft = 128;
    s.n_mels = 20;
    return s;
  }

  void compare(const FeatureSettings& settings, int samples, double atol) {
    constexpr int kRateHz = 8000;
    const Context context(device());
    Extractor extractor(settings, kRateHz, context);
    const audio::Waveform clip = test_clip(samples, kRateHz, 5);
    const FeatureMatrix got = extractor.run({&clip, 1}).front();
    const naive::Matrix expected = naive::features(clip.samples, settings, kRateHz);
    ASSERT_EQ(got.frames, static_cast<std::int64_t>(expected.size()));
    ASSERT_EQ(got.dimension, static_cast<std::int64_t>(expected.front().size()));
    std::vector<double> flat;
    for (const std::vector<double>& row : expected) flat.insert(flat.end(), row.begin(), row.end());
    expect_close(got.values, flat, atol, 1e-5, Shape{got.frames, got.dimension});
  }
};

TEST_P(ReferenceTest, Defaults) { compare(small(), 1000, 1e-3); }

TEST_P(ReferenceTest, Windows) {
  for (const WindowShape shape : {WindowShape::kHamming, WindowShape::kBlackman, WindowShape::kBoxcar}) {
    FeatureSettings s = small();
    s.window = shape;
    compare(s, 700, 1e-3);
    s.window_periodic = false;
    compare(s, 700, 1e-3);
  }
}

TEST_P(ReferenceTest, PaddingAndClipsShorterThanTheWindow) {
  for (const Padding padding : {Padding::kZero, Padding::kReflect}) {
    FeatureSettings s = small();
    s.padding = padding;
    for (const int samples : {1, 2, 3, 39, 40, 41, 63, 64, 65, 99, 128, 500}) compare(s, samples, 1e-3);
  }
  FeatureSettings s = small();
  s.padding = Padding::kNone;
  for (const int samples : {128, 129, 167, 168, 500}) compare(s, samples, 1e-3);
}

TEST_P(ReferenceTest, MelOptions) {
  FeatureSettings s = small();
  s.mel_scale = MelScale::kHtk;
  s.mel_norm = MelNorm::kNone;
  s.f_min_hz = 100;
  s.f_max_hz = 3500;
  s.power = 1;
  s.top_db = std::nullopt;
  compare(s, 700, 1e-3);
}

TEST_P(ReferenceTest, NaturalLogAndTransformOfAnySize) {
  for (const int n_fft : {100, 104, 110, 126, 134, 150, 202}) {
    FeatureSettings s = small();
    s.n_fft = n_fft;
    s.log = LogScale::kNatural;
    s.floor = 1e-6;
    compare(s, 600, 1e-3);
  }
}

TEST_P(ReferenceTest, CepstrumLifterAndDeltas) {
  FeatureSettings s = small();
  s.type = FeatureType::kMfcc;
  s.n_mfcc = 13;
  s.lifter = 22;
  s.deltas = 2;
  compare(s, 1200, 2e-3);
  s.n_mfcc = 20;
  s.lifter = 0;
  s.delta_width = 5;
  compare(s, 1200, 2e-3);
}

TEST_P(ReferenceTest, DeltasOfShortClips) {
  FeatureSettings s = small();
  s.deltas = 2;
  for (int frames = 1; frames <= 10; ++frames) compare(s, frames * 40 - 1, 1e-3);
}

SERVAL_DEVICE_TESTS(ReferenceTest);

}  // namespace
}  // namespace serval::features
