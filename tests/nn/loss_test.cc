#include "serval/nn/loss.h"

#include <gtest/gtest.h>

#include "tests/support/devices.h"
#include "tests/support/expect_close.h"
#include "tests/support/nn_inputs.h"

namespace serval::nn {
namespace {

using testing_support::expect_close;
using testing_support::random_values;
namespace reference = testing_support::reference;

constexpr std::int64_t kRows = 7;
constexpr std::int64_t kClasses = 5;
const std::vector<std::int32_t> kLabels{0, 4, 2, 2, 1, 4, 3};

std::vector<reference::Row> rows_of(const std::vector<double>& logits) {
  std::vector<reference::Row> rows;
  for (std::size_t b = 0; b < kRows; ++b)
    rows.emplace_back(logits.begin() + b * kClasses, logits.begin() + (b + 1) * kClasses);
  return rows;
}

class LossTest : public testing_support::DeviceTest {
 protected:
  struct Results {
    std::vector<float> probabilities, dlogits, loss;
  };
  Results run_on(const std::vector<float>& logits, const std::vector<std::int32_t>& labels,
                 const std::vector<float>& weights, std::int64_t classes = kClasses) {
    const Context context(device());
    const auto rows = static_cast<std::int64_t>(logits.size()) / classes;
    const Tensor device_logits = Tensor::from_host(device(), logits, {rows, classes});
    const auto device_labels = Array<std::int32_t>::from_host(device(), labels);
    const Tensor device_weights = Tensor::from_host(device(), weights);
    Tensor probabilities(device(), {rows, classes});
    Tensor dlogits = Tensor::from_host(device(), random_values(rows * classes, 9), {rows, classes});
    Tensor loss = Tensor::from_host(device(), {100, 10});  // what earlier batches left
    SoftmaxCrossEntropyArgs args;
    args.batch = rows;
    args.classes = classes;
    args.logits = device_logits.view();
    if (!labels.empty()) args.labels = device_labels.view();
    if (!weights.empty()) args.class_weights = device_weights.view();
    args.probabilities = probabilities.view();
    args.dlogits = dlogits.view();
    args.loss = loss.view();
    run<SoftmaxCrossEntropy>(context, args);
    context.synchronize();
    return {probabilities.to_host(), dlogits.to_host(), loss.to_host()};
  }
};

TEST_P(LossTest, EqualsTheWeightedMeanAndItsGradient) {
  const std::vector<float> logits = random_values(kRows * kClasses, 1, 4);
  for (const std::vector<float>& weights :
       {std::vector<float>{}, std::vector<float>{0.5f, 2, 1.25f, 0.1f, 3}}) {
    const Results results = run_on(logits, kLabels, weights);
    const reference::Row double_weights(weights.begin(), weights.end());
    const auto loss_of = [&](const std::vector<double>& values) {
      return reference::cross_entropy(rows_of(values), kLabels, double_weights);
    };
    double weight_sum = 0;
    for (const std::int32_t label : kLabels) {
      weight_sum += weights.empty() ? 1 : static_cast<double>(weights[static_cast<std::size_t>(label)]);
    }
    const std::vector<double> at = testing_support::to_double(logits);
    EXPECT_NEAR(static_cast<double>(results.loss[1]), 10 + weight_sum, 1e-5);
    EXPECT_NEAR((static_cast<double>(results.loss[0]) - 100) / weight_sum, loss_of(at), 1e-5);
    expect_close(results.dlogits, reference::numeric_gradient(loss_of, at), 1e-6, 1e-5, {kRows, kClasses});
    std::vector<double> softmax;
    for (const reference::Row& row : rows_of(at)) {
      double sum = 0;
      for (const double logit : row) sum += std::exp(logit);
      for (const double logit : row) softmax.push_back(std::exp(logit) / sum);
    }
    expect_close(results.probabilities, softmax, 1e-6, 1e-6, {kRows, kClasses});
  }
}

TEST_P(LossTest, WithoutLabelsOnlyProbabilitiesAreWritten) {
  const std::vector<float> logits = random_values(kRows * kClasses, 1, 4);
  const Results labelled = run_on(logits, kLabels, {});
  const Results bare = run_on(logits, {}, {});
  expect_close(bare.probabilities, labelled.probabilities, 0, 0);
  EXPECT_EQ(bare.loss, (std::vector<float>{100, 10}));
}

TEST_P(LossTest, LargeLogitsStayFinite) {
  const Results results = run_on({1000, 0, -1000, -1000, 0, 1000}, {0, 0}, {}, 3);
  expect_close(results.probabilities, std::vector<double>{1, 0, 0, 0, 0, 1}, 1e-7, 0);
  EXPECT_NEAR(results.loss[0], 100 + 2000, 1e-3);
  expect_close(results.dlogits, std::vector<double>{0, 0, 0, -0.5, 0, 0.5}, 1e-7, 0);
}

SERVAL_DEVICE_TESTS(LossTest);

TEST(LossOnCpu, ALabelOutsideTheClassesIsCaught) {
  const Context context;
  const std::vector<float> logits(6, 0.0f);
  const std::vector<std::int32_t> labels{0, 3};
  std::vector<float> probabilities(6);
  std::vector<float> loss(2);
  SoftmaxCrossEntropyArgs args;
  args.batch = 2;
  args.classes = 3;
  args.logits = {logits.data(), {2, 3}};
  args.labels = {labels.data(), {2}};
  args.probabilities = {probabilities.data(), {2, 3}};
  args.loss = {loss.data(), {2}};
  EXPECT_THROW(run<SoftmaxCrossEntropy>(context, args), InternalError);
}

}  // namespace
}  // namespace serval::nn
