// A small convolutional network learns eight images by heart.
#include <algorithm>

#include <gtest/gtest.h>

#include "serval/nn/loss.h"
#include "serval/nn/optimiser.h"

#include "tests/support/devices.h"
#include "tests/support/network_rig.h"
#include "tests/support/nn_inputs.h"

namespace serval::nn {
namespace {

using testing_support::NetworkRig;

constexpr const char* kNetwork = R"({
  "inputs": { "x": { "kind": "image", "shape": [1, 16, 20] } },
  "layers": [
    { "type": "conv2d", "channels": 8, "kernel": 3, "padding": "same" },
    { "type": "batch_norm", "activation": "relu" },
    { "type": "max_pool2d", "kernel": 2 },
    { "type": "residual_block", "channels": 12, "stride": 2 },
    { "type": "squeeze_excitation", "ratio": 4 },
    { "type": "dense_block", "layers": 2, "growth": 6, "bottleneck": 2 },
    { "type": "spatial_dropout", "rate": 0.1 },
    { "type": "global_average_pool" },
    { "type": "dense" }
  ],
  "classes": 3
})";

class CnnLearningTest : public testing_support::DeviceTest {};

TEST_P(CnnLearningTest, EightImagesByHeart) {
  constexpr std::int64_t kBatch = 8, kClasses = 3;
  const std::vector<std::int32_t> labels{0, 1, 2, 2, 1, 0, 1, 2};
  NetworkRig rig(device(), kNetwork, kBatch);
  rig.set_input(0, testing_support::random_values(kBatch * 16 * 20, 1));
  const auto device_labels = Array<std::int32_t>::from_host(device(), labels);
  const std::int64_t count = rig.network.parameter_count();
  const std::int64_t trained = rig.network.trained_count();
  ASSERT_LT(trained, count);  // batch norms keep statistics
  Tensor probabilities(device(), {kBatch, kClasses});
  Tensor dlogits(device(), {kBatch, kClasses});
  Tensor loss(device(), {2});
  OptimiserArgs adam;
  adam.settings.learning_rate = 0.01;
  Tensor state(device(), {2 * trained});  // Adam keeps two numbers a parameter
  Tensor scratch(device(), {optimiser_scratch_size(trained)});
  float mean_loss = 0;
  for (int step = 1; step <= 150; ++step) {
    SoftmaxCrossEntropyArgs args;
    args.batch = kBatch;
    args.classes = kClasses;
    args.logits = rig.network.forward(rig.context, rig.batch(), Mode::kTrain,
                                      {.seed = 1, .step = static_cast<std::uint32_t>(step)});
    args.labels = device_labels.view();
    args.probabilities = probabilities.view();
    args.dlogits = dlogits.view();
    args.loss = loss.view();
    loss.assign({0, 0});
    run<SoftmaxCrossEntropy>(rig.context, args);
    rig.network.backward(rig.context, rig.batch(), dlogits.view());
    adam.step = step;
    adam.parameters = rig.network.parameters().view(0, {trained});
    adam.gradients = rig.network.gradients().view(0, {trained});
    adam.state = state.view();
    adam.scratch = scratch.view();
    run<OptimiserStep>(rig.context, adam);
    rig.context.synchronize();
    const std::vector<float> sums = loss.to_host();
    mean_loss = sums[0] / sums[1];
  }
  EXPECT_LT(mean_loss, 0.05f);
  // What batch norms remember serves inference as well.
  const std::vector<float> logits = rig.forward(Mode::kInfer);
  for (std::size_t b = 0; b < 8; ++b) {
    const auto first = logits.begin() + static_cast<std::ptrdiff_t>(3 * b);
    EXPECT_EQ(std::max_element(first, first + 3) - first, labels[b]) << b;
  }
}

SERVAL_DEVICE_TESTS(CnnLearningTest);

}  // namespace
}  // namespace serval::nn
