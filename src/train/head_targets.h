// A task's heads as training sees them: how wide each is, and the rows that its loss compares with.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "serval/train/batches.h"
#include "serval/train/task.h"

namespace serval::train {

class HeadTargets {
 public:
  explicit HeadTargets(const Task& task);

  const std::vector<Head>& heads() const { return heads_; }  // at least one
  std::vector<std::int64_t> widths() const;
  // The first head of the experiment's classes, whose scores are the task's; -1: none.
  int class_head() const;
  // False: its loss takes labels.
  bool wants_rows(std::size_t head) const { return wants_rows_[head]; }

  // Fills plan.targets. `origins`: the recording that each one of the plan stands for; empty: itself.
  void fill(EpochPlan& plan, std::span<const std::int64_t> origins) const;
  // Values of a head, [recording][width], from the numbers that its loss compares with into the target's unit.
  void to_unit(std::size_t head, std::vector<std::vector<float>>& values) const;

 private:
  std::vector<Head> heads_;
  std::vector<bool> wants_rows_;
  std::vector<std::vector<float>> rows_;  // of each head: [recordings, width]; empty where it takes labels
};

}  // namespace serval::train
