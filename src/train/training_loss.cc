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

std::string head_problem(const nn::NetworkSettings& network, const nn::NetworkSizes& sizes,
                         const std::string& output, const Target& target) {
  nn::NetworkSettings one = network;
  if (!output.empty()) one.outputs = {output};
  if (target.kind == TargetKind::kExperimentClasses) return nn::classifier_problem(one, sizes);
  const bool numbers = target.of_numbers();
  return nn::output_problem(one, sizes,
                            {.width = target.width(),
                             .logits = !numbers,
                             .wanted = cat("target \"", target.name, "\" has ", target.width(),
                                           numbers ? " numbers: " : " classes: ", join(target.names, ", "))});
}

nn::NetworkSettings TrainingLoss::network_of(const Task& task) {
  nn::NetworkSettings network = task.network.value();
  const LossSettings& loss = task.settings.loss;
  const auto add = [&](const std::string& output, const Target& target, const std::string& place) {
    const std::string problem = head_problem(*task.network, any_sizes(task), output, target);
    if (!problem.empty()) throw ConfigError(cat("model ", task.model, ": ", place, ": ", problem));
    if (!output.empty()) network.outputs.push_back(output);
  };
  if (!loss.branches.empty()) {
    network.outputs.clear();
    for (const BranchSettings& branch : loss.branches)
      add(branch.output, task.heads.empty() ? Target{} : *task.heads.front().target, "train.loss.branches");
  } else if (!task.heads.empty()) {
    if (!task.heads.front().output.empty()) network.outputs.clear();
    for (const Head& head : task.heads)
      add(head.output, *head.target, head.output.empty() ? "target" : cat("heads.", head.output));
  }
  if (!loss.center.layer.empty()) {
    if (network.outputs.empty())
      network.outputs.push_back(nn::layer_name(network, network.layers.size() - 1));
    network.outputs.push_back(loss.center.layer);
  }
  return network;
}

TrainingLoss::TrainingLoss(const Context& context, const Task& task, const std::vector<Head>& heads,
                           const nn::Network& network, const std::vector<float>& class_weights,
                           std::int64_t max_batch)
    : center_(task.settings.loss.center) {
  const Device device = context.device();
  const std::vector<BranchSettings>& branches = task.settings.loss.branches;
  SERVAL_CHECK(branches.empty() || (heads.size() == 1 && !heads.front().target->of_numbers()),
               "branches beside ", heads.size(), " heads");
  dy_.resize(network.output_count());
  gradients_.resize(network.output_count());
  for (const Head& head : heads) {
    HeadLoss& own = heads_.emplace_back();
    own.settings = head.loss;
    own.numbers = head.target->of_numbers();
    own.width = head.target->width();
    if (branches.empty()) {
      own.parts.push_back({.output = heads_.size() - 1, .factor = static_cast<float>(head.weight)});
    }
    for (std::size_t i = 0; i < branches.size(); ++i)
      own.parts.push_back({i, static_cast<float>(branches[i].weight), i == 0});
    if (head.target->kind == TargetKind::kExperimentClasses)
      own.class_weights = Tensor::from_host(device, class_weights);
    own.sums = Tensor(device, {2});
    for (const Part& part : own.parts) dy_[part.output] = Tensor(device, {max_batch, own.width});
    if (own.parts.size() > 1) {
      own.mean_output = Tensor(device, {max_batch, own.width});
      own.branch_probabilities = Tensor(device, {max_batch, own.width});
    }
  }
  if (center_.layer.empty()) return;
  const nn::ValueType& type = network.output_type(network.output_count() - 1);
  if (type.sequence() || type.item.rank() != 1) {
    throw ConfigError(cat("model ", task.model, ": train.loss.center.layer \"", center_.layer, "\" gives ",
                          nn::to_string(type), "; it needs one vector a recording"));
  }
  center_sums_ = Tensor(device, {2});
  centers_ = Tensor(device, {task.data().classes, type.item[0]});
  dy_.back() = Tensor(device, {max_batch, type.item[0]});
}

void TrainingLoss::run(const Context& context, const nn::Network& network, const Rows& rows, bool training) {
  for (std::size_t h = 0; h < heads_.size(); ++h) run_head(context, network, heads_[h], rows, h, training);
  if (centers_.size() > 0) run_center(context, network, rows, training);
}

