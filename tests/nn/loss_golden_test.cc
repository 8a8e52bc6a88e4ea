// Losses and their gradients against PyTorch, on every device and as GPU kernels on fibers.
#include <gtest/gtest.h>

#include "serval/core/json.h"
#include "serval/nn/center_loss.h"
#include "serval/nn/loss.h"
#include "serval/nn/value_loss.h"

#include "tests/support/devices.h"
#include "tests/support/expect_close.h"
#include "tests/support/host_ops.h"

namespace serval::nn {
namespace {

using testing_support::expect_close;

std::vector<float> numbers(const JsonValue& json, const char* name) {
  std::vector<float> out;
  if (const JsonValue* list = json.find(name)) {
    for (const JsonValue& item : list->items) out.push_back(static_cast<float>(item.real));
  }
  return out;
}
std::vector<std::int32_t> labels_of(const JsonValue& json) {
  std::vector<std::int32_t> out;
  if (const JsonValue* list = json.find("labels")) {
    for (const JsonValue& item : list->items) out.push_back(static_cast<std::int32_t>(item.integer));
  }
  return out;
}

void check_case(const Device& device, const JsonValue& json) {
  SCOPED_TRACE(json.find("name")->text);
  const Context context(device);
  const std::string kind = json.find("kind")->text;
  const std::int64_t batch = json.find("batch")->integer, width = json.find("width")->integer;
  const Tensor x = Tensor::from_host(device, numbers(json, "x"), {batch, width});
  const Tensor targets = Tensor::from_host(device, numbers(json, "targets"));
  const auto labels = Array<std::int32_t>::from_host(device, labels_of(json));
  Tensor dx = Tensor::from_host(device, std::vector<float>(static_cast<std::size_t>(batch * width), 9.0f));
  Tensor loss = Tensor::from_host(device, {3, 4});  // what earlier batches left
  // Half of it, so that the factor shows.
  constexpr float kFactor = 0.5f;
  if (kind == "classes") {
    const Tensor weights = Tensor::from_host(device, numbers(json, "weights"));
    Tensor probabilities(device, {batch, width});
    SoftmaxCrossEntropyArgs args{.batch = batch,
                                 .classes = width,
                                 .logits = x.view(),
                                 .probabilities = probabilities.view(),
                                 .dlogits = dx.view(),
                                 .loss = loss.view()};
    if (labels.size() > 0) args.labels = labels.view();
    if (targets.size() > 0) args.targets = targets.view();
    if (weights.size() > 0) args.class_weights = weights.view();
    args.label_smoothing = static_cast<float>(json.find("smoothing")->real);
    args.gamma = static_cast<float>(json.find("gamma")->real);
    args.factor = kFactor;
    run<SoftmaxCrossEntropy>(context, args);
  } else if (kind == "center") {
    Tensor centers = Tensor::from_host(device, numbers(json, "centers"));
    run<CenterLoss>(context, CenterLossArgs{.batch = batch,
                                            .width = width,
                                            .x = x.view(),
                                            .centers = centers.view(),
                                            .labels = labels.view(),
                                            .dx = dx.view(),
                                            .loss = loss.view(),
                                            .factor = kFactor});
    run<CenterUpdate>(context, CenterUpdateArgs{.batch = batch,
                                                .width = width,
                                                .x = x.view(),
                                                .labels = labels.view(),
                                                .centers = centers.view(),
                                                .rate = static_cast<float>(json.find("rate")->real)});
    context.synchronize();
    expect_close(centers.to_host(), numbers(json, "moved"), 1e-6, 1e-6);
  } else {
    ValueLossArgs args{.batch = batch,
                       .width = width,
                       .y = x.view(),
                       .targets = targets.view(),
                       .dy = dx.view(),
                       .loss = loss.view(),
                       .factor = kFactor};
    kind == "mean_square" ? run<MeanSquareLoss>(context, MeanSquareLossArgs{args})
                          : run<ConcordanceLoss>(context, ConcordanceLossArgs{args});
  }
  context.synchronize();
  const std::vector<float> sums = loss.to_host();
  EXPECT_NEAR((sums[0] - 3) / (sums[1] - 4), kFactor * json.find("loss")->real, 3e-6);
  std::vector<float> gradient = numbers(json, "dx");
  for (float& g : gradient) g *= kFactor;
  expect_close(dx.to_host(), gradient, 1e-6, 1e-5);
}

JsonValue goldens() {
  return parse_json_file(std::string(SERVAL_SOURCE_DIR) + "/tests/golden/train/losses.json");
}

class LossGoldenTest : public testing_support::DeviceTest {};

TEST_P(LossGoldenTest, ValuesAndGradientsAreThoseOfPyTorch) {
  const JsonValue json = goldens();
  ASSERT_GE(json.find("cases")->items.size(), 13u);
  for (const JsonValue& one : json.find("cases")->items) check_case(device(), one);
}

SERVAL_DEVICE_TESTS(LossGoldenTest);

TEST(LossGoldenKernels, ValuesAndGradientsAreThoseOfPyTorch) {
  const testing_support::PortableOpsAsKernels kernels;
  const JsonValue json = goldens();
  for (const JsonValue& one : json.find("cases")->items) check_case({}, one);
}

TEST(ConcordanceLossOnCpu, ConstantsHaveNoGradient) {
  const std::vector<float> same(4, 2.0f);
  std::vector<float> dy(4, 9.0f), loss(2);
  ConcordanceLossArgs args{{.batch = 4,
                            .width = 1,
                            .y = {same.data(), {4, 1}},
                            .targets = {same.data(), {4, 1}},
                            .dy = {dy.data(), {4, 1}},
                            .loss = {loss.data(), {2}}}};
  run<ConcordanceLoss>(Context(), args);
  EXPECT_EQ(dy, std::vector<float>(4, 0.0f));
  EXPECT_EQ(loss, (std::vector<float>{4, 4}));
}

TEST(FocalLossOnCpu, ACertainRowIsFinite) {
  const std::vector<float> logits{1000, 0, -1000, 0, 1000, 0};
  const std::vector<std::int32_t> labels{0, 0};
  std::vector<float> probabilities(6), dlogits(6), loss(2);
  SoftmaxCrossEntropyArgs args{.batch = 2,
                               .classes = 3,
                               .logits = {logits.data(), {2, 3}},
                               .labels = {labels.data(), {2}},
                               .probabilities = {probabilities.data(), {2, 3}},
                               .dlogits = {dlogits.data(), {2, 3}},
                               .loss = {loss.data(), {2}}};
  args.gamma = 0.5f;
  run<SoftmaxCrossEntropy>(Context(), args);
  EXPECT_EQ(loss[0], 1000);  // the second row, wrong for sure
  expect_close(dlogits, std::vector<double>{0, 0, 0, -0.5, 0.5, 0}, 1e-6, 0);
}

}  // namespace
}  // namespace serval::nn
