#include "serval/train/cohort.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdio>
#include <memory>
#include <optional>
#include <utility>

#include "serval/core/files.h"
#include "serval/core/interrupt.h"
#include "serval/core/log.h"
#include "serval/core/parallel.h"
#include "serval/train/task_result.h"
#include "serval/train/trainer.h"

#include "learner_task.h"
#include "memory_gate.h"

namespace serval::train {

namespace {

// One small network leaves most of a GPU idle; so several share it, each with its own stream. With more than these a large
// GPU gains nothing, whatever the network.
constexpr int kModelsPerGpu = 16;
// What libraries take for a model, beside what it allocates itself, and what stays free for others.
constexpr std::int64_t kGpuOverheadBytes = std::int64_t{32} << 20;
constexpr double kShareOfFree = 0.9;

std::string describe_task(const Task& task) {
  return cat(task.model, " fold ", task.fold + 1, task.inner > 0 ? cat(" inner ", task.inner) : "", " seed ",
             task.seed);
}

std::string note(const Task& task, const Epoch& epoch) {
  char scores[96];
  if (task.sides.validation.empty()) {
    std::snprintf(scores, sizeof scores, " epoch %d loss %.3f", epoch.epoch, epoch.train_loss);
  } else if (std::isnan(epoch.validation_uar)) {
    std::snprintf(scores, sizeof scores, " epoch %d loss %.3f validation CCC %.3f", epoch.epoch,
                  epoch.train_loss, epoch.validation_ccc);
  } else {
    std::snprintf(scores, sizeof scores, " epoch %d loss %.3f validation UAR %.1f %%", epoch.epoch,
                  epoch.train_loss, 100 * epoch.validation_uar);
  }
  return describe_task(task) + scores;
}

// A trainer with the context it works in.
struct Training {
  Training(const Task& task, const CohortOptions& options, int beside, int augmentation_threads)
      : context(options.device, {.beside = beside, .arithmetic = task.settings.arithmetic()}),
        copies(context),
        trainer(context, task, augmentation_threads) {}
  const Context context;
  const OwnCopies copies;
  Trainer trainer;
};

// How many of these models train side by side, at most. Classical ones fit on the host, whatever the device.
int most_models(const std::vector<Task>& tasks, const std::vector<std::size_t>& open,
                const CohortOptions& options) {
  const TrainSettings& settings = tasks[open.front()].settings;
  if (!settings.parallel_models.empty()) return static_cast<int>(settings.parallel_models.front());
  const bool networks =
      std::any_of(open.begin(), open.end(), [&](std::size_t i) { return tasks[i].network.has_value(); });
  return options.device.kind == DeviceKind::kCuda && networks ? kModelsPerGpu : options.threads;
}

// history.csv while the model trains. Epochs can be quicker than a disk, so it is written about once a second.
class LiveHistory {
 public:
  LiveHistory(const Task& task, const Trainer& trainer) : task_(task), trainer_(trainer) { write(); }
  void epoch_done() {
    if (monotonic_s() - written_s_ >= 1) write();
  }

 private:
  void write() {
    write_history(task_, trainer_.history());
    written_s_ = monotonic_s();
  }
  const Task& task_;
  const Trainer& trainer_;
  double written_s_ = 0;
};

// What all share.
struct Cohort {
  const CohortOptions& options;
  int beside = 1;                // models at a time
  int augmentation_threads = 1;  // of each
  MemoryGate gate;
  Progress progress;
  std::atomic<bool> stop{false};

