#include <cmath>

#include <gtest/gtest.h>

#include "serval/nn/network.h"

#include "tests/support/devices.h"
#include "tests/support/nn_inputs.h"

namespace serval::nn {
namespace {

const NetworkSettings kSettings = testing_support::network_of(R"({"layers": [
    {"type": "lstm", "hidden": 40, "bidirectional": true}, {"type": "attention_pool", "units": 30}, {"type": "dense"}]})");
const NetworkSizes kSizes = sequence_sizes(25, 8, 2, 3);

struct Drawn {
  std::vector<ParameterBlock> blocks;
  std::vector<float> values;

  std::vector<float> block(const std::string& name) const {
    for (const ParameterBlock& b : blocks) {
      if (b.name == name) return {values.begin() + b.offset, values.begin() + b.offset + b.shape.size()};
    }
    ADD_FAILURE() << "no block " << name;
    return {};
  }
};
Drawn draw(const Device& device, std::uint64_t seed, std::uint32_t fold) {
  const Context context(device);
  Network network(context, kSettings, kSizes);
  network.initialise(seed, fold);
  return {network.blocks(), network.parameters().to_host()};
}

TEST(NetworkBlocks, AreNamedAndFillTheBufferInOrder) {
  const Drawn drawn = draw({}, 1, 0);
  std::vector<std::string> names;
  std::int64_t offset = 0;
  for (const ParameterBlock& block : drawn.blocks) {
    names.push_back(block.name);
    EXPECT_EQ(block.offset, offset) << block.name;
    offset += block.shape.size();
  }
  EXPECT_EQ(offset, static_cast<std::int64_t>(drawn.values.size()));
  EXPECT_EQ(names,
            (std::vector<std::string>{"layer0.forward.w_x", "layer0.forward.w_h", "layer0.forward.b",
                                      "layer0.reversed.w_x", "layer0.reversed.w_h", "layer0.reversed.b",
                                      "layer1.w", "layer1.b", "layer1.v", "layer2.w", "layer2.b"}));
}

class InitialiseTest : public testing_support::DeviceTest {};

TEST_P(InitialiseTest, IsTheSameOnEveryDeviceAndDiffersBySeedAndFold) {
  EXPECT_TRUE(testing_support::same_bits(draw(device(), 1, 0).values, draw({}, 1, 0).values));
  EXPECT_FALSE(testing_support::same_bits(draw(device(), 2, 0).values, draw({}, 1, 0).values));
  EXPECT_FALSE(testing_support::same_bits(draw(device(), 1, 1).values, draw({}, 1, 0).values));
}
SERVAL_DEVICE_TESTS(InitialiseTest);

TEST(Initialise, KernelsAreGlorotUniform) {
  const Drawn drawn = draw({}, 5, 3);
  const auto check = [&](const char* name, double out, double in) {
    SCOPED_TRACE(name);
    const std::vector<float> values = drawn.block(name);
    const double limit = std::sqrt(6 / (out + in));
    double sum = 0, squares = 0, largest = 0;
    for (const float value : values) {
      sum += value;
      squares += static_cast<double>(value) * value;
      largest = std::max(largest, std::abs(static_cast<double>(value)));
    }
    const auto count = static_cast<double>(values.size());
    EXPECT_LE(largest, limit);
    EXPECT_GT(largest, limit * (1 - 20 / count));
    EXPECT_NEAR(sum / count, 0, 4 * limit / std::sqrt(3 * count));
    EXPECT_NEAR(squares / count, limit * limit / 3, 0.15 * limit * limit / 3);
  };
  check("layer0.forward.w_x", 160, 25);
  check("layer0.reversed.w_x", 160, 25);
  check("layer1.w", 30, 80);
  check("layer2.w", 8, 80);
  EXPECT_NE(drawn.block("layer0.forward.w_x"), drawn.block("layer0.reversed.w_x"));
}

TEST(Initialise, RecurrentKernelsAreOrthogonalForEachGate) {
  const std::vector<float> w_h = draw({}, 5, 3).block("layer0.reversed.w_h");
  for (std::size_t gate = 0; gate < 4; ++gate) {
    for (std::size_t r = 0; r < 40; ++r) {
      for (std::size_t q = 0; q <= r; ++q) {
        double dot = 0;
        for (std::size_t c = 0; c < 40; ++c) {
          dot += static_cast<double>(w_h[(gate * 40 + r) * 40 + c]) * w_h[(gate * 40 + q) * 40 + c];
        }
        ASSERT_NEAR(dot, r == q ? 1 : 0, 1e-6) << "gate " << gate << " rows " << r << ", " << q;
      }
    }
  }
  EXPECT_NE(std::vector<float>(w_h.begin(), w_h.begin() + 1600),
            std::vector<float>(w_h.begin() + 1600, w_h.begin() + 3200));
}

TEST(Initialise, BiasesAreZeroButForTheForgetGate) {
  const Drawn drawn = draw({}, 5, 3);
  const std::vector<float> bias = drawn.block("layer0.forward.b");
  for (std::size_t i = 0; i < bias.size(); ++i) EXPECT_EQ(bias[i], i / 40 == 1 ? 1 : 0) << i;
  EXPECT_EQ(drawn.block("layer1.b"), std::vector<float>(30, 0.0f));
  EXPECT_EQ(drawn.block("layer2.b"), std::vector<float>(8, 0.0f));
}

TEST(Initialise, GradientsBecomeZero) {
  const Context context;
  Network network(context, kSettings, kSizes);
  network.gradients().assign(testing_support::random_values(network.trained_count(), 1));
  network.initialise(1, 0);
  EXPECT_EQ(network.gradients().to_host(),
            std::vector<float>(static_cast<std::size_t>(network.trained_count()), 0.0f));
}

}  // namespace
}  // namespace serval::nn
