// Attention and transformers beyond their goldens: padding, long sequences, dropout, learning.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "serval/nn/network.h"

#include "tests/support/devices.h"
#include "tests/support/expect_close.h"
#include "tests/support/learn_by_heart.h"
#include "tests/support/nn_inputs.h"

namespace serval::nn {
namespace {

using testing_support::expect_close;
using testing_support::network_of;
using testing_support::random_values;
using testing_support::same_bits;
using Values = std::vector<float>;

// A network with one sequence, "x".
class Rig {
 public:
  Rig(const Device& device, const std::string& layers, std::int64_t feature, std::int64_t time,
      const std::vector<std::int32_t>& lengths, std::int64_t max_time = 0)
      : context(device),
        lengths_(lengths),
        device_lengths_(Array<std::int32_t>::from_host(device, lengths)),
        x(device, {time, batch(), feature}),
        network(context, settings(layers, feature), sizes(feature, std::max(time, max_time))) {
    network.initialise(5, 0);
    // Biases start at 0 and would hide mistakes.
    Values parameters = network.parameters().to_host();
    const Values noise = random_values(network.parameter_count(), 2, 0.2f);
    for (std::size_t i = 0; i < parameters.size(); ++i) parameters[i] += noise[i];
    network.parameters().assign(parameters);
  }
  static NetworkSettings settings(const std::string& layers, std::int64_t feature) {
    return network_of(cat(R"({"inputs": {"x": {"kind": "sequence", "shape": )", feature, R"(}}, "layers": [)",
                          layers, "]}"));
  }
  NetworkSizes sizes(std::int64_t feature, std::int64_t max_time) const {
    return sequence_sizes(feature, 0, batch(), max_time);
  }
  std::int64_t batch() const { return static_cast<std::int64_t>(lengths_.size()); }

  // Random at each recording's own steps, the same whatever is around it; `padding` behind.
  void fill(float padding, std::uint32_t first_recording = 0) {
    Values values(static_cast<std::size_t>(x.size()), padding);
    const std::int64_t feature = x.shape()[2];
    for (std::int64_t b = 0; b < batch(); ++b) {
      const std::int64_t length = lengths_[static_cast<std::size_t>(b)];
      const Values own =
          random_values(length * feature, 100 + first_recording + static_cast<std::uint32_t>(b));
      for (std::int64_t t = 0; t < length; ++t)
        std::copy_n(own.begin() + t * feature, feature, values.begin() + (t * batch() + b) * feature);
    }
    x.assign(values);
  }

  Batch given() const {
    return {batch(), {{x.view(), x.shape()[0], device_lengths_.view(), lengths_.data()}}};
  }
  Values forward(Mode mode, const RandomStream& random = {}) {
    const ConstTensorView y = network.forward(context, given(), mode, random);
    context.synchronize();
    Values host(static_cast<std::size_t>(y.size()));
    copy_bytes(host.data(), {}, y.data, context.device(), host.size() * sizeof(float));
    return host;
  }
  struct Gradients {
    Values parameters, x;
  };
  Gradients backward(const Values& dy) {
    network.gradients().assign(Values(static_cast<std::size_t>(network.trained_count()), 0.0f));
    const Tensor upstream = Tensor::from_host(context.device(), dy, network.output(0).shape);
    Tensor dx(context.device(), x.shape());
    const ConstTensorView from = upstream.view();
    const TensorView to = dx.view();
    network.backward(context, given(), std::span(&from, 1), std::span(&to, 1));
    context.synchronize();
    return {network.gradients().to_host(), dx.to_host()};
  }

  Context context;

 private:
  std::vector<std::int32_t> lengths_;
  Array<std::int32_t> device_lengths_;

