#include "serval/nn/pooling.h"

#include <gtest/gtest.h>

#include "tests/support/devices.h"
#include "tests/support/expect_close.h"
#include "tests/support/nn_inputs.h"

namespace serval::nn {
namespace {

using testing_support::expect_close;
using testing_support::PaddedBatch;
using testing_support::random_values;
namespace reference = testing_support::reference;

const PaddedBatch kBatch{.time = 9, .feature = 11, .lengths = {9, 3, 7, 1, 8}};
constexpr std::int64_t kBatchSize = 5;
constexpr std::int64_t kReversedFrom = 4;
const Shape kSequenceShape{9, kBatchSize, 11};
const Shape kPooledShape{kBatchSize, 11};

std::vector<float> padded_input() {
  std::vector<float> x = random_values(kSequenceShape.size(), 1);
  kBatch.pad(x, kBatch.feature);  // with NaN: not to be read
  return x;
}
std::vector<float> output_gradient() { return random_values(kPooledShape.size(), 2); }

using Pool = std::function<reference::Row(const reference::Sequence&, std::int64_t b)>;

std::vector<double> expected_output(const Pool& pool, const std::vector<double>& x) {
  std::vector<double> y;
  for (std::int64_t b = 0; b < kBatchSize; ++b) {
    for (const double value : pool(kBatch.sequence(x, b, kBatch.feature), b)) y.push_back(value);
  }
  return y;
}
std::vector<double> expected_gradient(const Pool& pool) {
  const std::vector<float> dy = output_gradient();
  return reference::numeric_gradient(
      [&](const std::vector<double>& x) {
        const std::vector<double> y = expected_output(pool, x);
        double loss = 0;
        for (std::size_t i = 0; i < y.size(); ++i) loss += y[i] * static_cast<double>(dy[i]);
        return loss;
      },
      testing_support::to_double(padded_input()));
}

class PoolingTest : public testing_support::DeviceTest {
 protected:
  // Gradients are added to a tensor of ones.
  template <class Forward, class Backward>
  void check(const Pool& pool, std::int64_t reversed_from) {
    const Context context(device());
    const Tensor x = Tensor::from_host(device(), padded_input(), kSequenceShape);
    const Tensor dy = Tensor::from_host(device(), output_gradient(), kPooledShape);
    const Array<std::int32_t> lengths = Array<std::int32_t>::from_host(device(), kBatch.lengths);
    Tensor y = Tensor::from_host(device(), random_values(kPooledShape.size(), 9), kPooledShape);
    Tensor dx = Tensor::from_host(device(), std::vector<float>(padded_input().size(), 1.0f), kSequenceShape);
    PoolArgs args;
    args.shape = {9, kBatchSize, 11};
    args.lengths = lengths.view();
    args.reversed_from = reversed_from;
    args.x = x.view();
    args.y = y.view();
    run<Forward>(context, args);
    args.dy = dy.view();
    args.dx = dx.view();
    run<Backward>(context, args);
    context.synchronize();
    expect_close(y.to_host(), expected_output(pool, testing_support::to_double(padded_input())), 1e-6, 1e-6,
                 kPooledShape);
    std::vector<double> expected = expected_gradient(pool);
    for (double& value : expected) value += 1;
    expect_close(dx.to_host(), expected, 1e-6, 1e-6, kSequenceShape);
  }
};

TEST_P(PoolingTest, MeanIsOverARecordingsOwnSteps) {
  check<MeanPoolForward, MeanPoolBackward>(
      [](const reference::Sequence& x, std::int64_t) { return reference::mean_pool(x); }, 11);
}

TEST_P(PoolingTest, LastIsTheLastStepEachDirectionSaw) {
  for (const std::int64_t reversed_from : {kReversedFrom, std::int64_t{11}}) {
    check<LastPoolForward, LastPoolBackward>(
        [=](const reference::Sequence& x, std::int64_t) {
          return reference::last_pool(x, static_cast<std::size_t>(reversed_from));
        },
        reversed_from);
  }
}

TEST_P(PoolingTest, AttentionWeighsARecordingsOwnSteps) {
  const Context context(device());
  std::vector<float> scores = random_values(9 * kBatchSize, 3, 4);
  kBatch.pad(scores, 1);
  const auto scores_of = [&](const auto& values, std::int64_t b) {
    reference::Row row;
    for (const reference::Row& step : kBatch.sequence(values, b, 1)) row.push_back(step[0]);
    return row;
  };
  const Pool pool = [&](const reference::Sequence& x, std::int64_t b) {
    return reference::weighted_pool(x, scores_of(scores, b));
  };

  const Tensor x = Tensor::from_host(device(), padded_input(), kSequenceShape);
  const Tensor dy = Tensor::from_host(device(), output_gradient(), kPooledShape);
  const Tensor device_scores = Tensor::from_host(device(), scores, {9, kBatchSize});
  const Array<std::int32_t> lengths = Array<std::int32_t>::from_host(device(), kBatch.lengths);
  Tensor weights = Tensor::from_host(device(), random_values(9 * kBatchSize, 7), {9, kBatchSize});
  Tensor y(device(), kPooledShape);
  Tensor dx = Tensor::from_host(device(), std::vector<float>(padded_input().size(), 1.0f), kSequenceShape);
  Tensor dscores = Tensor::from_host(device(), random_values(9 * kBatchSize, 8), {9, kBatchSize});
  AttentionPoolArgs args;
  args.shape = {9, kBatchSize, 11};
  args.lengths = lengths.view();
  args.x = x.view();
  args.scores = device_scores.view();
  args.weights = weights.view();
  args.y = y.view();
  run<AttentionPoolForward>(context, args);
  args.dy = dy.view();
  args.dx = dx.view();
  args.dscores = dscores.view();
  run<AttentionPoolBackward>(context, args);
  context.synchronize();

  const std::vector<double> x_double = testing_support::to_double(padded_input());
  expect_close(y.to_host(), expected_output(pool, x_double), 1e-6, 2e-6, kPooledShape);
  std::vector<double> expected = expected_gradient(pool);
  for (double& value : expected) value += 1;
  expect_close(dx.to_host(), expected, 1e-6, 2e-6, kSequenceShape);

  const std::vector<float> dy_host = output_gradient();
  std::vector<double> expected_dscores = reference::numeric_gradient(
      [&](const std::vector<double>& other) {
        double loss = 0;
        for (std::int64_t b = 0; b < kBatchSize; ++b) {
          const reference::Row row =
              reference::weighted_pool(kBatch.sequence(x_double, b, 11), scores_of(other, b));
          for (std::size_t f = 0; f < row.size(); ++f) {
            loss += row[f] * static_cast<double>(dy_host[static_cast<std::size_t>(b) * 11 + f]);
          }
        }
        return loss;
      },
      testing_support::to_double(scores));
  expect_close(dscores.to_host(), expected_dscores, 1e-6, 5e-6, {9, kBatchSize});

  const std::vector<float> a = weights.to_host();
  for (std::int64_t b = 0; b < kBatchSize; ++b) {
    double sum = 0;
    for (std::int64_t t = 0; t < 9; ++t) {
      const float weight = a[static_cast<std::size_t>(t * kBatchSize + b)];
      sum += static_cast<double>(weight);
      if (t >= kBatch.lengths[static_cast<std::size_t>(b)]) EXPECT_EQ(weight, 0);
    }
    EXPECT_NEAR(sum, 1, 1e-6);
  }
}

TEST_P(PoolingTest, LargeScoresDoNotOverflow) {
  const Context context(device());
  const Tensor x = Tensor::from_host(device(), {1, 2, 4}, {3, 1, 1});
  const Tensor scores = Tensor::from_host(device(), {300, 300, -300}, {3, 1});
  const Array<std::int32_t> lengths = Array<std::int32_t>::from_host(device(), {3});
  Tensor weights(device(), {3, 1});
  Tensor y(device(), {1, 1});
  AttentionPoolArgs args;
  args.shape = {3, 1, 1};
  args.lengths = lengths.view();
  args.x = x.view();
  args.scores = scores.view();
  args.weights = weights.view();
  args.y = y.view();
  run<AttentionPoolForward>(context, args);
  context.synchronize();
  EXPECT_FLOAT_EQ(y.to_host()[0], 1.5f);
}

SERVAL_DEVICE_TESTS(PoolingTest);

}  // namespace
}  // namespace serval::nn
