// What an epoch with augmented copies trains on: the task's recordings and, behind them, their copies.
#pragma once

#include "serval/train/augmentation.h"
#include "serval/train/task.h"

namespace serval::train {

class EpochCopies {
 public:
  // Checks the copies and puts them behind the recordings of the task. Throws AuditError when one was made from a
  // recording that is not on the training side. `max_time` frames were announced as the most of an item.
  void take(const Context& context, const Task& task, const Items& items, std::int64_t max_time, Copies made);

  bool empty() const { return recordings_.empty(); }
  const TrainingData& data() const { return data_; }  // labels, corpora and targets alone
  const Items& items() const { return items_; }
  const std::vector<std::int64_t>& recordings() const { return recordings_; }
  ConstTensorView values() const { return {values_.data(), {frames_, feature_}, values_.device().kind}; }

 private:
  TrainingData data_;
  Items items_;
  std::vector<std::int64_t> recordings_;
  Tensor values_;
  std::int64_t frames_ = 0, feature_ = 0;
};

}  // namespace serval::train