 public:
  Tensor x;
  Network network;
};

constexpr const char* kTransformer = R"(
    {"type": "class_tokens", "count": 2}, {"type": "positional_embedding", "max_steps": 40},
    {"type": "transformer", "depth": 2, "heads": 2, "dropout": 0.3}, {"type": "token_mean", "count": 2})";
const std::vector<std::int32_t> kLengths{5, 2, 4, 1};

class AttentionTest : public testing_support::DeviceTest {
 protected:
  // The same bits on the CPU, where a sum does not depend on what is around it.
  void expect_same(const Values& a, const Values& b) {
    if (device().kind == DeviceKind::kCpu) {
      EXPECT_TRUE(same_bits(a, b));
    }
    float largest = 1;
    for (const float value : b) largest = std::max(largest, std::abs(value));
    expect_close(a, b, 3e-6 * static_cast<double>(largest), 1e-5);
  }
};

TEST_P(AttentionTest, PaddingChangesNothingWhateverStandsThere) {
  const RandomStream random{.seed = 3, .step = 7};
  for (const char* layers :
       {kTransformer, R"({"type": "multi_head_attention", "heads": 3}, {"type": "mean_pool"})",
        R"({"type": "dense", "units": 8}, {"type": "sequence_max_pool"})"}) {
    SCOPED_TRACE(layers);
    Rig tight(device(), layers, 6, 5, kLengths, 30);
    Rig loose(device(), layers, 6, 17, kLengths, 30);
    tight.fill(0);
    loose.fill(1e4f);
    const Values y = tight.forward(Mode::kTrain, random);
    expect_same(y, loose.forward(Mode::kTrain, random));
    const Values dy = random_values(static_cast<std::int64_t>(y.size()), 9);
    const Rig::Gradients a = tight.backward(dy);
    Rig::Gradients b = loose.backward(dy);
    expect_same(a.parameters, b.parameters);
    for (std::size_t i = a.x.size(); i < b.x.size(); ++i) EXPECT_EQ(b.x[i], 0) << i;
    b.x.resize(a.x.size());
    expect_same(a.x, b.x);
    expect_same(tight.forward(Mode::kInfer), loose.forward(Mode::kInfer));
  }
}

TEST_P(AttentionTest, ABatchGivesWhatItsRecordingsGiveOneByOne) {
  Rig together(device(), kTransformer, 6, 5, kLengths);
  together.fill(0);
  const Values y = together.forward(Mode::kInfer);
  for (std::size_t b = 0; b < kLengths.size(); ++b) {
    Rig alone(device(), kTransformer, 6, kLengths[b], {kLengths[b]});
    alone.fill(0, static_cast<std::uint32_t>(b));
    expect_same(alone.forward(Mode::kInfer), Values(y.begin() + static_cast<std::ptrdiff_t>(6 * b),
                                                    y.begin() + static_cast<std::ptrdiff_t>(6 * b + 6)));
  }
}

// In training, dropped weights of the same mask on the way back: differences along the gradient.
TEST_P(AttentionTest, GradientsOfDropoutAreDifferences) {
  Rig rig(device(), kTransformer, 6, 5, kLengths);
  rig.fill(0);
  const RandomStream random{.seed = 3, .step = 7};
  const Values y = rig.forward(Mode::kTrain, random);
  const Values dy = random_values(static_cast<std::int64_t>(y.size()), 9);
  const Values gradients = rig.backward(dy).parameters;
  const Values start = rig.network.parameters().to_host();
  double length = 0;
  for (const float g : gradients) length += static_cast<double>(g) * static_cast<double>(g);
  length = std::sqrt(length);
  const auto loss_at = [&](double step) {
    Values moved = start;
    for (std::size_t i = 0; i < moved.size(); ++i)
      moved[i] += static_cast<float>(step * static_cast<double>(gradients[i]) / length);
    rig.network.parameters().assign(moved);
    const Values now = rig.forward(Mode::kTrain, random);
    double sum = 0;
    for (std::size_t i = 0; i < now.size(); ++i)
      sum += static_cast<double>(now[i]) * static_cast<double>(dy[i]);
    return sum;
  };
  EXPECT_NEAR((loss_at(2e-3) - loss_at(-2e-3)) / 4e-3, length, 0.02 * length);
}

// Values are the identity, queries and keys 0: y holds the weights themselves.
TEST_P(AttentionTest, DropsItsShareOfTheWeightsWithoutRegardToOtherRecordings) {
  constexpr std::int64_t kSteps = 32;
  const auto rig_of = [&](std::int64_t time, const std::vector<std::int32_t>& lengths) {
    Rig rig(device(), R"({"type": "multi_head_attention", "heads": 1, "dropout": 0.25, "bias": false})",
            kSteps, time, lengths);
    Values parameters(static_cast<std::size_t>(rig.network.parameter_count()), 0.0f);
    for (std::size_t i = 0; i < kSteps; ++i) {
      parameters[(2 * kSteps + i) * kSteps + i] = 1;  // w_in of the values
      parameters[(3 * kSteps + i) * kSteps + i] = 1;  // w_out
    }
    rig.network.parameters().assign(parameters);
    Values x(static_cast<std::size_t>(rig.x.size()), 0.0f);
    for (std::int64_t t = 0; t < kSteps; ++t) x[static_cast<std::size_t>((t * rig.batch()) * kSteps + t)] = 1;
    rig.x.assign(x);
    return rig;
  };
  const RandomStream random{.seed = 3, .step = 7};
  Rig alone = rig_of(kSteps, {kSteps});
  const Values weights = alone.forward(Mode::kTrain, random);
  int dropped = 0;
  for (const float w : weights) {
    EXPECT_TRUE(w == 0 || std::abs(w - 1.0f / 32 / 0.75f) < 1e-6f) << w;
    dropped += w == 0 ? 1 : 0;
  }
  EXPECT_NEAR(dropped, 256, 60);  // of 1024; four deviations
  Rig with_longer = rig_of(kSteps + 9, {kSteps, kSteps + 9});
  const Values other = with_longer.forward(Mode::kTrain, random);
  for (std::size_t t = 0; t < kSteps; ++t) {
    for (std::size_t k = 0; k < kSteps; ++k)
      EXPECT_NEAR(other[2 * t * kSteps + k], weights[t * kSteps + k], 1e-6f) << t << ", " << k;
  }
  for (const float w : alone.forward(Mode::kInfer)) EXPECT_NEAR(w, 1.0f / 32, 1e-6f);
}

// More scores than are held at a time: queries come in blocks. Against sums in double.
TEST_P(AttentionTest, LongSequencesAreExact) {
  constexpr std::int64_t kFeature = 2;
  const std::vector<std::int32_t> lengths{600, 531};
  Rig rig(device(), R"({"type": "multi_head_attention", "name": "a", "heads": 1, "bias": false})", kFeature,
          600, lengths);
  rig.fill(0);
  const Values y = rig.forward(Mode::kTrain);
  const Values dy = random_values(static_cast<std::int64_t>(y.size()), 9);
  Values masked = dy;
  for (std::size_t t = 531; t < 600; ++t) masked[(2 * t + 1) * 2] = masked[(2 * t + 1) * 2 + 1] = 0;
  const Values dx = rig.backward(masked).x;

  const Values w = rig.network.parameters().to_host();
  const Values x = rig.x.to_host();
  const auto row = [&](std::size_t b, std::size_t t, std::size_t matrix, const std::vector<double>& from) {
    std::array<double, 2> out{};
    for (std::size_t i = 0; i < 2; ++i) {
      for (std::size_t j = 0; j < 2; ++j)
        out[i] += static_cast<double>(w[matrix * 4 + i * 2 + j]) * from[(2 * t + b) * 2 + j];
    }
    return out;
  };
  const auto loss = [&](const std::vector<double>& from, std::vector<double>* results) {
    double sum = 0;
    for (std::size_t b = 0; b < 2; ++b) {
      const auto steps = static_cast<std::size_t>(lengths[b]);
      std::vector<std::array<double, 2>> k, v;
      for (std::size_t t = 0; t < steps; ++t) {
        k.push_back(row(b, t, 1, from));
        v.push_back(row(b, t, 2, from));
      }
      for (std::size_t t = 0; t < steps; ++t) {
        const auto q = row(b, t, 0, from);
        double total = 0;
        std::array<double, 2> heard{};
        for (std::size_t s = 0; s < steps; ++s) {
          const double weight = std::exp((q[0] * k[s][0] + q[1] * k[s][1]) / std::sqrt(2.0));
          total += weight;
          for (std::size_t i = 0; i < 2; ++i) heard[i] += weight * v[s][i];
        }
        for (std::size_t i = 0; i < 2; ++i) {
          const double value = (static_cast<double>(w[12 + i * 2]) * heard[0] +
                                static_cast<double>(w[13 + i * 2]) * heard[1]) /
                               total;
          if (results != nullptr) (*results)[(2 * t + b) * 2 + i] = value;
          sum += value * static_cast<double>(masked[(2 * t + b) * 2 + i]);
        }
      }
    }
    return sum;
  };
  const std::vector<double> exact = testing_support::to_double(x);
  std::vector<double> expected(y.size(), 0.0);
  loss(exact, &expected);
  for (std::size_t i = 0; i < y.size(); ++i) {
    if (i / 2 % 2 == 1 && i / 4 >= 531) continue;
    ASSERT_NEAR(y[i], expected[i], 2e-6) << i;
  }
  // Along a few single inputs, in every block of queries.
  for (const std::size_t place : {std::size_t{0}, std::size_t{1022}, std::size_t{1025}, std::size_t{2399}}) {
    std::vector<double> moved = exact;
    moved[place] += 1e-4;
    const double above = loss(moved, nullptr);
    moved[place] -= 2e-4;
    EXPECT_NEAR(dx[place], (above - loss(moved, nullptr)) / 2e-4, 2e-5) << place;
  }
}

// With the padding the queries no longer fit at once, and come in blocks.
TEST_P(AttentionTest, BlocksOfQueriesDoNotShow) {
  const char* layers = R"({"type": "multi_head_attention", "heads": 2})";
  Rig tight(device(), layers, 4, 400, {400});
  Rig loose(device(), layers, 4, 700, {400});
  tight.fill(0);
  loose.fill(3);
  const Values y = tight.forward(Mode::kTrain);
  Values other = loose.forward(Mode::kTrain);
  Values dy = random_values(static_cast<std::int64_t>(y.size()), 9);
  const Rig::Gradients a = tight.backward(dy);
  dy.resize(other.size(), 0.0f);
  Rig::Gradients b = loose.backward(dy);
  other.resize(y.size());
  b.x.resize(a.x.size());
  expect_same(y, other);
  expect_same(a.parameters, b.parameters);
  expect_same(a.x, b.x);
}

TEST_P(AttentionTest, ATinyAstLearnsEightImagesByHeart) {
  const Context context(device());
  const NetworkSettings settings = network_of(R"({"inputs": {"x": {"kind": "image", "shape": [1, 16, 20]}},
      "layers": [{"type": "ast", "width": 16, "depth": 2, "heads": 2, "kernel": 8, "stride": 4, "dropout": 0.05},
                 {"type": "layer_norm"}, {"type": "dense"}], "classes": 3})");
  NetworkSizes sizes = declared_sizes(settings);
  sizes.max_batch = 8;
  Network network(context, settings, sizes);
  network.initialise(3, 0);
  const Tensor x = Tensor::from_host(device(), random_values(8 * 16 * 20, 4), {8, 1, 16, 20});
  InputBatch images;
  images.x = x.view();
  const Batch batch{.size = 8, .inputs = {images}};
  const auto learnt =
      testing_support::learn_by_heart(context, network, batch, {0, 1, 2, 2, 1, 0, 1, 2}, 0.005, 0.05f, 100);
  EXPECT_TRUE(learnt.done) << learnt.known << " known, loss " << learnt.loss;
}

TEST_P(AttentionTest, MoreStepsThanPositionsAreRefused) {
  EXPECT_THROW(
      {
        try {
          Rig(device(), R"({"type": "positional_embedding", "name": "p", "max_steps": 7})", 3, 8, {8, 2});
        } catch (const ConfigError& error) {
          EXPECT_STREQ(error.what(),
                       "layer p has positions for 7 steps, but a sequence has 8; make max_steps that large, "
                       "or cut the recordings");
          throw;
        }
      },
      ConfigError);
}

SERVAL_DEVICE_TESTS(AttentionTest);

}  // namespace
}  // namespace serval::nn
