// A network from JSON with a batch on a device, for tests.
#pragma once

#include <span>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "serval/core/settings_io.h"
#include "serval/nn/network.h"

#include "tests/support/held_batch.h"

namespace serval::testing_support {

inline nn::NetworkSettings network_from(const std::string& text) {
  std::vector<std::string> errors;
  nn::NetworkSettings settings = read_settings<nn::NetworkSettings>(parse_json(text, "network.json"), errors);
  EXPECT_EQ(errors, std::vector<std::string>());
  return settings;
}

// Masks are drawn anew in each step, and by other numbers than elsewhere.
inline void leave_out_dropout(JsonValue& network) {
  const JsonValue* type = network.find("type");
  for (auto& [key, member] : network.members) {
    if (key == "dropout" || (key == "rate" && type != nullptr && type->text == "dropout"))
      member = JsonValue::of(0.0);
    leave_out_dropout(member);
  }
  for (JsonValue& item : network.items) leave_out_dropout(item);
}

// What it tells of the batch, [output][value], on the host.
inline std::vector<std::vector<float>> inferred(const Context& context, nn::Network& network,
                                                const nn::Batch& batch) {
  network.forward(context, batch, nn::Mode::kInfer, {});
  context.synchronize();
  std::vector<std::vector<float>> out;
  for (std::size_t i = 0; i < network.output_count(); ++i) {
    const ConstTensorView y = network.output(i);
    copy_bytes(out.emplace_back(static_cast<std::size_t>(y.size())).data(), {}, y.data, context.device(),
               static_cast<std::size_t>(y.size()) * sizeof(float));
  }
  return out;
}

class NetworkRig {
 public:
  NetworkRig(const Device& device, const std::string& text, std::int64_t batch, std::int64_t max_time = 1)
      : context(device),
        settings_(network_from(text)),
        sizes_(sizes(settings_, batch, max_time)),
        batch_(device, batch, sizes_.inputs.size()),
        network(context, settings_, sizes_) {
    network.initialise(11, 0);
  }

  void set_lengths(std::size_t input, const std::vector<std::int32_t>& lengths, std::int64_t time) {
    batch_.set_lengths(input, lengths, time);
  }
  void set_input(std::size_t input, const std::vector<float>& values) {
    batch_.set_input(input, values, sizes_.inputs[input].item);
  }

  std::vector<float> forward(nn::Mode mode, const RandomStream& random = {}) {
    const ConstTensorView y = network.forward(context, batch_, mode, random);
    context.synchronize();
    std::vector<float> host(static_cast<std::size_t>(y.size()));
    copy_bytes(host.data(), {}, y.data, context.device(), host.size() * sizeof(float));
    return host;
  }
  struct Gradients {
    std::vector<float> parameters;
    std::vector<std::vector<float>> x;
  };
  Gradients backward(const std::vector<float>& dy) {
    network.gradients().assign(std::vector<float>(static_cast<std::size_t>(network.gradients().size())));
    const Tensor upstream = Tensor::from_host(context.device(), dy, network.output(0).shape);
    const ConstTensorView from = upstream.view();
    std::vector<Tensor> dx;
    std::vector<TensorView> views;
    for (const Tensor& x : batch_.x()) {
      dx.push_back(Tensor::from_host(
          context.device(), std::vector<float>(static_cast<std::size_t>(x.size()), 5.0f), x.shape()));
      views.push_back(dx.back().view());
    }
    network.backward(context, batch_, std::span(&from, 1), views);
    context.synchronize();
    Gradients out{network.gradients().to_host(), {}};
    for (const Tensor& values : dx) out.x.push_back(values.to_host());
    return out;
  }
  const nn::Batch& batch() const { return batch_; }

  Context context;

 private:
  static nn::NetworkSizes sizes(const nn::NetworkSettings& settings, std::int64_t batch,
                                std::int64_t max_time) {
    nn::NetworkSizes out = declared_sizes(settings);
    out.max_batch = batch;
    for (nn::InputSizes& input : out.inputs) input.max_time = max_time;
    return out;
  }

  nn::NetworkSettings settings_;
  nn::NetworkSizes sizes_;
  HeldBatch batch_;

 public:
  nn::Network network;
};

}  // namespace serval::testing_support
