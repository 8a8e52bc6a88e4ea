// Comparison with tests/golden/audio/effects_golden.h.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <string>

#include <gtest/gtest.h>

#include "serval/audio/waveform.h"

#include "tests/audio/signals.h"
#include "tests/golden/audio/effects_golden.h"

namespace serval::audio {

constexpr double kTight = 6e-8;      // half a step of float below 1, and the reference's own nine digits
constexpr double kResampled = 5e-7;  // libsoxr computes in float, and its versions differ in the last bits

inline void expect_golden(const std::string& name, const Waveform& actual, double tolerance) {
  const auto at = std::find_if(golden::kEffects.begin(), golden::kEffects.end(),
                               [&](const golden::Effect& effect) { return effect.name == name; });
  ASSERT_NE(at, golden::kEffects.end()) << name;
  ASSERT_EQ(actual.samples.size(), at->count) << name;
  double worst = 0;
  for (std::size_t i = 0; i < at->samples.size(); ++i) {
    const double difference = std::abs(actual.samples[i * at->step] - at->samples[i]);
    worst = std::max(worst, difference);
    ASSERT_LE(difference, tolerance) << name << " sample " << i * at->step;
  }
  ::testing::Test::RecordProperty("worst " + name, std::to_string(worst * 1e9) + "e-9");
}

}  // namespace serval::audio
