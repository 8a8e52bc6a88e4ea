#include "learner_task.h"

#include "serval/core/log.h"
#include "serval/learners/learner.h"
#include "serval/nn/device_label.h"

namespace serval::train {

namespace {

// One vector a recording, with the statistics of the fold's training actors taken out.
std::vector<float> normalised(const Task& task, const std::vector<float>& values,
                              const std::vector<std::int64_t>& recordings) {
  const auto columns = static_cast<std::size_t>(task.data().feature);
  std::vector<float> out;
  for (const std::int64_t recording : recordings) {
    const auto r = static_cast<std::size_t>(recording);
    SERVAL_CHECK(task.data().frames(recording) == 1, "a learner reads one vector, recording ", recording,
                 " has ", task.data().frames(recording));
    const float* row = values.data() + static_cast<std::size_t>(task.data().offsets[r]) * columns;
    for (std::size_t c = 0; c < columns; ++c)
      out.push_back((row[c] - task.first().normaliser.mean[c]) * task.first().normaliser.scale[c]);
  }
  return out;
}

}  // namespace

TaskResult run_learner(const Task& task) {
  const double started_s = monotonic_s();
  const std::vector<float> values = task.data().values.to_host();
  const std::vector<float> train = normalised(task, values, task.sides.train);
  const std::vector<float> test = normalised(task, values, task.sides.test);
  std::vector<int> labels;
  for (const std::int64_t r : task.sides.train)
    labels.push_back(task.data().labels[static_cast<std::size_t>(r)]);
  const auto rows = [&](const std::vector<float>& from, const std::vector<std::int64_t>& recordings) {
    return learners::Rows{from.data(), static_cast<std::int64_t>(recordings.size()), task.data().feature};
  };
  const auto learner = learners::fit(*task.learner, rows(train, task.sides.train), labels,
                                     static_cast<int>(task.data().classes), task.seed);
  TaskResult result;
  result.model = task.model;
  result.fold = task.fold;
  result.seed = task.seed;
  result.recordings = task.sides.test;
  result.probabilities = learner->scores(rows(test, task.sides.test));
  result.devices = {nn::device_label(Device{})};  // a learner fits on the host wherever the features lie
  result.seconds = monotonic_s() - started_s;
  return result;
}

}  // namespace serval::train
