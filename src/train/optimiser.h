// The optimiser of one network, with what it keeps between steps.
#pragma once

#include "serval/nn/network.h"
#include "serval/train/settings.h"

namespace serval::train {

class Optimiser {
 public:
  Optimiser(const Context& context, const nn::Network& network, const TrainSettings& settings);
  // Moves what is trained along its gradients, which become 0. `step` counts from 1.
  void step(const Context& context, nn::Network& network, double learning_rate, std::int64_t step);

  Tensor& state() { return state_; }  // [slots, trained]

 private:
  nn::OptimiserSettings settings_;
  std::int64_t trained_ = 0;
  Tensor state_, scratch_;
};

}  // namespace serval::train
