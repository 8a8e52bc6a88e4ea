// Layers against PyTorch in double precision: tests/golden/nn/golden.py says what a case is. Each case runs at every
// instruction set, with the portable ops as GPU kernels on fibers, and on the GPU where there is one.
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <optional>

#include <gtest/gtest.h>

#include "serval/core/json.h"
#include "serval/core/settings_io.h"
#include "serval/nn/network.h"

#include "tests/support/devices.h"
#include "tests/support/held_batch.h"
#include "tests/support/host_ops.h"
#include "tests/support/nn_inputs.h"

namespace serval::nn {
namespace {

namespace fs = std::filesystem;
using Values = std::vector<float>;

struct GoldenFile {
  JsonValue json;
  Values values;
};
GoldenFile load(const fs::path& path) {
  GoldenFile out{parse_json_file(path.string()), {}};
  fs::path numbers = path;
  numbers.replace_extension(".f32");
  out.values = testing_support::read_f32(numbers);
  return out;
}
std::vector<fs::path> golden_files() {
  std::vector<fs::path> out;
  for (const auto& entry : fs::directory_iterator(fs::path(SERVAL_SOURCE_DIR) / "tests/golden/nn"))
    if (entry.path().extension() == ".json") out.push_back(entry.path());
  std::sort(out.begin(), out.end());
  return out;
}

// One case: a network, its inputs on a device, and what should come out.
class GoldenCase {
 public:
  GoldenCase(const GoldenFile& file, const JsonValue& json, const Device& device, bool frozen = false)
      : file_(file),
        json_(json),
        context_(device),
        batch_(device, json.find("batch")->integer, json.find("network")->find("inputs")->members.size()) {
    std::vector<std::string> errors;
    settings_ = read_settings<NetworkSettings>(*json.find("network"), errors);
    EXPECT_EQ(errors, std::vector<std::string>());
    for (LayerSettings& layer : settings_.layers) layer.frozen |= frozen;
    NetworkSizes sizes = declared_sizes(settings_);
    sizes.max_batch = batch_.size() + 1;
    for (std::size_t i = 0; i < settings_.inputs.size(); ++i) {
      const std::string& name = settings_.inputs[i].first;
      batch_.set_lengths_of(i, json.find("lengths")->find(name));
      sizes.inputs[i].max_time = batch_.input(i).time + 2;
      batch_.set_input(i, array("x." + name), sizes.inputs[i].item);
    }
    network_.emplace(context_, settings_, sizes);
    reset();
  }

  Values array(const std::string& name) const {
    const JsonValue* place = json_.find("arrays")->find(name);
    if (place == nullptr) throw InternalError("no array " + name);
    const auto first = file_.values.begin() + place->items[0].integer;
    return {first, first + place->items[1].integer};
  }

  // The weights and statistics that the case starts from.
  void reset() {
    Values parameters(static_cast<std::size_t>(network_->parameter_count()), NAN);
    for (const ParameterBlock& block : network_->blocks()) {
      const Values values = array("p." + block.name);
      ASSERT_EQ(static_cast<std::int64_t>(values.size()), block.shape.size()) << block.name;
      std::copy(values.begin(), values.end(), parameters.begin() + block.offset);
    }
    network_->parameters().assign(parameters);
  }

  Values forward() {
    const ConstTensorView y = network_->forward(context_, batch_, Mode::kTrain, {});
    context_.synchronize();
    Values host(static_cast<std::size_t>(y.size()));
    copy_bytes(host.data(), {}, y.data, context_.device(), host.size() * sizeof(float));
    mask(host);
    return host;
  }
  // Steps past a sequence's end mean nothing.
  void mask(Values& values) const {
    const JsonValue& lengths = *json_.find("output_lengths");
    if (lengths.kind != JsonValue::Kind::kList) return;
    const std::size_t batch = lengths.items.size();
    std::int64_t time = 0;
    for (const JsonValue& n : lengths.items) time = std::max(time, n.integer);
    const std::size_t width = values.size() / (static_cast<std::size_t>(time) * batch);
    for (std::size_t b = 0; b < batch; ++b) {
      for (auto t = static_cast<std::size_t>(lengths.items[b].integer); t < static_cast<std::size_t>(time);
           ++t)
        std::fill_n(values.begin() + static_cast<std::ptrdiff_t>((t * batch + b) * width), width, 0.0f);
    }
  }
  struct Gradients {
    Values parameters;
    std::vector<Values> x;
  };
  Gradients backward(const Values& dy, bool with_dx = true) {
    network_->gradients().assign(Values(static_cast<std::size_t>(network_->trained_count()), 0.0f));
    const ConstTensorView y = network_->output(0);
    const Tensor upstream = Tensor::from_host(context_.device(), dy, y.shape);
    const ConstTensorView view = upstream.view();
    std::vector<Tensor> dx;
    std::vector<TensorView> views;
    for (const Tensor& x : batch_.x()) {
      dx.push_back(
          Tensor::from_host(context_.device(), Values(static_cast<std::size_t>(x.size()), 5.0f), x.shape()));
      views.push_back(with_dx ? dx.back().view() : TensorView{});
    }
    network_->backward(context_, batch_, std::span(&view, 1), views);
    context_.synchronize();
    Gradients out{network_->gradients().to_host(), {}};
    for (const Tensor& values : dx) out.x.push_back(values.to_host());
    return out;
  }
  Network& network() { return *network_; }
  const NetworkSettings& settings() const { return settings_; }
  double tolerance() const { return json_.find("tolerance")->real; }
  double rate() const { return json_.find("rate")->real; }

