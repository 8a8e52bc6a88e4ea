// Networks some of whose layers are frozen: the rest trains as it would, and what nobody needs is not computed.
#include <gtest/gtest.h>

#include "serval/nn/gemm.h"

#include "tests/support/devices.h"
#include "tests/support/learn_by_heart.h"
#include "tests/support/network_rig.h"
#include "tests/support/nn_inputs.h"

namespace serval::nn {
namespace {

using testing_support::NetworkRig;
using testing_support::random_values;
using Values = std::vector<float>;

constexpr std::int64_t kBatch = 4, kTime = 6, kClasses = 3;

// Of dense layers a, b, c, d with an attention pool between; the names in `frozen` are.
std::string network(const std::string& frozen) {
  const auto layer = [&](const char* name, const char* settings) {
    const bool is = frozen.find(name) != std::string::npos;
    return cat(R"({"name": ")", name, "\", ", settings, is ? R"(, "frozen": true})" : "}");
  };
  return cat(R"({"classes": 3, "inputs": {"x": {"kind": "sequence", "shape": 5}}, "layers": [)",
             layer("a", R"("type": "dense", "units": 6, "activation": "tanh")"), ", ",
             layer("b", R"("type": "dense", "units": 7, "activation": "tanh")"), ", ",
             layer("pool", R"("type": "attention_pool", "units": 4)"), ", ",
             layer("c", R"("type": "dense", "units": 8, "activation": "tanh")"), ", ",
             layer("d", R"("type": "dense")"), "]}");
}

class FrozenTest : public testing_support::DeviceTest {
 protected:
  NetworkRig rig(const std::string& frozen) {
    NetworkRig out(device(), network(frozen), kBatch, kTime);
    out.set_lengths(0, {6, 6, 4, 1}, kTime);
    out.set_input(0, random_values(kTime * kBatch * 5, 1));
    return out;
  }
  // Of each layer's blocks.
  static std::map<std::string, Values> by_block(const Network& network, const Values& all) {
    std::map<std::string, Values> out;
    for (const ParameterBlock& block : network.blocks()) {
      if (block.offset >= static_cast<std::int64_t>(all.size())) continue;
      const auto first = all.begin() + block.offset;
      out[block.name] = Values(first, first + block.shape.size());
    }
    return out;
  }
};

TEST_P(FrozenTest, TheRestHasTheGradientsThatItWouldHave) {
  const Values dy = random_values(kBatch * kClasses, 2);
  NetworkRig whole = rig("");
  const Values y = whole.forward(Mode::kTrain);
  const NetworkRig::Gradients expected = whole.backward(dy);
  const auto expected_blocks = by_block(whole.network, expected.parameters);
  for (const char* frozen : {"a", "b pool", "a b pool", "a c", "d", "a b pool c d"}) {
    SCOPED_TRACE(frozen);
    NetworkRig part = rig(frozen);
    EXPECT_EQ(part.forward(Mode::kTrain), y);
    const NetworkRig::Gradients got = part.backward(dy);
    EXPECT_EQ(got.x, expected.x);
    ASSERT_EQ(static_cast<std::int64_t>(got.parameters.size()), part.network.trained_count());
    for (const auto& [name, values] : by_block(part.network, got.parameters))
      EXPECT_EQ(values, expected_blocks.at(name)) << name;
  }
}

TEST_P(FrozenTest, TrainingMovesTheRestAlone) {
  NetworkRig part = rig("a pool c");
  const auto before = by_block(part.network, part.network.parameters().to_host());
  testing_support::learn_by_heart(part.context, part.network, part.batch(), {0, 1, 2, 1}, 0.01, 0, 5);
  for (const auto& [name, values] : by_block(part.network, part.network.parameters().to_host())) {
    const bool frozen = name.front() == 'a' || name.front() == 'p' || name.front() == 'c';
    EXPECT_EQ(values == before.at(name), frozen) << name;
  }
}

SERVAL_DEVICE_TESTS(FrozenTest);

// While one lives, products on the CPU are counted instead of computed.
class CountedProducts {
 public:
  CountedProducts() : registry_(op_registry()) {
    count_ = 0;
    registry_.replace<Gemm>(DeviceKind::kCpu, [](const Context&, const GemmArgs&) { ++count_; });
    serval::detail::replace_op_registry(&registry_);
  }
  ~CountedProducts() { serval::detail::replace_op_registry(nullptr); }
  CountedProducts(const CountedProducts&) = delete;
  CountedProducts& operator=(const CountedProducts&) = delete;
  static int count() { return count_; }

 private:
  OpRegistry registry_;
  static inline int count_ = 0;
};

TEST(FrozenLayers, WhatNobodyNeedsIsNotComputed) {
  // A dense layer has a product for its weights and one for its input. The pool has two for its weights, one for its
  // input, and before those one back through its scores.
  const struct {
    const char* frozen;
    int products, with_inputs;
  } cases[]{
      {"", 11, 12},            // all but the gradient of x
      {"a", 9, 11},            // down to the weights of b
      {"a b", 7, 10},          // down to those of the pool
      {"a b pool", 3, 8},      // c, and d
      {"a b pool c", 1, 7},    // the weights of d alone
      {"a b pool c d", 0, 6},  // inputs alone
      {"b pool c d", 6, 7},    // through all to the weights of a
      {"d", 10, 11},
  };
  for (const auto& [frozen, products, with_inputs] : cases) {
    SCOPED_TRACE(frozen);
    NetworkRig part({}, network(frozen), kBatch, kTime);
    part.set_lengths(0, {6, 6, 4, 1}, kTime);
    part.set_input(0, random_values(kTime * kBatch * 5, 1));
    part.forward(Mode::kTrain);
    const Tensor dy = Tensor::from_host({}, random_values(kBatch * kClasses, 2), {kBatch, kClasses});
    {
      const CountedProducts counted;
      part.network.backward(part.context, part.batch(), dy.view());
      EXPECT_EQ(counted.count(), products);
    }
    const CountedProducts counted;
    part.backward(random_values(kBatch * kClasses, 2));
    EXPECT_EQ(counted.count(), with_inputs);
  }
}

}  // namespace
}  // namespace serval::nn
