#include "serval/audio/quantise.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "serval/core/error.h"

#include "tests/store/store_fixtures.h"

namespace serval::audio {
namespace {

using store::noise;

float peak_of(const std::vector<float>& samples) {
  float peak = 0;
  for (const float sample : samples) peak = std::max(peak, std::abs(sample));
  return peak;
}

TEST(Quantise, ErrorIsWithinHalfAStepAtEveryLevel) {
  for (int exponent = -60; exponent <= 40; ++exponent) {
    const std::vector<float> original =
        noise(static_cast<std::uint64_t>(exponent + 100), 500, std::ldexp(1.3f, exponent));
    const QuantisedAudio audio = quantise(original, "demo/a");
    const std::vector<float> back = samples(audio);
    EXPECT_LE(audio.scale, peak_of(original) / 16383) << exponent;
    for (std::size_t i = 0; i < original.size(); ++i) {
      ASSERT_LE(std::abs(back[i] - original[i]), audio.scale / 2) << exponent << " " << i;
    }
    ASSERT_EQ(samples(quantise(back, "demo/a")), back);
  }
}

TEST(Quantise, SixteenBitSamplesComeBackAsTheyWere) {
  for (const float peak : {1.0f, 0.37f, 0.001f}) {
    std::vector<float> original;
    for (const float sample : noise(5, 2000, peak))
      original.push_back(std::nearbyint(sample * 32768) / 32768);
    if (peak == 1) original.push_back(-1);
    EXPECT_EQ(samples(quantise(original, "demo/a")), original) << peak;
  }
}

TEST(Quantise, ExtremesDoNotClip) {
  for (const float level : {1.0f, 32767.0f, 32767.4f, 32767.5f, 32768.0f, 3.0f, 1e30f, 1e-30f}) {
    for (const float sign : {1.0f, -1.0f}) {
      const QuantisedAudio audio = quantise(std::vector<float>{sign * level}, "demo/a");
      EXPECT_LE(std::abs(samples(audio)[0] - sign * level), audio.scale / 2) << sign * level;
      EXPECT_LE(audio.scale, level / 16383) << sign * level;
    }
  }
}

TEST(Quantise, SilenceStaysSilence) {
  EXPECT_EQ(samples(quantise(std::vector<float>(4), "demo/a")), std::vector<float>(4));
  EXPECT_TRUE(samples(quantise({}, "demo/a")).empty());
  // Far below anything audible, where floats lose their digits: the step stays a normal number.
  const QuantisedAudio audio = quantise(std::vector<float>{1e-40f}, "demo/a");
  EXPECT_GE(audio.scale, std::numeric_limits<float>::min());
}

TEST(Quantise, RefusesWhatIsNotAudio) {
  for (const float bad :
       {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(), -3e38f}) {
    try {
      quantise(std::vector<float>{0, bad}, "demo/a");
      FAIL() << bad;
    } catch (const DataError& error) {
      EXPECT_NE(std::string(error.what()).find("demo/a"), std::string::npos);
    }
  }
}

}  // namespace
}  // namespace serval::audio
