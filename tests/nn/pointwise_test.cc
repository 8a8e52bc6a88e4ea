#include "serval/nn/pointwise.h"

#include <cmath>

#include <gtest/gtest.h>

#include "tests/support/devices.h"
#include "tests/support/expect_close.h"
#include "tests/support/nn_inputs.h"

namespace serval::nn {
namespace {

using testing_support::expect_close;
using testing_support::for_each_level;
using testing_support::random_values;
using testing_support::same_bits;
namespace reference = testing_support::reference;

constexpr Activation kActivations[] = {Activation::kNone, Activation::kRelu, Activation::kTanh,
                                       Activation::kSigmoid};

class PointwiseTest : public testing_support::DeviceTest {};

TEST_P(PointwiseTest, BiasActivation) {
  const Context context(device());
  for_each_level(device(), [&] {
    for (const Activation activation : kActivations) {
      for (const bool with_bias : {true, false}) {
        const std::vector<float> before = random_values(13 * 37, 1, 3);
        const std::vector<float> bias_values = random_values(37, 2);
        Tensor y = Tensor::from_host(device(), before, {13, 37});
        const Tensor bias = Tensor::from_host(device(), bias_values);
        run<BiasActivation>(context, BiasActivationArgs{.rows = 13,
                                                        .columns = 37,
                                                        .y = y.view(),
                                                        .bias = with_bias ? bias.view() : ConstTensorView{},
                                                        .activation = activation});
        context.synchronize();
        std::vector<double> expected;
        for (std::size_t i = 0; i < before.size(); ++i) {
          const double b = with_bias ? static_cast<double>(bias_values[i % 37]) : 0;
          expected.push_back(reference::activate(activation, static_cast<double>(before[i]) + b));
        }
        expect_close(y.to_host(), expected, 2e-7, 3e-7, {13, 37});
      }
    }
  });
}

TEST_P(PointwiseTest, ActivationBackwardIsTheSlope) {
  const Context context(device());
  const std::vector<float> x = random_values(501, 1, 3);
  const std::vector<float> upstream = random_values(501, 2);
  for (const Activation activation : kActivations) {
    std::vector<float> result;
    std::vector<double> expected;
    for (std::size_t i = 0; i < x.size(); ++i) {
      const auto at = static_cast<double>(x[i]);
      result.push_back(static_cast<float>(reference::activate(activation, at)));
      const double slope =
          (reference::activate(activation, at + 1e-6) - reference::activate(activation, at - 1e-6)) / 2e-6;
      expected.push_back(slope * static_cast<double>(upstream[i]));
    }
    const Tensor y = Tensor::from_host(device(), result);
    Tensor dy = Tensor::from_host(device(), upstream);
    run<ActivationBackward>(context,
                            ActivationBackwardArgs{.y = y.view(), .dy = dy.view(), .activation = activation});
    context.synchronize();
    expect_close(dy.to_host(), expected, 5e-7, 1e-6);
  }
}

TEST_P(PointwiseTest, ColumnSumAddsToWhatIsThere) {
  const Context context(device());
  for (const auto& [rows, columns] : {std::pair{1, 1}, {1, 300}, {1000, 3}, {777, 65}, {256, 64}}) {
    const std::vector<float> x = random_values(rows * columns, 1);
    const std::vector<float> before = random_values(columns, 2);
    std::vector<double> expected = testing_support::to_double(before);
    for (std::size_t i = 0; i < x.size(); ++i)
      expected[i % static_cast<std::size_t>(columns)] += static_cast<double>(x[i]);
    const Tensor device_x = Tensor::from_host(device(), x);
    std::vector<float> first;
    for (int repeat = 0; repeat < 8; ++repeat) {
      Tensor sums = Tensor::from_host(device(), before);
      run<ColumnSum>(
          context,
          ColumnSumArgs{.rows = rows, .columns = columns, .x = device_x.view(), .sums = sums.view()});
      context.synchronize();
      if (repeat == 0) first = sums.to_host();
      EXPECT_TRUE(same_bits(sums.to_host(), first));
    }
    expect_close(first, expected, 2e-5, 1e-5);
  }
}

TEST_P(PointwiseTest, FillZero) {
  const Context context(device());
  Tensor values = Tensor::from_host(device(), random_values(1001, 1));
  run<FillZero>(context, values.view(1, {999}));
  context.synchronize();
  const std::vector<float> after = values.to_host();
  EXPECT_EQ(std::count(after.begin(), after.end(), 0.0f), 999);
  EXPECT_NE(after.front(), 0);
  EXPECT_NE(after.back(), 0);
}

struct Drop {
  std::int64_t time = 1, batch = 1, columns = 1, time_stride = 1;
  float rate = 0.3f;
  RandomStream random{.seed = 99, .fold = 2, .purpose = RandomPurpose::kDropout, .step = 5, .layer = 1};
};
std::vector<float> dropped(const Context& context, const Drop& d, const std::vector<float>& values,
                           bool in_place) {
  Tensor x = Tensor::from_host(context.device(), values);
  Tensor y(context.device(), x.shape());
  const TensorView to = in_place ? x.view() : y.view();
  run<Dropout>(context, DropoutArgs{.time = d.time,
                                    .batch = d.batch,
                                    .columns = d.columns,
                                    .time_stride = d.time_stride,
                                    .x = x.view(),
                                    .y = to,
                                    .rate = d.rate,
                                    .random = d.random});
  context.synchronize();
  return in_place ? x.to_host() : y.to_host();
}

TEST_P(PointwiseTest, DropoutKeepsItsShareAndTheMean) {
  const Context context(device());
  constexpr std::int64_t kCount = 400000;
  for (const float rate : {0.0f, 0.1f, 0.5f, 0.9f}) {
    const Drop d{.batch = 1000, .columns = 400, .rate = rate};
    const std::vector<float> y = dropped(context, d, std::vector<float>(kCount, 1.0f), false);
    const auto kept = static_cast<double>(kCount - std::count(y.begin(), y.end(), 0.0f));
    const double share = 1 - static_cast<double>(rate);
    EXPECT_NEAR(kept / kCount, share, 4.5 * std::sqrt(share * (1 - share) / kCount) + 1e-12);
    for (const float value : y) {
      if (value != 0) ASSERT_FLOAT_EQ(value, static_cast<float>(1 / share));
    }
    // Neighbours are independent: pairs are kept as often as chance has it.
    double pairs = 0;
    for (std::size_t i = 1; i < y.size(); ++i) pairs += y[i] != 0 && y[i - 1] != 0 ? 1 : 0;
    EXPECT_NEAR(pairs / kCount, share * share, 0.005);
  }
}

TEST_P(PointwiseTest, DropoutMaskIsThatOfTheIndex) {
  const Context context(device());
  const Drop d{.time = 4, .batch = 3, .columns = 5, .time_stride = 7};
  const std::vector<float> x = random_values(60, 1);
  const std::vector<float> y = dropped(context, d, x, false);
  for (std::uint64_t t = 0; t < 4; ++t) {
    for (std::uint64_t b = 0; b < 3; ++b) {
      for (std::uint64_t c = 0; c < 5; ++c) {
        const bool keep = d.random.uniform((b * 7 + t) * 5 + c) >= d.rate;
        const std::size_t i = (t * 3 + b) * 5 + c;
        EXPECT_FLOAT_EQ(y[i], keep ? x[i] / 0.7f : 0) << t << " " << b << " " << c;
      }
    }
  }
  EXPECT_TRUE(same_bits(dropped(context, d, x, true), y));
}

TEST_P(PointwiseTest, DropoutDoesNotDependOnTheLongestOfTheBatch) {
  const Context context(device());
  const std::vector<float> ones(11 * 3 * 5, 1.0f);
  const std::vector<float> longer =
      dropped(context, {.time = 11, .batch = 3, .columns = 5, .time_stride = 20}, ones, false);
  const std::vector<float> shorter =
      dropped(context, {.time = 4, .batch = 3, .columns = 5, .time_stride = 20},
              {ones.begin(), ones.begin() + 60}, false);
  EXPECT_TRUE(same_bits(shorter, {longer.begin(), longer.begin() + 60}));
}

TEST_P(PointwiseTest, DropoutMasksDifferByStepFoldSeedAndLayer) {
  const Context context(device());
  const std::vector<float> ones(1000, 1.0f);
  const Drop d{.batch = 10, .columns = 100};
  const std::vector<float> base = dropped(context, d, ones, false);
  const auto differs = [&](RandomStream random) {
    Drop other = d;
    other.random = random;
    const std::vector<float> y = dropped(context, other, ones, false);
    int different = 0;
    for (std::size_t i = 0; i < y.size(); ++i) different += y[i] != base[i];
    EXPECT_NEAR(different, 420, 100);  // 2 * 0.3 * 0.7
  };
  RandomStream random = d.random;
  random.step = 6;
  differs(random);
  random = d.random;
  random.fold = 3;
  differs(random);
  random = d.random;
  random.seed = 100;
  differs(random);
  random = d.random;
  random.layer = 2;
  differs(random);
}

SERVAL_DEVICE_TESTS(PointwiseTest);

// Known answers of the Random123 distribution.
TEST(Philox, KnownAnswers) {
  const auto expect = [](PhiloxBlock counter, std::uint32_t key0, std::uint32_t key1, PhiloxBlock expected) {
    const PhiloxBlock out = philox4x32(counter, key0, key1);
    for (int i = 0; i < 4; ++i) EXPECT_EQ(out.value[i], expected.value[i]) << i;
  };
  expect({{0, 0, 0, 0}}, 0, 0, {{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}});
  expect({{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}}, 0xffffffff, 0xffffffff,
         {{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}});
  expect({{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}}, 0xa4093822, 0x299f31d0,
         {{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}});
}

}  // namespace
}  // namespace serval::nn
