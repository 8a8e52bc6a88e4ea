#include "serval/nn/network.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/devices.h"
#include "tests/support/expect_close.h"
#include "tests/support/learn_by_heart.h"
#include "tests/support/nn_inputs.h"

namespace serval::nn {
namespace {

using testing_support::expect_close;
using testing_support::for_each_level;
using testing_support::LayerType;
using testing_support::learn_by_heart;
using testing_support::network_of;
using testing_support::PaddedBatch;
using testing_support::random_values;
using testing_support::same_bits;
using testing_support::SimpleLayer;
using testing_support::SimpleNetwork;
namespace reference = testing_support::reference;

SimpleLayer lstm(std::int64_t hidden, std::int64_t layers = 1, bool bidirectional = false,
                 double dropout = 0) {
  return {.type = LayerType::kLstm,
          .hidden = hidden,
          .layers = layers,
          .bidirectional = bidirectional,
          .dropout = dropout};
}
SimpleLayer pool(LayerType type, std::int64_t units = 0) { return {.type = type, .units = units}; }
SimpleLayer dense(std::int64_t units = 0, Activation activation = Activation::kNone) {
  return {.type = LayerType::kDense, .units = units, .activation = activation};
}
SimpleLayer dropout(double rate) { return {.type = LayerType::kDropout, .rate = rate}; }

constexpr std::int64_t kClasses = 3;

// A network with a batch on a device.
class Rig {
 public:
  Rig(const Device& device, const SimpleNetwork& settings, const PaddedBatch& batch,
      std::int64_t max_time = 0, std::int64_t max_batch = 0)
      : context(device),
        settings_(settings),
        batch_(batch),
        network(context, network_of(settings),
                sequence_sizes(batch.feature, kClasses, std::max(max_batch, batch.batch()),
                               std::max(max_time, batch.time))),
        lengths_(Array<std::int32_t>::from_host(device, batch.lengths)) {
    network.initialise(11, 0);
    std::vector<float> values = random_values(batch.time * batch.batch() * batch.feature, 1, 2);
    batch.pad(values, batch.feature, 0);  // as gather_sequences leaves it
    x = Tensor::from_host(device, values, {batch.time, batch.batch(), batch.feature});
    // Biases start at zero; other values show more.
    std::vector<float> parameters = network.parameters().to_host();
    const std::vector<float> noise = random_values(network.parameter_count(), 2, 0.2f);
    for (std::size_t i = 0; i < parameters.size(); ++i) parameters[i] += noise[i];
    network.parameters().assign(parameters);
  }

  Batch sequences() const {
    return {batch_.batch(), {{x.view(), batch_.time, lengths_.view(), batch_.lengths.data()}}};
  }
  std::vector<float> logits(Mode mode, const RandomStream& random = {}) {
    const ConstTensorView out = network.forward(context, sequences(), mode, random);
    EXPECT_EQ(out.shape, (Shape{batch_.batch(), kClasses}));
    context.synchronize();
    std::vector<float> host(static_cast<std::size_t>(out.size()));
    copy_bytes(host.data(), {}, out.data, context.device(), host.size() * sizeof(float));
    return host;
  }
  // d (sum of logits * dlogits) / d parameters and / d x
  struct Gradients {
    std::vector<float> parameters, x;
  };
  Gradients gradients(const std::vector<float>& dlogits, const RandomStream& random = {},
                      bool with_dx = true) {
    const Tensor upstream = Tensor::from_host(context.device(), dlogits, {batch_.batch(), kClasses});
    Tensor dx = Tensor::from_host(context.device(),
                                  std::vector<float>(static_cast<std::size_t>(x.size()), 5.0f), x.shape());
    network.gradients().assign(std::vector<float>(static_cast<std::size_t>(network.trained_count())));
    logits(Mode::kTrain, random);
    const ConstTensorView from = upstream.view();
    const TensorView to = with_dx ? dx.view() : TensorView{};
    network.backward(context, sequences(), std::span(&from, 1), std::span(&to, 1));
    context.synchronize();
    return {network.gradients().to_host(), dx.to_host()};
  }
  std::vector<double> reference_logits(const std::vector<double>& parameters,
                                       const std::vector<double>& input) const {
    std::vector<double> out;
    for (std::int64_t b = 0; b < batch_.batch(); ++b) {
      for (const double logit :
           reference::logits(settings_, kClasses, parameters, batch_.sequence(input, b, batch_.feature))) {
        out.push_back(logit);
      }
    }
    return out;
  }

