#include "stages.h"

#include <algorithm>
#include <map>
#include <tuple>

namespace serval::experiment {

namespace {

using Place = std::tuple<std::string, int, std::uint64_t>;  // model, fold, seed
Place place_of(const train::Task& task) { return {task.model, task.fold, task.seed}; }

// [task]
std::vector<int> stages_of(const ExperimentSettings& settings, const std::vector<train::Task>& tasks) {
  std::map<std::string, int> level;
  for (const auto& [name, model] : settings.models) {
    const bool follows = model.initial_weights && !model.initial_weights->model.empty();
    level[name] = follows ? level.at(model.initial_weights->model) + 1 : 0;
  }
  std::vector<int> out;
  for (const train::Task& task : tasks) out.push_back(2 * level.at(task.model) + (task.inner > 0 ? 0 : 1));
  return out;
}

}  // namespace

int middle_epoch(std::vector<int> epochs) {
  const auto middle = epochs.begin() + static_cast<std::ptrdiff_t>(epochs.size() / 2);
  std::nth_element(epochs.begin(), middle, epochs.end());
  return *middle;
}

namespace {

// What a run's stage takes from its earlier stages and leaves to its later ones.
struct Progression {
  std::vector<int> stage_of;                 // [task]
  std::map<Place, std::vector<int>> chosen;  // epochs, by the inner folds
};

train::Task task_now(const StagedRun& run, std::size_t number, const Progression& progression) {
  train::Task task = run.tasks[number];
  const auto epochs = progression.chosen.find(place_of(task));
  if (task.inner == 0 && task.network && epochs != progression.chosen.end() &&
      run.settings.train.select == train::Select::kBestValidation)
    task.stop_epoch = middle_epoch(epochs->second);
  return task;
}

}  // namespace

void run_stages(std::vector<StagedRun>& runs, const train::CohortOptions& options) {
  std::vector<Progression> progressions;
  int last = 0;
  for (StagedRun& run : runs) {
    progressions.push_back({stages_of(run.settings, run.tasks), {}});
    run.results.resize(run.tasks.size());
    for (const int stage : progressions.back().stage_of) last = std::max(last, stage);
  }
  for (int stage = 0; stage <= last; ++stage) {
    std::vector<std::pair<std::size_t, std::size_t>> numbers;  // of run and task
    std::vector<train::Task> now;
    for (std::size_t r = 0; r < runs.size(); ++r) {
      for (std::size_t i = 0; i < runs[r].tasks.size(); ++i) {
        if (progressions[r].stage_of[i] != stage) continue;
        numbers.emplace_back(r, i);
        now.push_back(task_now(runs[r], i, progressions[r]));
      }
    }
    if (now.empty()) continue;
    std::vector<train::TaskResult> done = train::run_cohort(now, options);
    for (std::size_t n = 0; n < done.size(); ++n) {
      const auto [r, i] = numbers[n];
      const train::Task& task = runs[r].tasks[i];
      if (task.inner > 0) progressions[r].chosen[place_of(task)].push_back(done[n].selected_epoch);
      runs[r].results[i] = std::move(done[n]);
    }
  }
}

void keep_outer(std::vector<train::Task>& tasks, std::vector<train::TaskResult>& results) {
  std::map<Place, std::size_t> outer;
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    if (tasks[i].inner == 0) outer[place_of(tasks[i])] = i;
  }
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    if (tasks[i].inner == 0) continue;
    results[outer.at(place_of(tasks[i]))].seconds += results[i].seconds;
  }
  std::size_t kept = 0;
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    if (tasks[i].inner > 0) continue;
    if (kept != i) {
      tasks[kept] = std::move(tasks[i]);
      results[kept] = std::move(results[i]);
    }
    ++kept;
  }
  tasks.resize(kept);
  results.resize(kept);
}

}  // namespace serval::experiment