 private:
  const GoldenFile& file_;
  const JsonValue& json_;
  Context context_;
  NetworkSettings settings_;
  testing_support::HeldBatch batch_;
  std::optional<Network> network_;
};

// The largest difference as a share of the largest expected value (of 1 where that is smaller).
void expect_near(const Values& got, const Values& expected, double tolerance, const std::string& what) {
  ASSERT_EQ(got.size(), expected.size()) << what;
  double largest = 1;
  for (const float value : expected) largest = std::max(largest, std::abs(static_cast<double>(value)));
  for (std::size_t i = 0; i < got.size(); ++i) {
    const double difference = std::abs(static_cast<double>(got[i]) - static_cast<double>(expected[i]));
    ASSERT_LE(difference, tolerance * largest)
        << what << "[" << i << "]: " << got[i] << " for " << expected[i];
  }
}

double dot(const Values& a, const Values& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += static_cast<double>(a[i]) * static_cast<double>(b[i]);
  return sum;
}

void check(GoldenCase& c) {
  const double tolerance = c.tolerance();
  const Values y = c.forward();
  expect_near(y, c.array("y"), tolerance, "output");
  for (const ParameterBlock& block : c.network().blocks()) {
    if (block.role != ParameterBlock::Role::kStatistic) continue;
    const Values now = c.network().parameters().to_host();
    expect_near({now.begin() + block.offset, now.begin() + block.offset + block.shape.size()},
                c.array("after." + block.name), tolerance, block.name);
  }
  const GoldenCase::Gradients gradients = c.backward(c.array("dy"));
  for (const ParameterBlock& block : c.network().blocks()) {
    if (block.role != ParameterBlock::Role::kTrained) continue;
    const auto first = gradients.parameters.begin() + block.offset;
    expect_near({first, first + block.shape.size()}, c.array("dp." + block.name), 2 * tolerance,
                "gradient of " + block.name);
  }
  for (std::size_t i = 0; i < gradients.x.size(); ++i) {
    const std::string& name = c.settings().inputs[i].first;
    expect_near(gradients.x[i], c.array("dx." + name), 2 * tolerance, "gradient of " + name);
  }
  // Not asking for the inputs' gradients changes nothing else; nor does doing it all again.
  c.reset();
  EXPECT_TRUE(testing_support::same_bits(c.forward(), y));
  EXPECT_TRUE(testing_support::same_bits(c.backward(c.array("dy"), false).parameters, gradients.parameters));
}

void check_training(GoldenCase& c) {
  c.reset();
  const Values target = c.array("target");
  const Values expected = c.array("losses");
  const auto trained = static_cast<std::size_t>(c.network().trained_count());
  std::size_t numbers = target.size();
  // What is padding has target and output 0 and does not count.
  Values ones(target.size(), 1.0f);
  c.forward();
  c.mask(ones);
  numbers = static_cast<std::size_t>(std::count(ones.begin(), ones.end(), 1.0f));
  c.reset();
  for (std::size_t step = 0; step < expected.size(); ++step) {
    const Values y = c.forward();
    Values dy(y.size());
    double loss = 0;
    for (std::size_t i = 0; i < y.size(); ++i) {
      const double difference = static_cast<double>(y[i]) - static_cast<double>(target[i]);
      loss += difference * difference / (2 * static_cast<double>(numbers));
      dy[i] = static_cast<float>(difference / static_cast<double>(numbers));
    }
    ASSERT_NEAR(loss, expected[step], 20 * c.tolerance() * std::max(1.0, static_cast<double>(expected[0])))
        << "step " << step;
    const Values gradients = c.backward(dy, false).parameters;
    Values parameters = c.network().parameters().to_host();
    for (std::size_t i = 0; i < trained; ++i) parameters[i] -= static_cast<float>(c.rate()) * gradients[i];
    c.network().parameters().assign(parameters);
  }
}

// Along the gradient, the loss rises by its length: differences, without anybody's formulas.
void check_differences(GoldenCase& c) {
  c.reset();
  const Values dy = c.array("dy");
  c.forward();
  const Values gradients = c.backward(dy, false).parameters;
  const Values start = c.network().parameters().to_host();
  const auto trained = static_cast<std::size_t>(c.network().trained_count());
  double length = 0;
  for (std::size_t i = 0; i < trained; ++i) length += static_cast<double>(gradients[i]) * gradients[i];
  length = std::sqrt(length);
  if (length == 0) return;
  const auto loss_at = [&](double step) {
    Values moved = start;
    for (std::size_t i = 0; i < trained; ++i)
      moved[i] += static_cast<float>(step * static_cast<double>(gradients[i]) / length);
    c.network().parameters().assign(moved);
    return dot(c.forward(), dy);
  };
  constexpr double kStep = 4e-3;
  const double slope = (loss_at(kStep) - loss_at(-kStep)) / (2 * kStep);
  EXPECT_NEAR(slope, length, 0.02 * length + 2e-3) << "along the gradient";
  c.reset();
}

class LayerGoldenTest : public testing_support::DeviceTest {
 protected:
  template <class Body>
  void for_each_case(Body body) {
    for (const fs::path& path : golden_files()) {
      const GoldenFile file = load(path);
      for (const JsonValue& json : file.json.find("cases")->items) {
        SCOPED_TRACE(cat(path.stem().string(), ": ", json.find("name")->text));
        GoldenCase c(file, json, device());
        body(c);
        if (HasFatalFailure()) return;
      }
    }
  }
};

TEST_P(LayerGoldenTest, OutputsAndGradientsAreThoseOfPyTorch) {
  testing_support::for_each_level(device(), [&] { for_each_case([](GoldenCase& c) { check(c); }); });
}

TEST_P(LayerGoldenTest, TwentyStepsOfTrainingAreThoseOfPyTorch) {
  for_each_case([](GoldenCase& c) { check_training(c); });
}

TEST_P(LayerGoldenTest, GradientsAreDifferences) {
  for_each_case([](GoldenCase& c) { check_differences(c); });
}

TEST_P(LayerGoldenTest, SettingsSurviveJson) {
  for_each_case([](GoldenCase& c) {
    NetworkSettings settings = c.settings();
    const std::string text = write_json(settings_to_json(settings));
    std::vector<std::string> errors;
    NetworkSettings again = read_settings<NetworkSettings>(parse_json(text, "again.json"), errors);
    EXPECT_EQ(errors, std::vector<std::string>());
    EXPECT_EQ(write_json(settings_to_json(again)), text);
  });
}

// With all weights frozen no layer asks for their gradients, which is checked where they are given out; those of the
// inputs stay the same bits. (Norms do not compute the same then: frozen, they keep to their running statistics.)
TEST_P(LayerGoldenTest, FrozenLayersStillGiveTheGradientsOfTheirInputs) {
  for (const fs::path& path : golden_files()) {
    const GoldenFile file = load(path);
    for (const JsonValue& json : file.json.find("cases")->items) {
      SCOPED_TRACE(cat(path.stem().string(), ": ", json.find("name")->text));
      GoldenCase trained(file, json, device());
      GoldenCase frozen(file, json, device(), true);
      ASSERT_EQ(frozen.network().trained_count(), 0);
      const Values y = trained.forward();
      const Values frozen_y = frozen.forward();
      const GoldenCase::Gradients expected = trained.backward(trained.array("dy"));
      const GoldenCase::Gradients got = frozen.backward(frozen.array("dy"));
      EXPECT_TRUE(got.parameters.empty());
      const std::vector<ParameterBlock>& blocks = trained.network().blocks();
      const auto statistic = [](const ParameterBlock& block) {
        return block.role == ParameterBlock::Role::kStatistic;
      };
      if (std::any_of(blocks.begin(), blocks.end(), statistic)) continue;
      EXPECT_TRUE(testing_support::same_bits(frozen_y, y));
      for (std::size_t i = 0; i < got.x.size(); ++i)
        EXPECT_TRUE(testing_support::same_bits(got.x[i], expected.x[i])) << "input " << i;
    }
  }
}

SERVAL_DEVICE_TESTS(LayerGoldenTest);

// The kernels of a GPU, run by the host.
TEST(LayerGoldenKernels, OutputsAndGradientsAreThoseOfPyTorch) {
  const testing_support::PortableOpsAsKernels kernels;
  for (const fs::path& path : golden_files()) {
    const GoldenFile file = load(path);
    for (const JsonValue& json : file.json.find("cases")->items) {
      SCOPED_TRACE(cat(path.stem().string(), ": ", json.find("name")->text));
      GoldenCase c(file, json, Device{});
      check(c);
      if (::testing::Test::HasFatalFailure()) return;
    }
  }
}

}  // namespace
}  // namespace serval::nn
