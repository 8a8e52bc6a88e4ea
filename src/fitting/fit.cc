#include "serval/fitting/fit.h"

#include <algorithm>

#include "serval/core/error.h"
#include "serval/learners/step.h"

#include "fitters.h"

namespace serval::fitting {

using learners::LearnerType;
using learners::StepType;

namespace {

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

// They are learned by heart.
LearnerState fit_neighbours(const LearnerSettings& settings, const Rows& x, Labels labels, int classes) {
  if (settings.neighbours > x.count) {
    throw ConfigError(cat("nearest_neighbours: ", settings.neighbours, " neighbours, but there are ", x.count,
                          " recordings to train on"));
  }
  LearnerState out;
  out.floats["samples"] = {{x.count, x.columns}, {x.values, x.values + x.count * x.columns}};
  out.integers["labels"] = {{x.count}, {labels.begin(), labels.end()}};
  out.set("classes", classes);
  out.set("neighbours", settings.neighbours);
  return out;
}

LearnerState fit_model(const LearnerSettings& settings, const Rows& x, Labels labels, int classes,
                       std::uint64_t seed) {
  switch (settings.type) {
    case LearnerType::kLinearSvm:
    case LearnerType::kLogistic:
      return fit_linear(settings, x, labels, classes);
    case LearnerType::kRbfSvm:
      return fit_rbf_svm(settings, x, labels, classes);
    case LearnerType::kRandomForest:
      return fit_forest(settings, x, labels, classes, seed);
    case LearnerType::kNearestNeighbours:
      return fit_neighbours(settings, x, labels, classes);
  }
  throw InternalError("an unknown learner");
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

LearnerState fit(const LearnerSettings& settings, const Rows& x, Labels labels, int classes,
                 std::uint64_t seed) {
  check_rows(x, labels, classes);
  LearnerState out;
  std::vector<float> values;
  Rows now = x;
  for (std::size_t i = 0; i < settings.steps.size(); ++i) {
    const StepSettings& step = settings.steps[i];
    LearnerState own = step.type == StepType::kPca ? fit_pca(step, now) : fit_k_means(step, now, seed);
    const std::unique_ptr<learners::Step> fitted = learners::restore_step(step, own);
    values = fitted->apply(now);
    now = {values.data(), x.count, fitted->columns()};
    out.put(cat("step", i), std::move(own));
  }
  out.put("model", fit_model(settings, now, labels, classes, seed));
  return out;
}

}  // namespace serval::fitting
