// Batch norm and noise, where goldens do not reach: inference, padding, frozen layers, random numbers.
#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/devices.h"
#include "tests/support/expect_close.h"
#include "tests/support/network_rig.h"
#include "tests/support/nn_inputs.h"

namespace serval::nn {
namespace {

using testing_support::expect_close;
using testing_support::NetworkRig;
using testing_support::random_values;
using testing_support::same_bits;
using Values = std::vector<float>;

class BatchNormTest : public testing_support::DeviceTest {};

TEST_P(BatchNormTest, InferenceIsTheFormulaOfTheRunningStatistics) {
  NetworkRig rig(device(),
                 R"({"inputs": {"x": {"kind": "image", "shape": [3, 2, 5]}},
                     "layers": [{"type": "batch_norm", "epsilon": 0.01, "activation": "relu"}]})",
                 4);
  const Values x = random_values(4 * 30, 1, 3);
  rig.set_input(0, x);
  const Values p{1.5f, -2, 0.5f, 0.1f, 0.2f, -0.3f, 1, -1, 0.25f, 4, 0.5f, 2};  // gamma, beta, mean, variance
  rig.network.parameters().assign(p);
  const Values y = rig.forward(Mode::kInfer);
  for (std::size_t i = 0; i < x.size(); ++i) {
    const std::size_t c = i / 10 % 3;
    const double normed =
        (static_cast<double>(x[i]) - p[6 + c]) / std::sqrt(static_cast<double>(p[9 + c]) + 0.01);
    EXPECT_NEAR(y[i], std::max(0.0, normed * p[c] + p[3 + c]), 1e-5) << i;
  }
  EXPECT_EQ(rig.network.parameters().to_host(), p);  // inference keeps no statistics
}

TEST_P(BatchNormTest, ManyTrainingBatchesTeachInference) {
  NetworkRig rig(device(),
                 R"({"inputs": {"x": {"kind": "vector", "shape": 2}}, "layers": [{"type": "batch_norm"}]})",
                 64);
  for (std::uint32_t step = 0; step < 120; ++step) {
    Values x = random_values(128, step, 2);
    for (std::size_t i = 0; i < x.size(); i += 2) x[i] += 100;
    rig.set_input(0, x);
    rig.forward(Mode::kTrain);
  }
  const Values p = rig.network.parameters().to_host();
  // Uniform in [-2, 2): variance 4 / 3.
  expect_close(Values(p.begin() + 4, p.end()), Values{100, 0, 4.0f / 3, 4.0f / 3}, 0.15, 0);
  rig.set_input(0, Values(128, 100.0f));
  EXPECT_NEAR(rig.forward(Mode::kInfer)[0], 0, 0.15);
}

TEST_P(BatchNormTest, WhatStandsBeyondASequenceDoesNotCount) {
  for (const char* settings : {"", R"(, "per_step": true, "max_steps": 7)"}) {
    for (const char* shape : {"3", "[2, 3, 2]"}) {
      SCOPED_TRACE(cat(settings, " ", shape));
      const std::int64_t width = shape[0] == '3' ? 3 : 12;
      const std::string text = cat(R"({"inputs": {"x": {"kind": "sequence", "shape": )", shape,
                                   R"(}}, "layers": [{"type": "batch_norm")", settings,
                                   R"(}, {"type": "flatten"}, {"type": "mean_pool"}]})");
      const std::vector<std::int32_t> lengths{7, 2, 4, 1};
      const auto results = [&](std::int64_t time, float padding) {
        NetworkRig rig(device(), text, 4, 100);
        rig.set_lengths(0, lengths, time);
        Values x = random_values(7 * 4 * width, 1);
        x.resize(static_cast<std::size_t>(time * 4 * width), padding);
        for (std::int64_t t = 0; t < time; ++t) {
          for (std::int64_t b = 0; b < 4; ++b) {
            if (t < lengths[static_cast<std::size_t>(b)]) continue;
            std::fill_n(x.begin() + (t * 4 + b) * width, width, padding);
          }
        }
        rig.set_input(0, x);
        Values out = rig.forward(Mode::kTrain);
        const NetworkRig::Gradients gradients = rig.backward(random_values(4 * width, 3));
        const Values p = rig.network.parameters().to_host();
        for (const Values* more : {&gradients.parameters, &p})
          out.insert(out.end(), more->begin(), more->end());
        out.insert(out.end(), gradients.x[0].begin(), gradients.x[0].begin() + 7 * 4 * width);
        for (std::size_t i = static_cast<std::size_t>(7 * 4 * width); i < gradients.x[0].size(); ++i)
          EXPECT_EQ(gradients.x[0][i], 0);
        return out;
      };
      const Values tight = results(7, 0);
      EXPECT_TRUE(same_bits(results(7, 1e30f), tight));
      EXPECT_TRUE(same_bits(results(23, -3e37f), tight));
      for (const float value : tight) EXPECT_TRUE(std::isfinite(value));
    }
  }
}

TEST_P(BatchNormTest, StepsThatNoRecordingReachesKeepTheirStatistics) {
  NetworkRig rig(device(),
                 R"({"inputs": {"x": {"kind": "sequence", "shape": 1}},
                     "layers": [{"type": "batch_norm", "per_step": true, "max_steps": 4}, {"type": "last_pool"}]})",
                 2, 5);
  rig.set_lengths(0, {2, 1}, 2);
  rig.set_input(0, {3, 5, 8, 0});
  rig.forward(Mode::kTrain);
  const Values p = rig.network.parameters().to_host();
  // gamma, beta; means 4, 8; variance 2 of two values, none of one
  expect_close(Values(p.begin() + 2, p.end()), Values{0.4f, 0.8f, 0, 0, 1.1f, 1, 1, 1}, 1e-6, 0);
  rig.set_lengths(0, {5, 1}, 5);
  rig.set_input(0, Values(10, 1.0f));
  EXPECT_THROW(rig.forward(Mode::kInfer), DataError);
}

