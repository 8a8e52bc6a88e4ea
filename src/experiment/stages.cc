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

std::vector<train::TaskResult> run_stages(const ExperimentSettings& settings, std::vector<train::Task>& tasks,
                                          const train::CohortOptions& options) {
  const std::vector<int> stage_of = stages_of(settings, tasks);
  const int stages = *std::max_element(stage_of.begin(), stage_of.end()) + 1;
  std::vector<train::TaskResult> results(tasks.size());
  std::map<Place, std::vector<int>> chosen;  // epochs, by the inner folds
  for (int stage = 0; stage < stages; ++stage) {
    std::vector<std::size_t> numbers;
    std::vector<train::Task> now;
    for (std::size_t i = 0; i < tasks.size(); ++i) {
      if (stage_of[i] != stage) continue;
      const auto epochs = chosen.find(place_of(tasks[i]));
      if (tasks[i].inner == 0 && tasks[i].network && epochs != chosen.end() &&
          settings.train.select == train::Select::kBestValidation)
        tasks[i].stop_epoch = middle_epoch(epochs->second);
      numbers.push_back(i);
      now.push_back(tasks[i]);
    }
    if (now.empty()) continue;
    std::vector<train::TaskResult> done = train::run_cohort(now, options);
    for (std::size_t i = 0; i < done.size(); ++i) {
      const train::Task& task = tasks[numbers[i]];
      if (task.inner > 0) chosen[place_of(task)].push_back(done[i].selected_epoch);
      results[numbers[i]] = std::move(done[i]);
    }
  }
  return results;
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
