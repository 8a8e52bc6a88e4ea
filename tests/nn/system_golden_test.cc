// Whole systems against PyTorch in double precision while they train: each layer's activations, each block's gradient.
// tests/golden/systems/make_system_goldens.py says what is kept of an array, and how weights and inputs come about.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <optional>

#include <gtest/gtest.h>

#include "serval/core/json.h"
#include "serval/core/settings_io.h"
#include "serval/nn/network.h"

#include "tests/support/devices.h"
#include "tests/support/network_rig.h"
#include "tests/support/nn_inputs.h"

namespace serval::nn {
namespace {

namespace fs = std::filesystem;
using Values = std::vector<float>;

const fs::path& folder() {
  static const fs::path path = fs::path(SERVAL_SOURCE_DIR) / "tests/golden/systems";
  return path;
}

// Of [-1, 1): the same numbers as in the script.
double noise(std::uint32_t seed, std::uint32_t i) {
  std::uint32_t x = i * 0x9E3779B1u + seed * 0x85EBCA77u;
  x ^= x >> 16;
  x *= 0x7FEB352Du;
  x ^= x >> 15;
  x *= 0x846CA68Bu;
  x ^= x >> 16;
  return static_cast<double>(x >> 8) / (1 << 23) - 1;
}
Values drawn(std::uint32_t seed, double scale, double offset, std::int64_t count) {
  Values out(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < out.size(); ++i)
    out[i] = static_cast<float>(offset + scale * noise(seed, static_cast<std::uint32_t>(i)));
  return out;
}

double number(const JsonValue& value) {
  return value.kind == JsonValue::Kind::kInteger ? static_cast<double>(value.integer) : value.real;
}

// The case's network, with inputs of the case's sizes.
NetworkSettings network_of(const JsonValue& golden) {
  JsonValue json = *golden.find("network");
  if (json.kind == JsonValue::Kind::kText) {
    json = parse_json_file(
        (fs::path(SERVAL_SOURCE_DIR) / "experiments/networks" / (json.text + ".json")).string());
  }
  testing_support::leave_out_dropout(json);
  std::vector<std::string> errors;
  NetworkSettings settings = read_settings<NetworkSettings>(json, errors);
  EXPECT_EQ(errors, std::vector<std::string>());
  for (auto& [name, input] : settings.inputs) {
    input.shape.clear();
    for (const JsonValue& size : golden.find("inputs")->find(name)->items)
      input.shape.push_back(size.integer);
  }
  settings.classes = golden.find("classes")->integer;
  return settings;
}

// A network, its batch on a device, and the script's account of how it trains.
class SystemCase {
 public:
  SystemCase(const JsonValue& golden, const Values& records, const Device& device)
      : golden_(golden),
        records_(records),
        context_(device),
        settings_(network_of(golden)),
        batch_(device, golden.find("batch")->integer, settings_.inputs.size()) {
    NetworkSizes sizes = declared_sizes(settings_);
    sizes.max_batch = batch_.size();
    std::uint32_t seed = 100;
    for (std::size_t i = 0; i < settings_.inputs.size(); ++i) add_input(i, sizes.inputs[i], seed++);
    network_.emplace(context_, settings_, sizes);
    set_parameters();
  }

  void train() {
    const double rate = number(*golden_.find("rate"));
    int step = 0;
    for (const JsonValue& expected : golden_.find("steps")->items) {
      SCOPED_TRACE(cat("step ", ++step));
      network_->forward(context_, batch_, Mode::kTrain, {});
      context_.synchronize();
      std::vector<Tensor> upstream;
      EXPECT_NEAR(loss_of(upstream), number(*expected.find("loss")), tolerance()) << "loss";
      const bool watched = expected.find("activations") != nullptr;
      if (watched) check_activations(*expected.find("activations"));
      const std::vector<Values> dx = backward(upstream);
      const Values gradients = network_->gradients().to_host();
      Values parameters = network_->parameters().to_host();
      if (watched) check_rest(expected, gradients, parameters, dx);
      if (::testing::Test::HasFailure()) return;
      for (std::size_t i = 0; i < gradients.size(); ++i)
        parameters[i] -= static_cast<float>(rate * static_cast<double>(gradients[i]));
      network_->parameters().assign(parameters);
    }
  }

