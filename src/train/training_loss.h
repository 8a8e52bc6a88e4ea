// The loss of a network's outputs as train/loss_settings.h describes it, its gradients, and the scores that follow from
// the outputs.
#pragma once

#include <span>
#include <vector>

#include "serval/nn/network.h"
#include "serval/train/task.h"

namespace serval::train {

class TrainingLoss {
 public:
  // The task's network with the outputs that the loss reads: those of the branches, or the network's own, and behind
  // them the layer of the center loss.
  static nn::NetworkSettings network_of(const Task& task);

  // `network` was made from network_of(task). Throws ConfigError when an output does not fit.
  TrainingLoss(const Context& context, const Task& task, const nn::Network& network,
               const std::vector<float>& class_weights, std::int64_t max_batch);

  bool wants_targets() const { return wants_targets_; }

  struct Rows {
    std::int64_t count = 0;
    View<const std::int32_t> labels = {};  // [count]
    ConstTensorView targets = {};          // [count, classes], where it wants them
  };
  // After a forward of these rows. Writes their probabilities [count, classes] and adds to the sums; with `training`,
  // makes the gradients too and moves the centres.
  void run(const Context& context, const nn::Network& network, const Rows& rows, TensorView probabilities,
           bool training);
  std::span<const ConstTensorView> gradients() const { return gradients_; }

  void clear(const Context& context);         // the sums
  double mean(const Context& context) const;  // over the rows since then

  Tensor& centers() { return centers_; }  // [classes, width]; empty without center loss

 private:
  void run_output(const Context& context, std::size_t output, ConstTensorView y, const Rows& rows,
                  TensorView probabilities, bool training);

  LossSettings settings_;
  std::int64_t classes_ = 0;
  bool wants_targets_ = false;
  std::vector<float> factors_;  // of the outputs
  Tensor class_weights_, sums_, center_sums_, centers_;
  Tensor mean_output_, branch_probabilities_;  // [max_batch, classes], with several branches
  std::vector<Tensor> dy_;                     // of every output
  std::vector<ConstTensorView> gradients_;
};

}  // namespace serval::train
