#include "head_targets.h"

#include <algorithm>
#include <utility>

#include "serval/core/error.h"

namespace serval::train {

namespace {

// The class labels, as a task without heads has them.
Head only_head(const Task& task) {
  auto target = std::make_shared<Target>();
  target->names.resize(static_cast<std::size_t>(task.data().classes));
  target->labels = task.data().labels;
  return {.output = "", .target = std::move(target), .loss = task.settings.loss};
}

std::vector<float> rows_of(const Head& head) {
  const Target& target = *head.target;
  const auto width = static_cast<std::size_t>(target.width());
  std::vector<float> rows = target.rows;
  if (rows.empty()) {
    rows.assign(target.labels.size() * width, 0.0f);
    for (std::size_t r = 0; r < target.labels.size(); ++r)
      rows[r * width + static_cast<std::size_t>(target.labels[r])] = 1;
  }
  if (head.scaling.mean.empty()) return rows;
  for (std::size_t i = 0; i < rows.size(); ++i)
    rows[i] = (rows[i] - head.scaling.mean[i % width]) * head.scaling.scale[i % width];
  return rows;
}

}  // namespace

HeadTargets::HeadTargets(const Task& task)
    : heads_(task.heads.empty() ? std::vector<Head>{only_head(task)} : task.heads) {
  const bool mixed = task.settings.augment_batch.mixup_alpha > 0;
  for (const Head& head : heads_) {
    const Target& target = *head.target;
    const bool labels =
        target.kind == TargetKind::kExperimentClasses && target.rows.empty() && head.loss.of_classes();
    SERVAL_CHECK(target.of_numbers() ? !head.loss.of_classes() : head.loss.type != LossType::kConcordance,
                 "target ", target.name, " with loss ", to_string(head.loss.type));
    wants_rows_.push_back(mixed || !labels);
    rows_.push_back(wants_rows_.back() ? rows_of(head) : std::vector<float>());
  }
}

std::vector<std::int64_t> HeadTargets::widths() const {
  std::vector<std::int64_t> out;
  for (const Head& head : heads_) out.push_back(head.target->width());
  return out;
}

int HeadTargets::class_head() const {
  for (std::size_t h = 0; h < heads_.size(); ++h) {
    if (heads_[h].target->kind == TargetKind::kExperimentClasses) return static_cast<int>(h);
  }
  return -1;
}

void HeadTargets::fill(EpochPlan& plan, std::span<const std::int64_t> origins) const {
  plan.targets.assign(heads_.size(), {});
  for (std::size_t h = 0; h < heads_.size(); ++h) {
    if (!wants_rows_[h]) continue;
    const auto width = static_cast<std::size_t>(heads_[h].target->width());
    plan.targets[h].resize(plan.recordings.size() * width);
    for (std::size_t i = 0; i < plan.recordings.size(); ++i) {
      const auto recording = static_cast<std::size_t>(plan.recordings[i]);
      const std::size_t from = origins.empty() ? recording : static_cast<std::size_t>(origins[recording]);
      std::copy_n(rows_[h].data() + from * width, width, plan.targets[h].data() + i * width);
    }
  }
}

void HeadTargets::to_unit(std::size_t head, std::vector<std::vector<float>>& values) const {
  const folds::Normaliser& scaling = heads_[head].scaling;
  if (scaling.mean.empty()) return;
  for (std::vector<float>& row : values) {
    for (std::size_t k = 0; k < row.size(); ++k) {
      row[k] = static_cast<float>(static_cast<double>(row[k]) / static_cast<double>(scaling.scale[k]) +
                                  static_cast<double>(scaling.mean[k]));
    }
  }
}

HeadScores score_head(const Target& target, const std::vector<std::int64_t>& recordings,
                      const std::vector<std::vector<float>>& values) {
  HeadScores out;
  if (!target.of_numbers()) {
    std::vector<int> truth, predicted;
    for (std::size_t i = 0; i < recordings.size(); ++i) {
      truth.push_back(target.labels[static_cast<std::size_t>(recordings[i])]);
      predicted.push_back(
          static_cast<int>(std::max_element(values[i].begin(), values[i].end()) - values[i].begin()));
    }
    out.classes = evaluate::score(truth, predicted, static_cast<int>(target.width()));
    return out;
  }
  const auto width = static_cast<std::size_t>(target.width());
  for (std::size_t k = 0; k < width; ++k) {
    std::vector<double> truth, predicted;
    for (std::size_t i = 0; i < recordings.size(); ++i) {
      const auto r = static_cast<std::size_t>(recordings[i]);
      truth.push_back(static_cast<double>(target.rows[r * width + k]));
      predicted.push_back(static_cast<double>(values[i][k]));
    }
    out.numbers.push_back(evaluate::score_numbers(truth, predicted));
  }
  return out;
}

}  // namespace serval::train
