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
  // The task's network with the outputs that the loss reads: those of the heads, of the branches, or the network's own,
  // and behind them the layer of the center loss. Throws ConfigError when one does not fit its target.
  static nn::NetworkSettings network_of(const Task& task);

  // `network` was made from network_of(task), `heads` are those of HeadTargets. Throws ConfigError when the layer of
  // the center loss does not fit.
  TrainingLoss(const Context& context, const Task& task, const std::vector<Head>& heads,
               const nn::Network& network, const std::vector<float>& class_weights, std::int64_t max_batch);

  struct Rows {
    std::int64_t count = 0;
    View<const std::int32_t> labels = {};  // [count]
    // Of each head, [count, width]:
    std::vector<ConstTensorView> targets = {};  // empty where it takes labels
    std::vector<TensorView> scores = {};  // written: probabilities of classes, or the numbers themselves
  };
  // After a forward of these rows. Writes their scores and adds to the sums; with `training`, makes the gradients too
  // and moves the centres.
  void run(const Context& context, const nn::Network& network, const Rows& rows, bool training);
  std::span<const ConstTensorView> gradients() const { return gradients_; }

  void clear(const Context& context);         // the sums
  double mean(const Context& context) const;  // over the rows since then

  Tensor& centers() { return centers_; }  // [classes, width]; empty without center loss

 private:
  // One output's share of a head's loss; a head has several when there are branches.
  struct Part {
    std::size_t output = 0;  // of the network
    float factor = 1;
    bool first = true;  // of its head
  };
  struct HeadLoss {
    OutputLoss settings;
    bool numbers = false;
    std::int64_t width = 0;
    std::vector<Part> parts;
    Tensor class_weights;                      // of the experiment's classes; empty: all 1
    Tensor sums;                               // [2]
    Tensor mean_output, branch_probabilities;  // [max_batch, width], with several parts
  };

  void run_head(const Context& context, const nn::Network& network, HeadLoss& head, const Rows& rows,
                std::size_t number, bool training);
  void run_part(const Context& context, HeadLoss& head, const Part& part, ConstTensorView y,
                View<const std::int32_t> labels, ConstTensorView targets, TensorView scores, bool training);
  void run_center(const Context& context, const nn::Network& network, const Rows& rows, bool training);

  CenterSettings center_;
  std::vector<HeadLoss> heads_;
  Tensor center_sums_, centers_;
  std::vector<Tensor> dy_;  // of every output
  std::vector<ConstTensorView> gradients_;
};

}  // namespace serval::train
