// One input of the network, batch by batch: gathered from where the features lie, normalised.
#pragma once

#include "serval/nn/network.h"
#include "serval/train/batches.h"
#include "serval/train/task.h"

namespace serval::train {

// Of one item, as the network reads it.
Shape item_shape(const TaskInput& input);

class InputFeed {
 public:
  // `input` must outlive it. Sequences have at most `max_time` frames.
  InputFeed(const Context& context, const TaskInput& input, std::int64_t max_batch, std::int64_t max_time);

  // The items of the next batches. The ones before are done with.
  void upload(const EpochPlan& plan, const Items& items);
  // Frames numbered on behind those of the input's own: [frames, feature].
  void set_more_values(ConstTensorView values) { more_values_ = values; }

  // Valid until the next.
  nn::InputBatch gather(const Context& context, const EpochPlan::Slice& slice);
  TensorView x(const Shape& shape) { return x_.view(0, shape); }  // of the last batch

 private:
  void make_room(std::int64_t items);

  const TaskInput& input_;
  std::int64_t max_time_ = 1;
  Tensor mean_, scale_, x_;
  ConstTensorView more_values_;
  std::vector<std::int32_t> host_frames_;
  Array<std::int64_t> starts_;
  Array<std::int32_t> frames_, padded_;
};

}  // namespace serval::train
