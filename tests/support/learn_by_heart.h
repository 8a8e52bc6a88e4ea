// Trains a network on one batch, again and again.
#pragma once

#include <algorithm>
#include <vector>

#include "serval/nn/loss.h"
#include "serval/nn/network.h"
#include "serval/nn/optimiser.h"

namespace serval::testing_support {

struct LearntByHeart {
  int steps = 0;  // taken
  float loss =
      0;  // cross-entropy of the last step, the mean over the batch and, for several outputs, over them
  int known = 0;      // rows whose label was the most probable class, in every output
  bool done = false;  // loss below the goal, and all rows known
};

// Adam, until it is done, at most `at_most` steps. Every output gives logits of the same classes.
inline LearntByHeart learn_by_heart(const Context& context, nn::Network& network, const nn::Batch& batch,
                                    const std::vector<std::int32_t>& labels, double learning_rate, float goal,
                                    int at_most) {
  const Device device = context.device();
  const auto rows = static_cast<std::int64_t>(labels.size());
  const std::int64_t classes = network.output_type(0).item[0];
  const std::int64_t trained = network.trained_count();
  const auto device_labels = Array<std::int32_t>::from_host(device, labels);
  std::vector<Tensor> probabilities, dlogits;
  std::vector<ConstTensorView> upstream;
  for (std::size_t i = 0; i < network.output_count(); ++i) {
    probabilities.emplace_back(device, Shape{rows, classes});
    dlogits.emplace_back(device, Shape{rows, classes});
  }
  for (const Tensor& values : dlogits) upstream.push_back(values.view());
  Tensor loss(device, {2});
  Tensor state(device, {2 * trained});  // Adam keeps two numbers a parameter
  Tensor scratch(device, {nn::optimiser_scratch_size(trained)});
  nn::OptimiserArgs adam;
  adam.settings.learning_rate = learning_rate;
  adam.settings.clip_norm = 5;
  LearntByHeart out;
  while (!out.done && out.steps < at_most) {
    ++out.steps;
    network.forward(context, batch, nn::Mode::kTrain,
                    {.seed = 1, .step = static_cast<std::uint32_t>(out.steps)});
    loss.assign({0, 0});
    for (std::size_t i = 0; i < network.output_count(); ++i) {
      nn::SoftmaxCrossEntropyArgs args;
      args.batch = rows;
      args.classes = classes;
      args.logits = network.output(i);
      args.labels = device_labels.view();
      args.probabilities = probabilities[i].view();
      args.dlogits = dlogits[i].view();
      args.loss = loss.view();
      run<nn::SoftmaxCrossEntropy>(context, args);
    }
    network.backward(context, batch, upstream);
    adam.step = out.steps;
    adam.parameters = network.parameters().view(0, {trained});
    adam.gradients = network.gradients().view(0, {trained});
    adam.state = state.view();
    adam.scratch = scratch.view();
    run<nn::OptimiserStep>(context, adam);
    context.synchronize();
    const std::vector<float> sums = loss.to_host();
    out.loss = sums[0] / sums[1];
    std::vector<bool> known(labels.size(), true);
    for (const Tensor& of_output : probabilities) {
      const std::vector<float> host = of_output.to_host();
      for (std::size_t b = 0; b < labels.size(); ++b) {
        const auto first = host.begin() + static_cast<std::ptrdiff_t>(b) * classes;
        known[b] = known[b] && std::max_element(first, first + classes) - first == labels[b];
      }
    }
    out.known = static_cast<int>(std::count(known.begin(), known.end(), true));
    out.done = out.loss < goal && out.known == static_cast<int>(labels.size());
  }
  return out;
}

}  // namespace serval::testing_support
