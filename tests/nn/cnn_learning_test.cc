// A small convolutional network learns eight images by heart.
#include <algorithm>

#include <gtest/gtest.h>

#include "tests/support/devices.h"
#include "tests/support/learn_by_heart.h"
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
  constexpr std::int64_t kBatch = 8;
  const std::vector<std::int32_t> labels{0, 1, 2, 2, 1, 0, 1, 2};
  NetworkRig rig(device(), kNetwork, kBatch);
  rig.set_input(0, testing_support::random_values(kBatch * 16 * 20, 1));
  ASSERT_LT(rig.network.trained_count(), rig.network.parameter_count());  // batch norms keep statistics
  // All the steps, however soon it knows: what batch norms remember takes some.
  const auto learnt =
      testing_support::learn_by_heart(rig.context, rig.network, rig.batch(), labels, 0.01, 0, 150);
  EXPECT_LT(learnt.loss, 0.05f);
  const std::vector<float> logits = rig.forward(Mode::kInfer);
  for (std::size_t b = 0; b < 8; ++b) {
    const auto first = logits.begin() + static_cast<std::ptrdiff_t>(3 * b);
    EXPECT_EQ(std::max_element(first, first + 3) - first, labels[b]) << b;
  }
}

SERVAL_DEVICE_TESTS(CnnLearningTest);

}  // namespace
}  // namespace serval::nn