 private:
  double tolerance() const { return number(*golden_.find("tolerance")); }

  void add_input(std::size_t i, InputSizes& sizes, std::uint32_t seed) {
    const std::string& name = settings_.inputs[i].first;
    batch_.set_lengths_of(i, golden_.find("lengths")->find(name));
    const InputBatch& input = batch_.input(i);
    sizes.max_time = input.time;
    Values values = drawn(seed, 1, 0, batch_.shape(i, sizes.item).size());
    mask(values, input.host_lengths, input.time);
    batch_.set_input(i, values, sizes.item);
  }

  // Steps past a sequence's end, which mean nothing, become 0.
  void mask(Values& values, const std::int32_t* lengths, std::int64_t time) const {
    if (lengths == nullptr) return;
    const std::size_t width = values.size() / static_cast<std::size_t>(time * batch_.size());
    for (std::int64_t b = 0; b < batch_.size(); ++b) {
      for (std::int64_t t = lengths[b]; t < time; ++t)
        std::fill_n(values.begin() + static_cast<std::ptrdiff_t>((t * batch_.size() + b)) *
                                         static_cast<std::ptrdiff_t>(width),
                    width, 0.0f);
    }
  }

  void set_parameters() {
    const JsonValue& known = *golden_.find("blocks");
    ASSERT_EQ(network_->blocks().size(), known.members.size());
    Values parameters(static_cast<std::size_t>(network_->parameter_count()));
    for (const ParameterBlock& block : network_->blocks()) {
      const JsonValue* way = known.find(block.name);
      ASSERT_NE(way, nullptr) << block.name;
      const Values values = drawn(static_cast<std::uint32_t>(way->items[0].integer), number(way->items[1]),
                                  number(way->items[2]), block.shape.size());
      std::copy(values.begin(), values.end(), parameters.begin() + block.offset);
    }
    network_->parameters().assign(parameters);
  }

  Values host(const ConstTensorView& view) const {
    Values out(static_cast<std::size_t>(view.size()));
    copy_bytes(out.data(), {}, view.data, context_.device(), out.size() * sizeof(float));
    return out;
  }

  // Cross-entropy of all heads, by the formula; `upstream` becomes its gradient by each output.
  double loss_of(std::vector<Tensor>& upstream) const {
    const std::vector<JsonValue>& labels = golden_.find("labels")->items;
    double loss = 0;
    for (std::size_t o = 0; o < network_->output_count(); ++o) {
      const std::string name = settings_.outputs.empty() ? layer_name(settings_, settings_.layers.size() - 1)
                                                         : settings_.outputs[o];
      const double weight = number(*golden_.find("heads")->find(name));
      Values z = host(network_->output(o));
      const std::size_t classes = z.size() / labels.size();
      for (std::size_t b = 0; b < labels.size(); ++b) {
        float* row = z.data() + b * classes;
        double sum = 0;
        for (std::size_t c = 0; c < classes; ++c) sum += std::exp(static_cast<double>(row[c]));
        const auto label = static_cast<std::size_t>(labels[b].integer);
        const double share = weight / static_cast<double>(labels.size());
        loss += share * (std::log(sum) - static_cast<double>(row[label]));
        for (std::size_t c = 0; c < classes; ++c) {
          const double p = std::exp(static_cast<double>(row[c])) / sum;
          row[c] = static_cast<float>(share * (p - (c == label ? 1 : 0)));
        }
      }
      upstream.push_back(Tensor::from_host(context_.device(), z, network_->output(o).shape));
    }
    return loss;
  }