  std::unique_ptr<Training> admit(MemoryGate::Place& place, const Task& task) {
    try {
      return gate.admit(place, task.model, [&] {
        return std::make_unique<Training>(task, options, beside, augmentation_threads);
      });
    } catch (const OutOfMemoryError& e) {
      throw OutOfMemoryError(cat("model ", task.model, " does not fit into memory alone: ", e.what(),
                                 "; lower train.batch_size (now ", task.settings.batch_size,
                                 "), or make the network or its inputs smaller"));
    }
  }
};

// None when `stop` cut it short; its checkpoint is on disk then.
std::optional<TaskResult> run_task(const Task& task, Cohort& cohort) {
  Progress& progress = cohort.progress;
  const std::atomic<bool>& stop = cohort.stop;
  if (stop) return std::nullopt;
  make_folder(task.folder);
  if (task.learner) {
    TaskResult result = run_learner(task);
    write_task_result(task, result);
    progress.advance(1, describe_task(task));
    return result;
  }
  const std::string checkpoint = task.folder + "/checkpoint.h5";
  MemoryGate::Place place(cohort.gate);
  const std::unique_ptr<Training> training = cohort.admit(place, task);
  Trainer& trainer = training->trainer;
  if (trainer.restore(checkpoint)) {
    progress.advance(static_cast<std::int64_t>(trainer.history().size()));
    log_info(cat(describe_task(task), ": continues after epoch ", trainer.history().size()));
  }
  LiveHistory history(task, trainer);
  const MakeFollower& follow = cohort.options.follow;
  const Follower follower = follow ? follow(task, trainer.history()) : nullptr;
  double saved_s = monotonic_s();
  while (!trainer.finished()) {
    const Epoch& epoch = trainer.run_epoch();
    progress.advance(1, note(task, epoch));
    history.epoch_done();
    if (follower) follower(epoch);
    const bool due = monotonic_s() - saved_s >= task.settings.checkpoint_every_s;
    if (stop || interrupted() || due) {
      trainer.save(checkpoint);
      saved_s = monotonic_s();
    }
    check_interrupted();
    if (stop) return std::nullopt;
  }
  progress.advance(task.epochs() - static_cast<std::int64_t>(trainer.history().size()));
  trainer.save(checkpoint);  // scoring can be interrupted too

  TaskResult result;
  result.model = task.model;
  result.fold = task.fold;
  result.seed = task.seed;
  result.devices = trainer.devices();
  result.selected_epoch = trainer.selected_epoch();
  result.history = trainer.history();
  result.inner = task.inner;
  result.lineage = trainer.lineage();
  result.recordings = task.sides.test;
  std::vector<HeadResult> heads = trainer.predict_heads(task.sides.test);
  for (std::size_t h = 0; h < heads.size(); ++h) {
    if (static_cast<int>(h) == trainer.class_head()) {
      result.probabilities = std::move(heads[h].values);
    } else {
      result.heads.push_back(std::move(heads[h]));
    }
  }
  result.validation = task.sides.validation;
  if (trainer.class_head() >= 0) result.validation_probabilities = trainer.predict(result.validation);
  result.parameters = trainer.parameter_count();
  for (const Epoch& epoch : result.history) result.seconds += epoch.seconds;
  trainer.write_lineage(task.folder + "/augmentation.csv");
  write_task_result(task, result);
  return result;
}

}  // namespace

std::vector<TaskResult> run_cohort(const std::vector<Task>& tasks, const CohortOptions& options) {
  std::vector<std::optional<TaskResult>> results(tasks.size());
  std::vector<std::size_t> open;
  std::int64_t epochs = 0;
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    results[i] = read_task_result(tasks[i]);
    if (results[i]) continue;
    open.push_back(i);
    epochs += tasks[i].learner ? 1 : tasks[i].epochs();
  }
  if (open.size() < tasks.size())
    log_info(cat(tasks.size() - open.size(), " of ", tasks.size(), " models are already trained"));

  if (!open.empty()) {
    const int beside = std::min(most_models(tasks, open, options), static_cast<int>(open.size()));
    const bool on_gpu = options.device.kind == DeviceKind::kCuda;
    const std::int64_t budget =
        options.memory_bytes > 0 ? options.memory_bytes
                                 : static_cast<std::int64_t>(
                                       kShareOfFree * static_cast<double>(free_memory_bytes(options.device)));
    // Models that train side by side share the threads for their copies.
    Cohort cohort{.options = options,
                  .beside = beside,
                  .augmentation_threads = std::max(1, options.threads / beside),
                  .gate = {budget, on_gpu ? kGpuOverheadBytes : 0},
                  .progress = {"training", epochs}};
    parallel_for(open.size(), beside, [&](std::size_t i) {
      try {
        results[open[i]] = run_task(tasks[open[i]], cohort);
      } catch (...) {
        cohort.stop = true;  // the others save their work and end
        throw;
      }
    });
  }
  std::vector<TaskResult> out;
  for (std::optional<TaskResult>& result : results) out.push_back(std::move(result.value()));
  return out;
}

}  // namespace serval::train