  Context context;

 private:
  SimpleNetwork settings_;
  PaddedBatch batch_;

 public:
  Network network;
  Tensor x;

 private:
  Array<std::int32_t> lengths_;
};

const PaddedBatch kBatch{.time = 6, .feature = 4, .lengths = {5, 2, 4, 1}};

struct Case {
  const char* name;
  SimpleNetwork settings;
};
std::vector<Case> cases() {
  return {
      {"mean", {lstm(5), pool(LayerType::kMeanPool), dense()}},
      {"last of both directions", {lstm(5, 1, true), pool(LayerType::kLastPool), dense()}},
      {"attention over a stack",
       {lstm(3, 2, true), pool(LayerType::kAttentionPool, 7), dense(6, Activation::kTanh), dense()}},
      {"dense at each step", {dense(5, Activation::kSigmoid), lstm(3), pool(LayerType::kLastPool), dense()}},
      {"attention on the input", {pool(LayerType::kAttentionPool, 5), dense()}},
      {"mean of the input", {pool(LayerType::kMeanPool), dense(9, Activation::kSigmoid), dense(kClasses)}},
  };
}

class NetworkTest : public testing_support::DeviceTest {
 protected:
  void expect_same(const std::vector<float>& a, const std::vector<float>& b) {
    if (device().kind == DeviceKind::kCpu) {
      EXPECT_EQ(a, b);
    } else {
      expect_close(a, b, 2e-6, 1e-5);
    }
  }
};

TEST_P(NetworkTest, LogitsEqualTheReference) {
  for_each_level(device(), [&] {
    for (const Case& c : cases()) {
      SCOPED_TRACE(c.name);
      Rig rig(device(), c.settings, kBatch, 9, 6);
      const std::vector<double> expected =
          rig.reference_logits(testing_support::to_double(rig.network.parameters().to_host()),
                               testing_support::to_double(rig.x.to_host()));
      expect_close(rig.logits(Mode::kTrain), expected, 2e-6, 5e-6, {4, kClasses});
      expect_close(rig.logits(Mode::kInfer), expected, 2e-6, 5e-6, {4, kClasses});
    }
  });
}

TEST_P(NetworkTest, GradientsEqualDifferencesOfTheReference) {
  const std::vector<float> dlogits = random_values(4 * kClasses, 5);
  for_each_level(device(), [&] {
    for (const Case& c : cases()) {
      SCOPED_TRACE(c.name);
      Rig rig(device(), c.settings, kBatch, 9, 6);
      const Rig::Gradients gradients = rig.gradients(dlogits);
      const std::vector<double> parameters = testing_support::to_double(rig.network.parameters().to_host());
      const std::vector<double> x = testing_support::to_double(rig.x.to_host());
      const auto loss = [&](const std::vector<double>& logits) {
        double sum = 0;
        for (std::size_t i = 0; i < logits.size(); ++i) sum += logits[i] * static_cast<double>(dlogits[i]);
        return sum;
      };
      expect_close(
          gradients.parameters,
          reference::numeric_gradient(
              [&](const std::vector<double>& p) { return loss(rig.reference_logits(p, x)); }, parameters),
          5e-6, 3e-5);
      expect_close(
          gradients.x,
          reference::numeric_gradient(
              [&](const std::vector<double>& other) { return loss(rig.reference_logits(parameters, other)); },
              x),
          5e-6, 3e-5);
      EXPECT_TRUE(same_bits(rig.gradients(dlogits, {}, false).parameters, gradients.parameters));
    }
  });
}

// ReLU has a kink, so its gradient is compared with the dense layer's formula by hand.
TEST_P(NetworkTest, ReluPassesTheGradientWhereItIsOpen) {
  Rig rig(device(), {pool(LayerType::kMeanPool), dense(2, Activation::kRelu), dense()},
          {.time = 1, .feature = 1, .lengths = {1}});
  // w [2, 1] = 1, -1; b = 0; then w [3, 2], b [3]
  rig.network.parameters().assign({1, -1, 0, 0, 2, 3, 4, 5, 6, 7, 0, 0, 0});
  rig.x.assign({3});
  EXPECT_EQ(rig.logits(Mode::kInfer), (std::vector<float>{6, 12, 18}));
  const Rig::Gradients gradients = rig.gradients({1, 0, 0});
  EXPECT_EQ(gradients.parameters, (std::vector<float>{6, 0, 2, 0, 3, 0, 0, 0, 0, 0, 1, 0, 0}));
  EXPECT_EQ(gradients.x, (std::vector<float>{2}));
}

TEST_P(NetworkTest, MorePaddingChangesNothing) {
  for (const Case& c : cases()) {
    SCOPED_TRACE(c.name);
    Rig tight(device(), c.settings, {.time = 5, .feature = 4, .lengths = kBatch.lengths}, 20);
    Rig loose(device(), c.settings, {.time = 17, .feature = 4, .lengths = kBatch.lengths}, 20);
    std::vector<float> x = tight.x.to_host();
    x.resize(static_cast<std::size_t>(loose.x.size()), 0.0f);
    loose.x.assign(x);
    expect_same(tight.logits(Mode::kTrain), loose.logits(Mode::kTrain));
    const std::vector<float> dlogits = random_values(4 * kClasses, 5);
    expect_same(tight.gradients(dlogits).parameters, loose.gradients(dlogits).parameters);
  }
}

TEST_P(NetworkTest, ABatchGivesWhatItsRecordingsGiveOneByOne) {
  for (const Case& c : cases()) {
    SCOPED_TRACE(c.name);
    Rig together(device(), c.settings, kBatch);
    const std::vector<float> logits = together.logits(Mode::kInfer);
    const std::vector<float> x = together.x.to_host();
    for (std::int64_t b = 0; b < 4; ++b) {
      const std::int32_t length = kBatch.lengths[static_cast<std::size_t>(b)];
      Rig alone(device(), c.settings, {.time = length, .feature = 4, .lengths = {length}});
      std::vector<float> values;
      for (std::int64_t t = 0; t < length; ++t) {
        for (std::int64_t f = 0; f < 4; ++f) values.push_back(x[kBatch.place(t, b, f, 4)]);
      }
      alone.x.assign(values);
      expect_close(alone.logits(Mode::kInfer),
                   std::vector<float>(logits.begin() + b * kClasses, logits.begin() + (b + 1) * kClasses),
                   1e-6, 1e-6);
    }
  }
}

TEST_P(NetworkTest, RepeatsGiveTheSameBits) {
  const SimpleNetwork settings{lstm(9, 2, true, 0.3), pool(LayerType::kAttentionPool, 7), dropout(0.4),
                               dense(6, Activation::kRelu), dense()};
  const PaddedBatch batch{.time = 30, .feature = 13, .lengths = {30, 28, 11, 11, 2}};
  const std::vector<float> dlogits = random_values(5 * kClasses, 5);
  const RandomStream random{.seed = 4, .step = 9};
  Rig first(device(), settings, batch);
  const std::vector<float> logits = first.logits(Mode::kTrain, random);
  const Rig::Gradients gradients = first.gradients(dlogits, random);
  for (int repeat = 0; repeat < 8; ++repeat) {
    Rig again(device(), settings, batch);
    EXPECT_TRUE(same_bits(again.logits(Mode::kTrain, random), logits));
    const Rig::Gradients repeated = again.gradients(dlogits, random);
    EXPECT_TRUE(same_bits(repeated.parameters, gradients.parameters));
    EXPECT_TRUE(same_bits(repeated.x, gradients.x));
  }
}

TEST_P(NetworkTest, DropoutActsInTrainingAloneAndItsGradientHasTheSameMask) {
  // Parameters that make the logits the mean of the input after dropout.
  Rig rig(device(), {dropout(0.5), pool(LayerType::kMeanPool), dense()},
          {.time = 4, .feature = 3, .lengths = {4, 3}}, 9);
  rig.network.parameters().assign({1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0});
  std::vector<float> ones(24, 1.0f);
  ones[(3 * 2 + 1) * 3] = ones[(3 * 2 + 1) * 3 + 1] = ones[(3 * 2 + 1) * 3 + 2] = 0;  // padding
  rig.x.assign(ones);
  expect_close(rig.logits(Mode::kInfer), std::vector<float>(6, 1.0f), 1e-6, 0);

  const RandomStream random{.seed = 3, .step = 2};
  const std::vector<float> logits = rig.logits(Mode::kTrain, random);
  const Rig::Gradients gradients = rig.gradients(std::vector<float>(6, 1.0f), random);
  RandomStream mask = random;
  mask.purpose = RandomPurpose::kDropout;
  for (std::uint64_t b = 0; b < 2; ++b) {
    const float length = b == 0 ? 4 : 3;
    for (std::uint64_t f = 0; f < 3; ++f) {
      float sum = 0;
      for (std::uint64_t t = 0; t < (b == 0 ? 4 : 3); ++t) {
        const float kept = mask.uniform(((b << 24) + t) * 3 + f) < 0.5f ? 0 : 2;
        sum += kept / length;
        EXPECT_FLOAT_EQ(gradients.x[(t * 2 + b) * 3 + f], kept / length);
      }
      EXPECT_NEAR(logits[b * 3 + f], sum, 1e-6);
    }
  }
}

TEST_P(NetworkTest, TwoDropoutLayersDrawDifferentMasks) {
  Rig rig(device(), {pool(LayerType::kMeanPool), dropout(0.5), dropout(0.5), dense()},
          {.time = 1, .feature = 400, .lengths = {1}});
  std::vector<float> parameters(3 * 401, 0.0f);
  for (std::size_t i = 0; i < 400; ++i) parameters[i] = 1;
  rig.network.parameters().assign(parameters);
  rig.x.assign(std::vector<float>(400, 1.0f));
  EXPECT_NEAR(rig.logits(Mode::kTrain)[0], 400,
              140);  // 4 of 1 in 4 twice kept; one mask twice would give 800
}

TEST_P(NetworkTest, LearnsEightSequencesByHeart) {
  const PaddedBatch batch{.time = 12, .feature = 5, .lengths = {12, 12, 10, 9, 7, 5, 4, 3}};
  const std::vector<std::int32_t> labels{0, 1, 2, 2, 1, 0, 1, 2};
  Rig rig(device(),
          {lstm(16, 1, true), pool(LayerType::kAttentionPool, 8), dropout(0.1), dense(16, Activation::kRelu),
           dense()},
          batch);
  EXPECT_TRUE(learn_by_heart(rig.context, rig.network, rig.sequences(), labels, 0.01, 0.05f, 200).done);
}

// The first step says the class; everything after it is silence.
TEST_P(NetworkTest, RemembersAnImpulseToTheEnd) {
  const PaddedBatch batch{.time = 25, .feature = 1, .lengths = {25, 25, 25, 20, 20, 20}};
  Rig rig(device(), {lstm(12), pool(LayerType::kLastPool), dense()}, batch);
  std::vector<float> x(25 * 6, 0.0f);
  for (std::size_t b = 0; b < 6; ++b) x[b] = static_cast<float>(b % 3) - 1;
  rig.x.assign(x);
  const std::vector<std::int32_t> labels{0, 1, 2, 0, 1, 2};
  EXPECT_TRUE(learn_by_heart(rig.context, rig.network, rig.sequences(), labels, 0.02, 0.05f, 1200).done);
}

TEST_P(NetworkTest, MisuseIsCaught) {
  Rig rig(device(), cases()[0].settings, kBatch);
  const Tensor dlogits(device(), {4, kClasses});
  EXPECT_THROW(rig.network.backward(rig.context, rig.sequences(), dlogits.view()),
               InternalError);  // no forward
  rig.logits(Mode::kInfer);
  EXPECT_THROW(rig.network.backward(rig.context, rig.sequences(), dlogits.view()),
               InternalError);  // not in training
  Batch larger = rig.sequences();
  larger.inputs[0].time = kBatch.time + 1;
  EXPECT_THROW(rig.network.forward(rig.context, larger, Mode::kInfer, {}), InternalError);
}

SERVAL_DEVICE_TESTS(NetworkTest);

}  // namespace
}  // namespace serval::nn
