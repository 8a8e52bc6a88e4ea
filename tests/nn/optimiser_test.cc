#include "serval/nn/optimiser.h"

#include <cmath>

#include <gtest/gtest.h>

#include "tests/support/devices.h"
#include "tests/support/expect_close.h"
#include "tests/support/nn_inputs.h"

namespace serval::nn {
namespace {

using testing_support::expect_close;
using testing_support::random_values;
using testing_support::same_bits;

constexpr std::int64_t kCount = 9001;  // three blocks of the norm, the last one short

// Adam as its paper and AdamW's write it, in double.
struct DoubleAdam {
  AdamSettings settings;
  std::vector<double> parameters, m, v;

  explicit DoubleAdam(const AdamSettings& s, const std::vector<float>& start)
      : settings(s), parameters(start.begin(), start.end()), m(start.size()), v(start.size()) {}
  double step(int number, const std::vector<float>& gradients) {
    double norm = 0;
    for (const float g : gradients) norm += static_cast<double>(g) * static_cast<double>(g);
    norm = std::sqrt(norm);
    const double scale = settings.clip_norm > 0 ? std::min(1.0, settings.clip_norm / norm) : 1;
    for (std::size_t i = 0; i < parameters.size(); ++i) {
      const double g = scale * static_cast<double>(gradients[i]);
      m[i] = settings.beta1 * m[i] + (1 - settings.beta1) * g;
      v[i] = settings.beta2 * v[i] + (1 - settings.beta2) * g * g;
      const double m_hat = m[i] / (1 - std::pow(settings.beta1, number));
      const double v_hat = v[i] / (1 - std::pow(settings.beta2, number));
      parameters[i] -= settings.learning_rate * (m_hat / (std::sqrt(v_hat) + settings.epsilon) +
                                                 settings.weight_decay * parameters[i]);
    }
    return norm;
  }
};

class AdamTest : public testing_support::DeviceTest {
 protected:
  struct State {
    Tensor parameters, gradients, m, v, scratch;
  };
  State start(const std::vector<float>& parameters) const {
    const auto count = static_cast<std::int64_t>(parameters.size());
    return {Tensor::from_host(device(), parameters), Tensor(device(), {count}), Tensor(device(), {count}),
            Tensor(device(), {count}), Tensor(device(), {adam_scratch_size(count)})};
  }
  static void step(const Context& context, const AdamSettings& settings, int number, State& s) {
    run<AdamStep>(context, AdamArgs{settings, number, s.parameters.view(), s.gradients.view(), s.m.view(),
                                    s.v.view(), s.scratch.view()});
    context.synchronize();
  }
};

TEST_P(AdamTest, FiftyStepsEqualTheSameInDouble) {
  const Context context(device());
  const AdamSettings variants[] = {{},
                                   {.learning_rate = 0.02, .beta1 = 0.8, .beta2 = 0.95, .epsilon = 1e-4},
                                   {.learning_rate = 0.01, .weight_decay = 0.1},
                                   {.learning_rate = 0.01, .clip_norm = 20}};
  for (const AdamSettings& settings : variants) {
    const std::vector<float> first = random_values(kCount, 1);
    State state = start(first);
    DoubleAdam expected(settings, first);
    for (int number = 1; number <= 50; ++number) {
      // Sizes vary, so that clipping acts on some steps and not on others.
      const std::vector<float> gradients =
          random_values(kCount, static_cast<std::uint32_t>(10 + number), number % 3 == 0 ? 0.01f : 1.0f);
      state.gradients.assign(gradients);
      step(context, settings, number, state);
      const double norm = expected.step(number, gradients);
      ASSERT_NEAR(state.scratch.to_host()[0], norm, 1e-5 * norm);
    }
    expect_close(state.parameters.to_host(), expected.parameters, 5e-6, 1e-5);
  }
}

TEST_P(AdamTest, GradientsAreZeroAfterwards) {
  const Context context(device());
  State state = start(random_values(kCount, 1));
  state.gradients.assign(random_values(kCount, 2));
  step(context, {}, 1, state);
  EXPECT_EQ(state.gradients.to_host(), std::vector<float>(kCount, 0.0f));
}

TEST_P(AdamTest, ANormOfZeroIsNotDividedBy) {
  const Context context(device());
  State state = start({1, 2, 3});
  step(context, {.clip_norm = 1}, 1, state);
  EXPECT_EQ(state.parameters.to_host(), (std::vector<float>{1, 2, 3}));
  EXPECT_EQ(state.scratch.to_host()[0], 0);
}

TEST_P(AdamTest, ANaNGradientShowsInTheNorm) {
  const Context context(device());
  State state = start({1, 2, 3});
  state.gradients.assign({0, std::nanf(""), 0});
  step(context, {.clip_norm = 1}, 1, state);
  EXPECT_TRUE(std::isnan(state.scratch.to_host()[0]));
}

TEST_P(AdamTest, RepeatsGiveTheSameBits) {
  const Context context(device());
  std::vector<float> first;
  for (int repeat = 0; repeat < 8; ++repeat) {
    State state = start(random_values(kCount, 1));
    state.gradients.assign(random_values(kCount, 2));
    step(context, {.clip_norm = 0.5}, 3, state);
    if (repeat == 0) first = state.parameters.to_host();
    EXPECT_TRUE(same_bits(state.parameters.to_host(), first));
  }
}

SERVAL_DEVICE_TESTS(AdamTest);

}  // namespace
}  // namespace serval::nn
