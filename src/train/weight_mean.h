// The mean of a network's weights as train/weight_average.h describes it.
#pragma once

#include "serval/nn/network.h"
#include "serval/train/weight_average.h"

namespace serval::train {

class WeightMean {
 public:
  WeightMean(const Context& context, const nn::Network& network, const AveragingSettings& settings);
  void after_step(const Context& context, nn::Network& network);
  void after_epoch(const Context& context, nn::Network& network, int epoch);

  // Puts the mean in the place of the weights, and the weights back. Nothing before there is a mean. Whoever is
  // interrupted in between has a spent network.
  void enter(const Context& context, nn::Network& network);
  void leave(const Context& context, nn::Network& network);

  Tensor& values() { return mean_; }  // [parameter_count]; empty without averaging
  std::int64_t count() const { return count_; }
  void set_count(std::int64_t count) { count_ = count; }  // of a checkpoint

 private:
  AveragingSettings settings_;
  std::int64_t count_ = 0;  // weights in the mean
  Tensor mean_, weights_;
};

}  // namespace serval::train
