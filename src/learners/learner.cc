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
      : steps_(std::move(steps)), model_(std::move(model)) {
    for (std::size_t i = 0; i < steps_.size(); ++i) {
      const std::int64_t next = i + 1 < steps_.size() ? steps_[i + 1]->inputs() : model_->columns();
      if (steps_[i]->columns() != next) {
        throw DataError(
            cat("the fitted model's step ", i, " gives ", steps_[i]->columns(), " columns to ", next));
      }
    }
  }

  std::int64_t columns() const override {
    return steps_.empty() ? model_->columns() : steps_.front()->inputs();
  }
  std::int64_t classes() const override { return model_->classes(); }
  std::vector<std::vector<float>> scores(const Rows& x) const override {
    SERVAL_CHECK(x.columns == columns(), x.columns, " columns; those of training were ", columns());
    std::vector<float> values;
    Rows now = x;
    for (const std::unique_ptr<Step>& step : steps_) {
      values = step->apply(now);
      now = {values.data(), x.count, step->columns()};
    }
    return model_->scores(now);
  }

 private:
  std::vector<std::unique_ptr<Step>> steps_;
  std::unique_ptr<Learner> model_;
};

std::unique_ptr<Learner> restore_model(const LearnerSettings& settings, const LearnerState& state) {
  switch (settings.type) {
    case LearnerType::kLinearSvm:
    case LearnerType::kLogistic:
      return restore_linear(settings, state);
    case LearnerType::kRbfSvm:
      return restore_rbf_svm(state);
    case LearnerType::kRandomForest:
      return restore_forest(state);
    case LearnerType::kNearestNeighbours:
      return restore_neighbours(state);
  }
  throw InternalError("an unknown learner");
}

}  // namespace

std::vector<float> normalised(const Rows& x, std::span<const float> mean, std::span<const float> scale) {
  SERVAL_CHECK(x.columns == static_cast<std::int64_t>(mean.size()) && mean.size() == scale.size(), x.columns,
               " columns; those of training were ", mean.size());
  std::vector<float> out;
  out.reserve(static_cast<std::size_t>(x.count * x.columns));
  for (std::int64_t r = 0; r < x.count; ++r) {
    const std::span<const float> row = x.row(r);
    for (std::size_t c = 0; c < row.size(); ++c) out.push_back((row[c] - mean[c]) * scale[c]);
  }
  return out;
}

void softmax(std::vector<double>& values) {
  const double largest = *std::max_element(values.begin(), values.end());
  double sum = 0;
  for (double& value : values) sum += value = std::exp(value - largest);
  for (double& value : values) value /= sum;
}

std::vector<std::size_t> class_places(const std::vector<std::int64_t>& labels) {
  std::vector<std::size_t> out;
  for (std::size_t c = 0; c < labels.size(); ++c) {
    const auto found = std::find(labels.begin(), labels.end(), static_cast<std::int64_t>(c));
    if (found == labels.end()) throw DataError(cat("the fitted model's labels have no class ", c));
    out.push_back(static_cast<std::size_t>(found - labels.begin()));
  }
  return out;
}

std::unique_ptr<Step> restore_step(const StepSettings& settings, const LearnerState& state) {
  if (settings.type == StepType::kPca) return restore_pca(settings, state);
  return restore_k_means(settings, state);
}

std::unique_ptr<Learner> restore(const LearnerSettings& settings, LearnerState state) {
  std::vector<std::unique_ptr<Step>> steps;
  for (std::size_t i = 0; i < settings.steps.size(); ++i)
    steps.push_back(restore_step(settings.steps[i], state.take(cat("step", i))));
  return std::make_unique<Pipeline>(std::move(steps), restore_model(settings, state.take("model")));
}

}  // namespace serval::learners
