#include "learner_task.h"

#include "serval/core/log.h"
#include "serval/nn/device_label.h"
#include "serval/train/fitted_learner.h"

namespace serval::train {

std::vector<float> vectors_of(const Task& task, const std::vector<std::int64_t>& recordings) {
  const std::vector<float> values = task.data().values.to_host();
  const std::int64_t columns = task.data().feature;
  std::vector<float> out;
  for (const std::int64_t recording : recordings) {
    SERVAL_CHECK(task.data().frames(recording) == 1, "a learner reads one vector, recording ", recording,
                 " has ", task.data().frames(recording));
    const auto row = values.begin() + task.data().offsets[static_cast<std::size_t>(recording)] * columns;
    out.insert(out.end(), row, row + columns);
  }
  return out;
}

TaskResult run_learner(const Task& task) {
  const double started_s = monotonic_s();
  const FittedLearner learner = fit_learner(task);
  write_learner(task.folder + "/learner.h5", task, learner);
  const auto scores = [&](const std::vector<std::int64_t>& side) {
    const std::vector<float> rows = vectors_of(task, side);
    return learner.scores({rows.data(), static_cast<std::int64_t>(side.size()), task.data().feature});
  };
  TaskResult result;
  result.model = task.model;
  result.fold = task.fold;
  result.seed = task.seed;
  result.inner = task.inner;
  result.lineage.trained_on = task.sides.train;
  result.recordings = task.sides.test;
  result.probabilities = scores(task.sides.test);
  result.validation = task.sides.validation;
  result.validation_probabilities = scores(task.sides.validation);
  result.devices = {nn::device_label(Device{})};  // a learner fits on the host wherever the features lie
  result.seconds = monotonic_s() - started_s;
  return result;
}

}  // namespace serval::train
