// Trains one model on one device, epoch by epoch, and can be stopped and continued between epochs with the
// same bits as if it had never stopped.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "serval/core/context.h"
#include "serval/train/task.h"

namespace serval::train {

class Trainer {
 public:
  // Allocates everything that training needs, but for what an augmentation turns out to need. `context` and `task`
  // must outlive the trainer. `augmentation_threads` may make copies at a time; their number changes no bit.
  Trainer(const Context& context, const Task& task, int augmentation_threads = 1);
  ~Trainer();
  Trainer(const Trainer&) = delete;
  Trainer& operator=(const Trainer&) = delete;

  // Continues from a checkpoint of the same task; false when there is none. A checkpoint of another task
  // (key) or a damaged one throws DataError.
  bool restore(const std::string& path);
  void save(const std::string& path) const;

  bool finished() const;  // all epochs run, or patience exhausted
  const std::vector<Epoch>& history() const;
  // Runs one epoch. Throws AuditError when a copy was made from a recording that is not on the training side of
  // the task's fold, and InterruptedError between two steps when the process was asked to stop; the trainer
  // is then spent, and its last checkpoint is where another continues.
  const Epoch& run_epoch();

  int selected_epoch() const;
  const Lineage& lineage() const;
  const std::vector<std::string>& devices() const;  // those that ran its epochs, see device_label()
  // Scores with the selected weights: [recording][class], the mean over each recording's items. The task has a head of
  // the experiment's classes.
  std::vector<std::vector<float>> predict(const std::vector<std::int64_t>& recordings);
  // What every head says, in the task's order; a task without heads has one.
  std::vector<HeadResult> predict_heads(const std::vector<std::int64_t>& recordings);
  int class_head() const;                // number of the head that predict() reads; -1: none
  std::int64_t parameter_count() const;  // those that are trained
  // Writes how the copies of the epochs so far were made; nothing for a task without augmentation.
  void write_lineage(const std::string& path) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace serval::train
