#include "serval/learners/learner.h"

#include <algorithm>
#include <cmath>

#include "serval/core/error.h"

#include "models.h"

namespace serval::learners {

namespace {

// The steps, and the model behind them.
class Pipeline : public Learner {
 public:
  Pipeline(std::vector<std::unique_ptr<Step>> steps, std::unique_ptr<Learner> model)
      : steps_(std::move(steps)), model_(std::move(model)) {}

  std::vector<std::vector<float>> scores(const Rows& x) const override {
    std::vector<float> values;
    Rows now = x;
    for (const std::unique_ptr<Step>& step : steps_) {
      values = step->apply(now);
      now = {values.data(), x.count, step->columns()};
    }
    return model_->scores(now);
  }
  LearnerState state() const override {
    LearnerState out;
    for (std::size_t i = 0; i < steps_.size(); ++i) out.put(cat("step", i), steps_[i]->state());
    out.put("model", model_->state());
    return out;
  }

 private:
  std::vector<std::unique_ptr<Step>> steps_;
  std::unique_ptr<Learner> model_;
};

void check_rows(const Rows& x, Labels labels, int classes) {
  SERVAL_CHECK(x.count >= 1 && x.columns >= 1 && static_cast<std::int64_t>(labels.size()) == x.count,
               labels.size(), " labels of ", x.count, " rows with ", x.columns, " columns");
  std::vector<std::int64_t> counts(static_cast<std::size_t>(classes), 0);
  for (const int label : labels) {
    SERVAL_CHECK(label >= 0 && label < classes, "label ", label, " of ", classes);
    ++counts[static_cast<std::size_t>(label)];
  }
  for (std::size_t c = 0; c < counts.size(); ++c) SERVAL_CHECK(counts[c] > 0, "class ", c, " has no row");
}

}  // namespace

std::vector<double> class_weights(bool balanced, Labels labels, int classes) {
  std::vector<double> weights(static_cast<std::size_t>(classes), 1.0);
  if (!balanced) return weights;
  for (int c = 0; c < classes; ++c) {
    const auto count = static_cast<double>(std::count(labels.begin(), labels.end(), c));
    weights[static_cast<std::size_t>(c)] = static_cast<double>(labels.size()) / (classes * count);
  }
  return weights;
}

void softmax(std::vector<double>& values) {
  const double largest = *std::max_element(values.begin(), values.end());
  double sum = 0;
  for (double& value : values) sum += value = std::exp(value - largest);
  for (double& value : values) value /= sum;
}

std::unique_ptr<Learner> fit(const LearnerSettings& settings, const Rows& x, std::span<const int> labels,
                             int classes, std::uint64_t seed) {
  check_rows(x, labels, classes);
  std::vector<std::unique_ptr<Step>> steps;
  std::vector<float> values;
  Rows now = x;
  for (const StepSettings& step : settings.steps) {
    steps.push_back(fit_step(step, now, seed));
    values = steps.back()->apply(now);
    now = {values.data(), x.count, steps.back()->columns()};
  }
  std::unique_ptr<Learner> model;
  switch (settings.type) {
    case LearnerType::kLinearSvm:
    case LearnerType::kLogistic:
      model = fit_linear(settings, now, labels, classes);
      break;
    case LearnerType::kRbfSvm:
      model = fit_rbf_svm(settings, now, labels, classes);
      break;
    case LearnerType::kRandomForest:
      model = fit_forest(settings, now, labels, classes, seed);
      break;
    case LearnerType::kNearestNeighbours:
      model = fit_neighbours(settings, now, labels, classes);
      break;
  }
  return std::make_unique<Pipeline>(std::move(steps), std::move(model));
}

std::unique_ptr<Learner> restore(const LearnerSettings& settings, LearnerState state) {
  std::vector<std::unique_ptr<Step>> steps;
  for (std::size_t i = 0; i < settings.steps.size(); ++i)
    steps.push_back(restore_step(settings.steps[i], state.take(cat("step", i))));
  const LearnerState own = state.take("model");
  std::unique_ptr<Learner> model;
  switch (settings.type) {
    case LearnerType::kLinearSvm:
    case LearnerType::kLogistic:
      model = restore_linear(settings, own);
      break;
    case LearnerType::kRbfSvm:
      model = restore_rbf_svm(own);
      break;
    case LearnerType::kRandomForest:
      model = restore_forest(own);
      break;
    case LearnerType::kNearestNeighbours:
      model = restore_neighbours(own);
      break;
  }
  return std::make_unique<Pipeline>(std::move(steps), std::move(model));
}

}  // namespace serval::learners
