// Lean networks share memory between values; what they tell is what the others tell, whatever went through them before.
#include <limits>

#include <gtest/gtest.h>

#include "tests/support/devices.h"
#include "tests/support/network_rig.h"
#include "tests/support/nn_inputs.h"

namespace serval::nn {
namespace {

// A convolution that a norm follows and another that two layers read; views over a dropout; outputs in the middle and at the end.
constexpr const char* kNetwork = R"({
  "inputs": { "picture": { "kind": "image", "shape": [2, 9, 11] }, "frames": { "kind": "sequence", "shape": 5 } },
  "classes": 3,
  "outputs": ["seen", "shared", "both"],
  "layers": [
    { "type": "conv2d", "input": "picture", "channels": 5, "kernel": 3, "padding": "same" },
    { "type": "batch_norm", "activation": "relu" },
    { "type": "max_pool2d", "kernel": 2 },
    { "type": "dropout", "rate": 0.3 },
    { "type": "conv2d", "name": "shared", "channels": 4, "kernel": 3, "padding": "same" },
    { "type": "batch_norm", "name": "normed", "activation": "relu" },
    { "type": "conv2d", "input": "shared", "name": "beside", "channels": 4, "kernel": 1 },
    { "type": "add", "input": ["normed", "beside"] },
    { "type": "flatten" },
    { "type": "dropout", "rate": 0.3 },
    { "type": "dense", "name": "seen", "units": 6, "activation": "relu" },
    { "type": "lstm", "input": "frames", "hidden": 4, "bidirectional": true },
    { "type": "mean_pool", "name": "heard" },
    { "type": "concat", "input": ["seen", "heard"] },
    { "type": "dense", "name": "both" }
  ]
})";

using testing_support::inferred;

class LeanNetworkTest : public testing_support::DeviceTest {
 protected:
  testing_support::HeldBatch batch(const std::vector<std::int32_t>& lengths, std::int64_t time, float value) {
    const auto size = static_cast<std::int64_t>(lengths.size());
    testing_support::HeldBatch out(device(), size, 2);
    const auto values = [&](std::int64_t count, std::uint32_t which) {
      std::vector<float> drawn = testing_support::random_values(count, which);
      for (float& x : drawn) x += value;
      return drawn;
    };
    out.set_input(0, values(size * 2 * 9 * 11, 1), {2, 9, 11});
    out.set_lengths(1, lengths, time);
    out.set_input(1, values(time * size * 5, 2), {5});
    return out;
  }
};

TEST_P(LeanNetworkTest, NothingOfOneBatchIsLeftInTheNext) {
  const Context context(device());
  const NetworkSettings settings = testing_support::network_from(kNetwork);
  NetworkSizes sizes = declared_sizes(settings);
  sizes.max_batch = 6;
  for (InputSizes& input : sizes.inputs) input.max_time = 8;
  sizes.training = false;
  Network whole(context, settings, sizes);
  whole.initialise(3, 0);
  sizes.lean = true;
  Network lean(context, settings, sizes);
  lean.parameters().assign(whole.parameters().to_host());

  const auto full = batch({8, 8, 7, 5, 2, 1}, 8, 0), few = batch({4, 3}, 4, 0), one = batch({1}, 1, 0);
  const auto of_few = inferred(context, whole, few);
  for (const float rubbish : {std::numeric_limits<float>::quiet_NaN(), 1e30f}) {
    inferred(context, lean, batch({8, 8, 8, 8, 8, 8}, 8, rubbish));
    EXPECT_EQ(inferred(context, lean, few), of_few);
    EXPECT_EQ(inferred(context, lean, one), inferred(context, whole, one));
    EXPECT_EQ(inferred(context, lean, full), inferred(context, whole, full));
  }
}

SERVAL_DEVICE_TESTS(LeanNetworkTest);

}  // namespace
}  // namespace serval::nn
