// Recurrent layers, where goldens do not reach: padding, batches, memory, first weights, norms outside training.
#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/devices.h"
#include "tests/support/expect_close.h"
#include "tests/support/learn_by_heart.h"
#include "tests/support/network_rig.h"
#include "tests/support/nn_inputs.h"

namespace serval::nn {
namespace {

using testing_support::expect_close;
using testing_support::NetworkRig;
using testing_support::random_values;
using testing_support::same_bits;
using Values = std::vector<float>;

struct Cell {
  const char* name;
  const char* layer;  // settings, with HIDDEN in the place of the width
};
const std::vector<Cell>& cells() {
  static const std::vector<Cell> all{
      {"lstm of two biases", R"("type": "lstm", "bias": "double")"},
      {"diagonal peepholes", R"("type": "lstm", "peephole": "diagonal")"},
      {"full peepholes", R"("type": "lstm", "peephole": "full", "output_peephole": "previous")"},
      {"gru", R"("type": "gru")"},
      {"gru with reset before", R"("type": "gru", "reset_after": false)"},
      {"simple_rnn", R"("type": "simple_rnn")"},
      {"relu simple_rnn", R"("type": "simple_rnn", "activation": "relu")"},
      {"ds_lstm", R"("type": "ds_lstm", "input": ["x", "x"], "gate_norm": "none", "out_norm": "none")"},
      {"ds_lstm of three gates",
       R"("type": "ds_lstm", "input": ["x", "x"], "variant": "three_gate", "gate_norm": "none", "out_norm": "none")"},
      {"ds_lstm of six gates",
       R"("type": "ds_lstm", "input": ["x", "x"], "variant": "six_gate", "gates_read": "own_cell",
          "gate_norm": "none", "out_norm": "none")"},
      {"conv_lstm1d", R"("type": "conv_lstm1d")"},
  };
  return all;
}
bool can_stack(const Cell& cell) {
  const std::string layer = cell.layer;
  return layer.find("ds_lstm") == std::string::npos && layer.find("conv") == std::string::npos;
}
std::string network_of(const Cell& cell, int feature, int hidden, const std::string& more,
                       const std::string& pool) {
  return cat(R"({"classes": 3, "inputs": {"x": {"kind": "sequence", "shape": )", feature,
             R"(}}, "layers": [{)", cell.layer, R"(, "hidden": )", hidden, more,
             R"(}, {"type": "flatten"}, {"type": ")", pool, R"("}, {"type": "dense"}]})");
}

class RecurrentTest : public testing_support::DeviceTest {
 protected:
  void expect_same(const Values& a, const Values& b) {
    if (device().kind == DeviceKind::kCpu) {
      EXPECT_TRUE(same_bits(a, b));
    } else {
      expect_close(a, b, 2e-6, 1e-5);
    }
  }
};

const std::vector<std::int32_t> kLengths{5, 2, 4, 1};

// x [time, 4, 3] with `padding` past the ends of kLengths.
Values padded(std::int64_t time, float padding) {
  Values x = random_values(5 * 4 * 3, 1);
  x.resize(static_cast<std::size_t>(time * 4 * 3), padding);
  for (std::int64_t t = 0; t < 5; ++t) {
    for (std::int64_t b = 0; b < 4; ++b)
      if (t >= kLengths[static_cast<std::size_t>(b)]) std::fill_n(x.begin() + (t * 4 + b) * 3, 3, padding);
  }
  return x;
}

TEST_P(RecurrentTest, WhatStandsBeyondASequenceDoesNotCount) {
  for (const Cell& cell : cells()) {
    SCOPED_TRACE(cell.name);
    const std::string text =
        network_of(cell, 3, 5, can_stack(cell) ? R"(, "bidirectional": true, "layers": 2)" : "", "mean_pool");
    const auto results = [&](std::int64_t time, float padding) {
      NetworkRig rig(device(), text, 4, 20);
      rig.set_lengths(0, kLengths, time);
      rig.set_input(0, padded(time, padding));
      Values out = rig.forward(Mode::kTrain);
      const NetworkRig::Gradients gradients = rig.backward(random_values(4 * 3, 3));
      out.insert(out.end(), gradients.parameters.begin(), gradients.parameters.end());
      out.insert(out.end(), gradients.x[0].begin(), gradients.x[0].begin() + 5 * 4 * 3);
      for (std::size_t i = 5 * 4 * 3; i < gradients.x[0].size(); ++i) EXPECT_EQ(gradients.x[0][i], 0);
      for (std::int64_t t = 0; t < 5; ++t) {
        for (std::int64_t b = 0; b < 4; ++b)
          if (t >= kLengths[static_cast<std::size_t>(b)])
            EXPECT_EQ(gradients.x[0][static_cast<std::size_t>((t * 4 + b) * 3)], 0);
      }
      return out;
    };
    const Values tight = results(5, 0);
    expect_same(results(5, 1e30f), tight);
    expect_same(results(17, -3e37f), tight);
    for (const float value : tight) ASSERT_TRUE(std::isfinite(value));
  }
}

TEST_P(RecurrentTest, ABatchGivesWhatItsRecordingsGiveOneByOne) {
  for (const Cell& cell : cells()) {
    SCOPED_TRACE(cell.name);
    const std::string text =
        network_of(cell, 3, 5, can_stack(cell) ? R"(, "bidirectional": true)" : "", "mean_pool");
    const Values x = padded(5, 0);
    NetworkRig together(device(), text, 4, 5);
    together.set_lengths(0, kLengths, 5);
    together.set_input(0, x);
    const Values all = together.forward(Mode::kInfer);
    for (std::size_t b = 0; b < 4; ++b) {
      NetworkRig alone(device(), text, 1, 5);
      alone.set_lengths(0, {kLengths[b]}, kLengths[b]);
      Values own;
      for (std::size_t t = 0; t < static_cast<std::size_t>(kLengths[b]); ++t) {
        for (std::size_t f = 0; f < 3; ++f) own.push_back(x[(t * 4 + b) * 3 + f]);
      }
      alone.set_input(0, own);
      const auto first = all.begin() + static_cast<std::ptrdiff_t>(3 * b);
      expect_same(alone.forward(Mode::kInfer), Values(first, first + 3));
    }
  }
}

TEST_P(RecurrentTest, EachCellRemembersAnImpulseToTheEnd) {
  constexpr std::int64_t kTime = 14;
  const std::vector<std::int32_t> labels{0, 1, 2, 0, 1, 2};
  Values x(kTime * 6, 0.0f);
  for (std::size_t b = 0; b < 6; ++b) x[b] = static_cast<float>(b % 3) - 1;
  for (const Cell& cell : cells()) {
    SCOPED_TRACE(cell.name);
    NetworkRig rig(device(), network_of(cell, 1, 10, "", "last_pool"), 6, kTime);
    rig.set_lengths(0, {14, 14, 14, 11, 11, 11}, kTime);
    rig.set_input(0, x);
    const auto learnt =
        testing_support::learn_by_heart(rig.context, rig.network, rig.batch(), labels, 0.02, 0.05f, 600);
    EXPECT_TRUE(learnt.done) << learnt.known << " known, loss " << learnt.loss;
  }
}

TEST_P(RecurrentTest, OfTwoBiasesTheSumCounts) {
  const auto logits = [&](const char* bias, bool split) {
    NetworkRig rig(
        device(), network_of({"", R"("type": "lstm")"}, 3, 4, cat(R"(, "bias": ")", bias, "\""), "last_pool"),
        4, 5);
    Values parameters = rig.network.parameters().to_host();
    for (const ParameterBlock& block : rig.network.blocks()) {
      const bool first = block.name == "layer0.forward.b";
      const bool second = block.name == "layer0.forward.b_h";
      const Values drawn = random_values(block.shape.size(), first || second ? 9 : 10);
      for (std::size_t i = 0; i < drawn.size(); ++i) {
        const float value = first || second ? (split ? drawn[i] / 2 : drawn[i]) : drawn[i];
        parameters[static_cast<std::size_t>(block.offset) + i] = value;
      }
    }
    rig.network.parameters().assign(parameters);
    rig.set_lengths(0, kLengths, 5);
    rig.set_input(0, padded(5, 0));
    return rig.forward(Mode::kInfer);
  };
  EXPECT_TRUE(same_bits(logits("single", false), logits("double", true)));
}

SERVAL_DEVICE_TESTS(RecurrentTest);

class DsLstmTest : public testing_support::DeviceTest {};

std::string ds_lstm(const std::string& variant) {
  return cat(R"({"classes": 3, "inputs": {"x": {"kind": "sequence", "shape": 3}}, "layers": [
        {"type": "ds_lstm", "name": "l", "hidden": 4, "input": ["x", "x"], "max_steps": 5)",
             variant, R"(}, {"type": "mean_pool"}]})");
}

TEST_P(DsLstmTest, InTrainingPaddingDoesNotCountInInferenceTheBatchDoesNot) {
  for (const char* variant :
       {"", R"(, "variant": "three_gate")", R"(, "variant": "six_gate", "gates_read": "own_cell")"}) {
    SCOPED_TRACE(variant);
    const std::string network = ds_lstm(variant);
    const auto trained = [&](std::int64_t time, float padding) {
      NetworkRig rig(device(), network, 4, 20);
      rig.set_lengths(0, kLengths, time);
      rig.set_input(0, padded(time, padding));
      Values out = rig.forward(Mode::kTrain);
      const NetworkRig::Gradients gradients =
          rig.backward(random_values(static_cast<std::int64_t>(out.size()), 3));
      out.insert(out.end(), gradients.parameters.begin(), gradients.parameters.end());
      out.insert(out.end(), gradients.x[0].begin(), gradients.x[0].begin() + 60);
      const Values statistics = rig.network.parameters().to_host();
      out.insert(out.end(), statistics.begin(), statistics.end());
      return out;
    };
    const Values tight = trained(5, 0);
    for (const float value : tight) ASSERT_TRUE(std::isfinite(value));
    expect_close(trained(5, 1e30f), tight, 1e-6, 1e-6);
    expect_close(trained(17, -3e37f), tight, 1e-6, 1e-6);

    NetworkRig together(device(), network, 4, 20);
    together.set_lengths(0, kLengths, 5);
    together.set_input(0, padded(5, 0));
    together.forward(Mode::kTrain);
    const Values before = together.network.parameters().to_host();
    const Values all = together.forward(Mode::kInfer);
    EXPECT_EQ(together.network.parameters().to_host(), before);
    NetworkRig alone(device(), network, 1, 20);
    alone.network.parameters().assign(before);
    alone.set_lengths(0, {4}, 4);
    Values own;
    const Values x = padded(5, 0);
    for (std::size_t t = 0; t < 4; ++t) own.insert(own.end(), &x[(t * 4 + 2) * 3], &x[(t * 4 + 2) * 3] + 3);
    alone.set_input(0, own);
    const auto third = all.begin() + static_cast<std::ptrdiff_t>(all.size() / 2);
    expect_close(alone.forward(Mode::kInfer),
                 Values(third, third + static_cast<std::ptrdiff_t>(all.size() / 4)), 1e-6, 1e-6);
  }
}

TEST_P(DsLstmTest, ARecordingLongerThanTheStatisticsIsRefused) {
  NetworkRig rig(device(), ds_lstm(""), 1, 20);
  rig.set_lengths(0, {6}, 6);
  rig.set_input(0, Values(18));
  try {
    rig.forward(Mode::kInfer);
    FAIL() << "ran";
  } catch (const DataError& error) {
    EXPECT_THAT(error.what(), ::testing::HasSubstr("statistics for 5 steps, but a sequence has 6; raise"));
  }
}

SERVAL_DEVICE_TESTS(DsLstmTest);

TEST(RecurrentInitialise, AsPyTorchAndAsKeras) {
  const auto blocks = [](const std::string& layer) {
    NetworkRig rig(
        {}, cat(R"({"inputs": {"x": {"kind": "sequence", "shape": 3}}, "layers": [{)", layer, "}]}"), 1);
    const Values all = rig.network.parameters().to_host();
    std::vector<std::pair<std::string, Values>> out;
    for (const ParameterBlock& block : rig.network.blocks())
      out.emplace_back(block.name,
                       Values(all.begin() + block.offset, all.begin() + block.offset + block.shape.size()));
    return out;
  };
  for (const char* type : {"lstm", "gru", "simple_rnn"}) {
    SCOPED_TRACE(type);
    const std::string forget = std::string(type) == "lstm" ? R"(, "forget_bias": 0, "bias": "double")" : "";
    for (const auto& [name, values] :
         blocks(cat(R"("type": ")", type, R"(", "hidden": 25, "initialiser": "torch_uniform",
                       "recurrent_initialiser": "torch_uniform")",
                    forget))) {
      float largest = 0;
      for (const float value : values) largest = std::max(largest, std::abs(value));
      EXPECT_LE(largest, 0.2f) << name;
      EXPECT_GT(largest, 0.17f) << name;
    }
  }
  for (const auto& [name, values] :
       blocks(R"("type": "lstm", "hidden": 2, "forget_bias": 2.5, "bias": "double")")) {
    if (name == "layer0.forward.b") EXPECT_EQ(values, (Values{0, 0, 2.5, 2.5, 0, 0, 0, 0}));
    if (name == "layer0.forward.b_h") EXPECT_EQ(values, Values(8, 0.0f));
  }
  for (
      const auto& [name, values] : blocks(
          R"("type": "ds_lstm", "hidden": 2, "input": ["x", "x"], "max_steps": 3, "gate_norm_init": 0.25)")) {
    if (name == "layer0.cell.gate_norm.gamma") EXPECT_EQ(values, Values(8, 0.25f));
    if (name == "layer0.cell.gate_norm.running_variance") EXPECT_EQ(values, Values(24, 1.0f));
  }
}

}  // namespace
}  // namespace serval::nn
