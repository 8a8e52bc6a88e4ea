#include "training_loss.h"

#include "serval/core/error.h"
#include "serval/nn/activate.h"
#include "serval/nn/blend.h"
#include "serval/nn/center_loss.h"
#include "serval/nn/loss.h"
#include "serval/nn/pointwise.h"
#include "serval/nn/value_loss.h"

#include "task_sizes.h"

namespace serval::train {

nn::NetworkSettings TrainingLoss::network_of(const Task& task) {
  nn::NetworkSettings network = task.network.value();
  const LossSettings& loss = task.settings.loss;
  if (!loss.branches.empty()) {
    network.outputs.clear();
    for (const BranchSettings& branch : loss.branches) {
      network.outputs.push_back(branch.output);
      nn::NetworkSettings one = network;
      one.outputs = {branch.output};
      const std::string problem = nn::classifier_problem(one, any_sizes(task));
      if (!problem.empty()) throw ConfigError(cat("model ", task.model, ": train.loss.branches: ", problem));
    }
  }
  if (!loss.center.layer.empty()) {
    if (network.outputs.empty()) {
      const std::string& last = network.layers.back().name;
      network.outputs.push_back(last.empty() ? cat("layer", network.layers.size() - 1) : last);
    }
    network.outputs.push_back(loss.center.layer);
  }
  return network;
}

TrainingLoss::TrainingLoss(const Context& context, const Task& task, const nn::Network& network,
                           const std::vector<float>& class_weights, std::int64_t max_batch)
    : settings_(task.settings.loss),
      classes_(task.data().classes),
      wants_targets_(!settings_.of_classes() || !task.data().targets.empty() ||
                     task.settings.augment_batch.mixup_alpha > 0) {
  const Device device = context.device();
  for (const BranchSettings& branch : settings_.branches)
    factors_.push_back(static_cast<float>(branch.weight));
  if (factors_.empty()) factors_.push_back(1);
  class_weights_ = Tensor::from_host(device, class_weights);
  sums_ = Tensor(device, {2});
  center_sums_ = Tensor(device, {2});
  dy_.resize(network.output_count());
  gradients_.resize(network.output_count());
  for (std::size_t i = 0; i < factors_.size(); ++i) dy_[i] = Tensor(device, {max_batch, classes_});
  if (factors_.size() > 1) {
    mean_output_ = Tensor(device, {max_batch, classes_});
    branch_probabilities_ = Tensor(device, {max_batch, classes_});
  }
  if (settings_.center.layer.empty()) return;
  const nn::ValueType& type = network.output_type(network.output_count() - 1);
  if (type.sequence() || type.item.rank() != 1) {
    throw ConfigError(cat("model ", task.model, ": train.loss.center.layer \"", settings_.center.layer,
                          "\" gives ", nn::to_string(type), "; it needs one vector a recording"));
  }
  centers_ = Tensor(device, {classes_, type.item[0]});
  dy_.back() = Tensor(device, {max_batch, type.item[0]});
}

void TrainingLoss::run(const Context& context, const nn::Network& network, const Rows& rows,
                       TensorView probabilities, bool training) {
  const Shape shape{rows.count, classes_};
  if (factors_.size() == 1) {
    run_output(context, 0, network.output(0), rows, probabilities, training);
  } else {
    float total = 0;
    for (const float factor : factors_) total += factor;
    const TensorView mean = mean_output_.view(0, shape);
    for (std::size_t i = 0; i < factors_.size(); ++i) {
      run_output(context, i, network.output(i), rows, branch_probabilities_.view(0, shape), training);
      serval::run<nn::BlendInto>(context, nn::BlendIntoArgs{.from = network.output(i),
                                                            .to = mean,
                                                            .share = factors_[i] / total,
                                                            .keep = i == 0 ? 0.0f : 1.0f});
    }
    serval::run<nn::Softmax>(context, nn::SoftmaxArgs{rows.count, classes_, mean, probabilities});
  }
  if (centers_.size() == 0) return;
  const ConstTensorView x = network.output(network.output_count() - 1);
  const std::int64_t width = centers_.shape()[1];
  const TensorView dx = training ? dy_.back().view(0, {rows.count, width}) : TensorView{};
  serval::run<nn::CenterLoss>(context,
                              nn::CenterLossArgs{.batch = rows.count,
                                                 .width = width,
                                                 .x = x,
                                                 .centers = centers_.view(),
                                                 .labels = rows.labels,
                                                 .dx = dx,
                                                 .loss = center_sums_.view(),
                                                 .factor = static_cast<float>(settings_.center.factor)});
  if (!training) return;
  gradients_.back() = dx;
  serval::run<nn::CenterUpdate>(context,
                                nn::CenterUpdateArgs{.batch = rows.count,
                                                     .width = width,
                                                     .x = x,
                                                     .labels = rows.labels,
                                                     .centers = centers_.view(),
                                                     .rate = static_cast<float>(settings_.center.rate)});
}

void TrainingLoss::run_output(const Context& context, std::size_t output, ConstTensorView y, const Rows& rows,
                              TensorView probabilities, bool training) {
  const TensorView dy = training ? dy_[output].view(0, {rows.count, classes_}) : TensorView{};
  gradients_[output] = dy;
  if (settings_.of_classes()) {
    nn::SoftmaxCrossEntropyArgs args;
    args.batch = rows.count;
    args.classes = classes_;
    args.logits = y;
    args.labels = rows.labels;
    args.targets = rows.targets;
    args.class_weights = class_weights_.view();
    args.probabilities = probabilities;
    args.dlogits = dy;
    args.loss = sums_.view();
    args.label_smoothing = static_cast<float>(settings_.label_smoothing);
    args.gamma = settings_.type == LossType::kFocal ? static_cast<float>(settings_.gamma) : 0.0f;
    args.factor = factors_[output];
    args.count_rows = output == 0;
    return serval::run<nn::SoftmaxCrossEntropy>(context, args);
  }
  const nn::ValueLossArgs args{.batch = rows.count,
                               .width = classes_,
                               .y = y,
                               .targets = rows.targets,
                               .dy = dy,
                               .loss = sums_.view(),
                               .factor = factors_[output],
                               .count_rows = output == 0};
  if (settings_.type == LossType::kMeanSquare) {
    serval::run<nn::MeanSquareLoss>(context, nn::MeanSquareLossArgs{args});
  } else {
    serval::run<nn::ConcordanceLoss>(context, nn::ConcordanceLossArgs{args});
  }
  serval::run<nn::Softmax>(context, nn::SoftmaxArgs{rows.count, classes_, y, probabilities});
}

void TrainingLoss::clear(const Context& context) {
  serval::run<nn::FillZero>(context, sums_.view());
  serval::run<nn::FillZero>(context, center_sums_.view());
}

double TrainingLoss::mean(const Context& context) const {
  context.synchronize();
  double out = 0;
  for (const Tensor* tensor : {&sums_, &center_sums_}) {
    const std::vector<float> sums = tensor->to_host();
    if (sums[1] > 0) out += static_cast<double>(sums[0]) / static_cast<double>(sums[1]);
  }
  return out;
}

}  // namespace serval::train