  std::vector<Values> backward(const std::vector<Tensor>& upstream) {
    network_->gradients().assign(Values(static_cast<std::size_t>(network_->trained_count()), 0.0f));
    std::vector<ConstTensorView> from;
    for (const Tensor& values : upstream) from.push_back(values.view());
    std::vector<Tensor> dx;
    std::vector<TensorView> views;
    for (const Tensor& x : batch_.x()) {
      dx.emplace_back(context_.device(), x.shape());
      views.push_back(dx.back().view());
    }
    network_->backward(context_, batch_, from, views);
    context_.synchronize();
    std::vector<Values> out;
    for (const Tensor& values : dx) out.push_back(values.to_host());
    return out;
  }

  void check_activations(const JsonValue& expected) const {
    for (std::size_t i = 0; i < settings_.layers.size(); ++i) {
      const std::string name = layer_name(settings_, i);
      ASSERT_NE(expected.find(name), nullptr) << "no golden of layer " << name;
      const ConstTensorView view = network_->tap(name);
      Values values = host(view);
      mask(values, network_->host_lengths(name), view.shape[0]);
      check(values, *expected.find(name), cat("layer ", name));
    }
  }
  void check_rest(const JsonValue& expected, const Values& gradients, const Values& parameters,
                  const std::vector<Values>& dx) const {
    for (const ParameterBlock& block : network_->blocks()) {
      if (block.role == ParameterBlock::Role::kFrozen) continue;
      const bool trained = block.role == ParameterBlock::Role::kTrained;
      const auto first = (trained ? gradients : parameters).begin() + block.offset;
      const JsonValue* golden = expected.find(trained ? "gradients" : "statistics")->find(block.name);
      ASSERT_NE(golden, nullptr) << block.name;
      check({first, first + block.shape.size()}, *golden, cat("gradient or statistic ", block.name));
    }
    for (std::size_t i = 0; i < dx.size(); ++i) {
      const std::string& name = settings_.inputs[i].first;
      check(dx[i], *expected.find("input_gradients")->find(name), "gradient of input " + name);
    }
  }

  // `place`: where the record of the expected array begins, and how many values that has.
  void check(const Values& got, const JsonValue& place, const std::string& what) const {
    const auto n = static_cast<std::size_t>(place.items[1].integer);
    ASSERT_EQ(got.size(), n) << what;
    const float* record = records_.data() + place.items[0].integer;
    // Below this an array is the rest of sums that cancel out.
    constexpr double kSmall = 2e-3;
    const double largest = std::max<double>(record[0], kSmall);
    double square = 0, product = 0;
    for (std::size_t i = 0; i < n; ++i) {
      const auto value = static_cast<double>(got[i]);
      square += value * value;
      product += value * noise(77, static_cast<std::uint32_t>(i));
    }
    const double length = std::max<double>(record[1], kSmall * std::sqrt(static_cast<double>(n)));
    EXPECT_NEAR(std::sqrt(square), record[1], tolerance() * length) << what << ": length";
    EXPECT_NEAR(product, record[2], tolerance() * length) << what << ": product with noise";
    constexpr std::size_t kWatched = 24;
    for (std::size_t k = 0; k < std::min(n, kWatched); ++k) {
      const std::size_t at = n > kWatched ? k * n / kWatched : k;
      ASSERT_NEAR(got[at], record[3 + k], tolerance() * largest) << what << "[" << at << "]";
    }
  }

  const JsonValue& golden_;
  const Values& records_;
  Context context_;
  NetworkSettings settings_;
  testing_support::HeldBatch batch_;
  std::optional<Network> network_;
};

class SystemGoldenTest : public testing_support::DeviceTest {};

TEST_P(SystemGoldenTest, TrainAsPyTorchDoes) {
  const JsonValue json = parse_json_file((folder() / "systems.json").string());
  const Values records = testing_support::read_f32(folder() / "systems.f32");
  for (const JsonValue& golden : json.find("cases")->items) {
    SCOPED_TRACE(golden.find("name")->text);
    SystemCase(golden, records, device()).train();
    if (HasFailure()) return;
  }
}

SERVAL_DEVICE_TESTS(SystemGoldenTest);

}  // namespace
}  // namespace serval::nn
