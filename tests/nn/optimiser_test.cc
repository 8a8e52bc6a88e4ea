#include "serval/nn/optimiser.h"

#include <cmath>

#include <gtest/gtest.h>

#include "serval/core/json.h"
#include "serval/core/settings_io.h"

#include "tests/support/devices.h"
#include "tests/support/expect_close.h"
#include "tests/support/nn_inputs.h"

namespace serval::nn {
namespace {

using testing_support::expect_close;
using testing_support::random_values;
using testing_support::same_bits;

constexpr std::int64_t kCount = 9001;  // three blocks of the norm, the last one short

class OptimiserTest : public testing_support::DeviceTest {
 protected:
  struct State {
    Tensor parameters, gradients, state, scratch;
  };
  State start(const OptimiserSettings& settings, const std::vector<float>& parameters) const {
    const auto count = static_cast<std::int64_t>(parameters.size());
    const auto slots = static_cast<std::int64_t>(optimiser_slots(settings).size());
    return {Tensor::from_host(device(), parameters), Tensor(device(), {count}),
            Tensor(device(), {slots * count}), Tensor(device(), {optimiser_scratch_size(count)})};
  }
  static void step(const Context& context, const OptimiserSettings& settings, int number, State& s) {
    run<OptimiserStep>(context, OptimiserArgs{settings, number, s.parameters.view(), s.gradients.view(),
                                              s.state.view(), s.scratch.view()});
    context.synchronize();
  }
};

std::vector<float> floats(const JsonValue& list) {
  std::vector<float> out;
  for (const JsonValue& item : list.items) out.push_back(static_cast<float>(item.real));
  return out;
}

TEST_P(OptimiserTest, TwentyStepsAreThoseOfPyTorch) {
  const Context context(device());
  const JsonValue json =
      parse_json_file(std::string(SERVAL_SOURCE_DIR) + "/tests/golden/train/optimisers.json");
  ASSERT_EQ(json.find("cases")->items.size(), 18u);
  for (const JsonValue& one : json.find("cases")->items) {
    SCOPED_TRACE(write_json(*one.find("settings")));
    std::vector<std::string> errors;
    auto settings = read_settings<OptimiserSettings>(*one.find("settings"), errors);
    ASSERT_EQ(errors, std::vector<std::string>());
    settings.clip_norm = one.find("clip")->real;
    State state = start(settings, floats(*json.find("start")));
    for (int number = 1; number <= 20; ++number) {
      const auto at = static_cast<std::size_t>(number - 1);
      state.gradients.assign(floats(json.find("gradients")->items[at]));
      step(context, settings, number, state);
      expect_close(state.parameters.to_host(), floats(one.find("path")->items[at]), 4e-6, 1e-5);
      if (HasFailure()) return;
    }
  }
}

TEST_P(OptimiserTest, TheNormIsThatOfAllBlocksAndClipsThemTogether) {
  const Context context(device());
  const OptimiserSettings settings{.type = OptimiserType::kSgd, .learning_rate = 1, .clip_norm = 0.5};
  const std::vector<float> gradients = random_values(kCount, 2);
  State state = start(settings, std::vector<float>(kCount, 0.0f));
  state.gradients.assign(gradients);
  step(context, settings, 1, state);
  double norm = 0;
  for (const float g : gradients) norm += static_cast<double>(g) * static_cast<double>(g);
  norm = std::sqrt(norm);
  EXPECT_NEAR(state.scratch.to_host()[0], norm, 1e-5 * norm);
  std::vector<double> expected;
  for (const float g : gradients) expected.push_back(-static_cast<double>(g) * 0.5 / norm);
  expect_close(state.parameters.to_host(), expected, 1e-8, 1e-5);
}

TEST_P(OptimiserTest, GradientsAreZeroAfterwards) {
  const Context context(device());
  for (const OptimiserType type : {OptimiserType::kSgd, OptimiserType::kAdam, OptimiserType::kRmsProp}) {
    const OptimiserSettings settings{.type = type};
    State state = start(settings, random_values(kCount, 1));
    state.gradients.assign(random_values(kCount, 2));
    step(context, settings, 1, state);
    EXPECT_EQ(state.gradients.to_host(), std::vector<float>(kCount, 0.0f));
  }
}

TEST_P(OptimiserTest, ANormOfZeroIsNotDividedBy) {
  const Context context(device());
  State state = start({}, {1, 2, 3});
  step(context, {.clip_norm = 1}, 1, state);
  EXPECT_EQ(state.parameters.to_host(), (std::vector<float>{1, 2, 3}));
  EXPECT_EQ(state.scratch.to_host()[0], 0);
}

TEST_P(OptimiserTest, ANaNGradientShowsInTheNorm) {
  const Context context(device());
  State state = start({}, {1, 2, 3});
  state.gradients.assign({0, std::nanf(""), 0});
  step(context, {.clip_norm = 1}, 1, state);
  EXPECT_TRUE(std::isnan(state.scratch.to_host()[0]));
}

TEST_P(OptimiserTest, RepeatsGiveTheSameBits) {
  const Context context(device());
  std::vector<float> first;
  for (int repeat = 0; repeat < 8; ++repeat) {
    State state = start({}, random_values(kCount, 1));
    state.gradients.assign(random_values(kCount, 2));
    step(context, {.clip_norm = 0.5}, 3, state);
    if (repeat == 0) first = state.parameters.to_host();
    EXPECT_TRUE(same_bits(state.parameters.to_host(), first));
  }
}

TEST(OptimiserSettingsTest, WhatDoesNotFitIsRefused) {
  std::vector<std::string> errors;
  read_settings<OptimiserSettings>(parse_json(R"({"type": "sgd", "nesterov": true, "beta1": 0.9})", "o.json"),
                                   errors);
  ASSERT_EQ(errors.size(), 2u);
  EXPECT_NE((errors[0] + errors[1]).find("nesterov: needs a momentum above 0"), std::string::npos);
  EXPECT_NE((errors[0] + errors[1]).find("beta1: unknown key"), std::string::npos);
}

SERVAL_DEVICE_TESTS(OptimiserTest);

}  // namespace
}  // namespace serval::nn