void TrainingLoss::run_head(const Context& context, const nn::Network& network, HeadLoss& head,
                            const Rows& rows, std::size_t number, bool training) {
  const ConstTensorView targets = rows.targets[number];
  const TensorView scores = rows.scores[number];
  if (head.parts.size() == 1) {
    const Part& part = head.parts.front();
    return run_part(context, head, part, network.output(part.output), rows.labels, targets, scores, training);
  }
  const Shape shape{rows.count, head.width};
  float total = 0;
  for (const Part& part : head.parts) total += part.factor;
  const TensorView mean = head.mean_output.view(0, shape);
  for (const Part& part : head.parts) {
    const ConstTensorView y = network.output(part.output);
    run_part(context, head, part, y, rows.labels, targets, head.branch_probabilities.view(0, shape),
             training);
    serval::run<nn::BlendInto>(
        context, nn::BlendIntoArgs{
                     .from = y, .to = mean, .share = part.factor / total, .keep = part.first ? 0.0f : 1.0f});
  }
  serval::run<nn::Softmax>(context, nn::SoftmaxArgs{rows.count, head.width, mean, scores});
}

void TrainingLoss::run_center(const Context& context, const nn::Network& network, const Rows& rows,
                              bool training) {
  const ConstTensorView x = network.output(network.output_count() - 1);
  const std::int64_t width = centers_.shape()[1];
  const TensorView dx = training ? dy_.back().view(0, {rows.count, width}) : TensorView{};
  serval::run<nn::CenterLoss>(context, nn::CenterLossArgs{.batch = rows.count,
                                                          .width = width,
                                                          .x = x,
                                                          .centers = centers_.view(),
                                                          .labels = rows.labels,
                                                          .dx = dx,
                                                          .loss = center_sums_.view(),
                                                          .factor = static_cast<float>(center_.factor)});
  if (!training) return;
  gradients_.back() = dx;
  serval::run<nn::CenterUpdate>(context, nn::CenterUpdateArgs{.batch = rows.count,
                                                              .width = width,
                                                              .x = x,
                                                              .labels = rows.labels,
                                                              .centers = centers_.view(),
                                                              .rate = static_cast<float>(center_.rate)});
}

void TrainingLoss::run_part(const Context& context, HeadLoss& head, const Part& part, ConstTensorView y,
                            View<const std::int32_t> labels, ConstTensorView targets, TensorView scores,
                            bool training) {
  const std::int64_t count = y.shape[0];
  const TensorView dy = training ? dy_[part.output].view(0, {count, head.width}) : TensorView{};
  gradients_[part.output] = dy;
  if (head.settings.of_classes()) {
    nn::SoftmaxCrossEntropyArgs args;
    args.batch = count;
    args.classes = head.width;
    args.logits = y;
    args.labels = labels;
    args.targets = targets;
    args.class_weights = head.class_weights.view();
    args.probabilities = scores;
    args.dlogits = dy;
    args.loss = head.sums.view();
    args.label_smoothing = static_cast<float>(head.settings.label_smoothing);
    args.gamma = head.settings.type == LossType::kFocal ? static_cast<float>(head.settings.gamma) : 0.0f;
    args.factor = part.factor;
    args.count_rows = part.first;
    return serval::run<nn::SoftmaxCrossEntropy>(context, args);
  }
  const nn::ValueLossArgs args{.batch = count,
                               .width = head.width,
                               .y = y,
                               .targets = targets,
                               .dy = dy,
                               .loss = head.sums.view(),
                               .factor = part.factor,
                               .count_rows = part.first};
  if (head.settings.type == LossType::kMeanSquare) {
    serval::run<nn::MeanSquareLoss>(context, nn::MeanSquareLossArgs{args});
  } else {
    serval::run<nn::ConcordanceLoss>(context, nn::ConcordanceLossArgs{args});
  }
  if (head.numbers) {
    serval::run<nn::BlendInto>(context, nn::BlendIntoArgs{.from = y, .to = scores});
  } else {
    serval::run<nn::Softmax>(context, nn::SoftmaxArgs{count, head.width, y, scores});
  }
}

void TrainingLoss::clear(const Context& context) {
  for (HeadLoss& head : heads_) serval::run<nn::FillZero>(context, head.sums.view());
  if (centers_.size() > 0) serval::run<nn::FillZero>(context, center_sums_.view());
}

double TrainingLoss::mean(const Context& context) const {
  context.synchronize();
  double out = 0;
  const auto add = [&out](const Tensor& tensor) {
    const std::vector<float> sums = tensor.to_host();
    if (sums[1] > 0) out += static_cast<double>(sums[0]) / static_cast<double>(sums[1]);
  };
  for (const HeadLoss& head : heads_) add(head.sums);
  if (centers_.size() > 0) add(center_sums_);
  return out;
}

}  // namespace serval::train