TEST_P(BatchNormTest, FrozenItUsesAndKeepsItsRunningStatistics) {
  NetworkRig rig(device(),
                 R"({"inputs": {"x": {"kind": "image", "shape": [2, 3, 3]}},
                     "layers": [{"type": "batch_norm", "frozen": true}]})",
                 3);
  const Values p{2, 3, 0.5f, -0.5f, 1, 2, 3, 4};
  rig.network.parameters().assign(p);
  rig.set_input(0, random_values(54, 1));
  const Values inferred = rig.forward(Mode::kInfer);
  EXPECT_EQ(rig.forward(Mode::kTrain), inferred);
  EXPECT_EQ(rig.network.parameters().to_host(), p);
  EXPECT_EQ(rig.network.trained_count(), 0);
  const Values dy = random_values(54, 2);
  const Values dx = rig.backward(dy).x[0];
  for (std::size_t i = 0; i < dx.size(); ++i) {
    const std::size_t c = i / 9 % 2;
    EXPECT_NEAR(dx[i], dy[i] * p[c] / std::sqrt(p[6 + c] + 1e-5f), 1e-5);
  }
}

TEST_P(BatchNormTest, SpatialDropoutTakesWholeChannels) {
  NetworkRig rig(device(),
                 R"({"inputs": {"x": {"kind": "image", "shape": [50, 2, 3]}},
                     "layers": [{"type": "spatial_dropout", "rate": 0.4}]})",
                 20);
  const Values x(20 * 300, 3.0f);
  rig.set_input(0, x);
  EXPECT_EQ(rig.forward(Mode::kInfer), x);
  const RandomStream random{.seed = 5, .step = 3};
  const Values y = rig.forward(Mode::kTrain, random);
  RandomStream mask = random;
  mask.purpose = RandomPurpose::kDropout;
  std::size_t kept = 0;
  for (std::size_t i = 0; i < y.size(); ++i) {
    const bool keeps = mask.uniform(i / 6) >= 0.4f;
    EXPECT_FLOAT_EQ(y[i], keeps ? 5 : 0);
    kept += keeps ? 1 : 0;
  }
  EXPECT_NEAR(static_cast<double>(kept) / static_cast<double>(y.size()), 0.6, 0.05);
  const Values dx = rig.backward(Values(y.size(), 1.5f)).x[0];
  for (std::size_t i = 0; i < y.size(); ++i) EXPECT_FLOAT_EQ(dx[i], y[i] / 2);
}

TEST_P(BatchNormTest, SpatialDropoutTakesAFeatureFromAllStepsOfARecording) {
  NetworkRig rig(device(),
                 R"({"inputs": {"x": {"kind": "sequence", "shape": 40}},
                     "layers": [{"type": "spatial_dropout", "rate": 0.5}]})",
                 2, 6);
  rig.set_lengths(0, {6, 6}, 6);
  rig.set_input(0, Values(6 * 80, 1.0f));
  const Values y = rig.forward(Mode::kTrain, {.seed = 1});
  for (std::size_t i = 80; i < y.size(); ++i) EXPECT_EQ(y[i], y[i - 80]);
  EXPECT_NE(Values(y.begin(), y.begin() + 40), Values(y.begin() + 40, y.begin() + 80));
  const Values dx = rig.backward(Values(y.size(), 1.0f)).x[0];
  EXPECT_EQ(dx, y);
}

TEST_P(BatchNormTest, NoiseHasTheDeviationAndDependsOnNoOtherRecording) {
  const char* text = R"({"inputs": {"x": {"kind": "sequence", "shape": 100}},
                         "layers": [{"type": "gaussian_noise", "deviation": 0.5}]})";
  NetworkRig rig(device(), text, 3, 40);
  rig.set_lengths(0, {40, 40, 10}, 40);
  const Values x = random_values(40 * 300, 1);
  rig.set_input(0, x);
  EXPECT_EQ(rig.forward(Mode::kInfer), x);
  const RandomStream random{.seed = 5, .step = 3};
  const Values y = rig.forward(Mode::kTrain, random);
  double sum = 0, squares = 0, fourth = 0;
  for (std::size_t i = 0; i < y.size(); ++i) {
    const double noise = static_cast<double>(y[i]) - x[i];
    sum += noise;
    squares += noise * noise;
    fourth += noise * noise * noise * noise;
  }
  const auto count = static_cast<double>(y.size());
  EXPECT_NEAR(sum / count, 0, 0.02);
  EXPECT_NEAR(squares / count, 0.25, 0.01);
  EXPECT_NEAR(fourth / count, 3 * 0.0625, 0.02);
  const Values dy = random_values(40 * 300, 2);
  EXPECT_EQ(rig.backward(dy).x[0], dy);

  NetworkRig alone(device(), text, 1, 12);
  alone.set_lengths(0, {12}, 12);
  Values first;
  for (std::ptrdiff_t t = 0; t < 12; ++t)
    first.insert(first.end(), x.begin() + t * 300, x.begin() + t * 300 + 100);
  alone.set_input(0, first);
  const Values same = alone.forward(Mode::kTrain, random);
  for (std::size_t i = 0; i < same.size(); ++i) EXPECT_EQ(same[i], y[i / 100 * 300 + i % 100]);
}

SERVAL_DEVICE_TESTS(BatchNormTest);

}  // namespace
}  // namespace serval::nn
