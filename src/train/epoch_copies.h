// What an epoch with augmented copies trains on: the task's recordings and, behind them, their copies.
#pragma once

#include <span>
#include <vector>

#include "serval/train/augmentation.h"
#include "serval/train/task.h"

namespace serval::train {

class EpochCopies {
 public:
  // Checks the copies and puts them behind the recordings of the task. Throws AuditError when one was made from a
  // recording that is not on the training side. `items` are the task's own, of each input.
  void take(const Context& context, const Task& task, std::span<const Items> items, Copies made);

  bool empty() const { return recordings_.empty(); }
  const TrainingData& data() const { return data_; }  // labels and corpora alone
  std::span<const Items> items() const { return items_; }
  const std::vector<std::int64_t>& recordings() const { return recordings_; }
  // Of each recording, copies behind them: which one it is, or is made from.
  std::span<const std::int64_t> origins() const { return origins_; }
  ConstTensorView values(std::size_t input) const;

 private:
  struct Values {
    Tensor values;
    std::int64_t frames = 0, feature = 0;
  };
  void take_input(const Context& context, const TaskInput& input, std::size_t index, const InputCopies& made,
                  std::size_t copies);

  TrainingData data_;
  std::vector<Items> items_;
  std::vector<std::int64_t> recordings_, origins_;
  std::vector<Values> values_;
};

}  // namespace serval::train
