// Brings the batches of a plan onto the device: gathered, normalised, and in training changed as
// train/batch_settings.h says.
#pragma once

#include <span>
#include <vector>

#include "serval/nn/network.h"
#include "serval/train/batches.h"

#include "input_feed.h"
#include "training_loss.h"

namespace serval::train {

class BatchFeeder {
 public:
  // For batches as large as the network's sizes say. `most_items` in a plan are foreseen; more make room.
  // `widths` are of the heads.
  BatchFeeder(const Context& context, const Task& task, std::int64_t most_items,
              const nn::NetworkSizes& sizes, const std::vector<std::int64_t>& widths);

  // The plan of the next batches, of such items of each input. The one before is done with.
  void upload(const Context& context, const EpochPlan& plan, std::span<const Items> items);
  // Frames of an input numbered on behind those of the task's recordings: [frames, feature].
  void set_more_values(std::size_t input, ConstTensorView values) { feeds_[input].set_more_values(values); }

  // A batch as it is, or as training has it: changed by random numbers of `step`. Valid until the next.
  const nn::Batch& gather(const Context& context, const EpochPlan::Slice& slice);
  const nn::Batch& gather_changed(const Context& context, const EpochPlan::Slice& slice,
                                  const RandomStream& random);

  // What the loss compares a batch with, and where it writes what each head says of it. Valid until the next.
  const TrainingLoss::Rows& rows(const EpochPlan::Slice& slice);
  std::vector<float> host_scores(const Context& context, const EpochPlan& plan, std::size_t head) const;

 private:
  void make_room(Device device, std::int64_t items);
  void stretch(const Context& context, const EpochPlan::Slice& slice, const RandomStream& random);

  const Task& task_;
  std::int64_t most_items_ = 0;
  std::vector<InputFeed> feeds_;
  Tensor mixed_, stretched_;
  struct HeadRows {
    std::int64_t width = 0;
    Tensor targets, scores;    // [most_items, width]
    bool has_targets = false;  // the plan at hand
  };
  std::vector<HeadRows> heads_;
  Array<std::int64_t> items_;
  Array<std::int32_t> labels_;
  Tensor shares_;
  Array<std::int32_t> lengths_;             // of stretched items
  std::vector<std::int32_t> host_lengths_;  // the same
  nn::Batch batch_;
  TrainingLoss::Rows rows_;
};

}  // namespace serval::train
