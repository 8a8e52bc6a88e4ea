#include "input_feed.h"

#include <algorithm>

#include "serval/nn/gather.h"

namespace serval::train {

namespace {

template <class T>
void upload_to(Array<T>& to, const std::vector<T>& values) {
  copy_bytes(to.data(), to.device(), values.data(), Device{}, values.size() * sizeof(T));
}

}  // namespace

Shape item_shape(const TaskInput& input) {
  return input.kind == nn::InputKind::kImage ? features::item_shape(input.image) : Shape{input.data->feature};
}

InputFeed::InputFeed(const Context& context, const TaskInput& input, std::int64_t max_batch,
                     std::int64_t max_time)
    : input_(input), max_time_(input.kind == nn::InputKind::kSequence ? max_time : 1) {
  const Device device = context.device();
  mean_ = Tensor::from_host(device, input.normaliser.mean);
  scale_ = Tensor::from_host(device, input.normaliser.scale);
  x_ = Tensor(device, {max_time_ * max_batch * item_shape(input).size()});
  make_room(1);
}

void InputFeed::make_room(std::int64_t items) {
  const Device device = x_.device();
  starts_ = Array<std::int64_t>(device, {items});
  frames_ = Array<std::int32_t>(device, {items});
  padded_ = Array<std::int32_t>(device, {items});
}

void InputFeed::upload(const EpochPlan& plan, const Items& items) {
  const auto count = static_cast<std::int64_t>(plan.items.size());
  if (count > starts_.size()) make_room(count);
  std::vector<std::int64_t> starts;
  std::vector<std::int32_t> padded;
  host_frames_.clear();
  for (const std::int64_t item : plan.items) {
    const auto at = static_cast<std::size_t>(item);
    starts.push_back(items.starts[at]);
    host_frames_.push_back(items.frames[at]);
    padded.push_back(items.padded.empty() ? items.frames[at] : items.padded[at]);
  }
  upload_to(starts_, starts);
  upload_to(frames_, host_frames_);
  upload_to(padded_, padded);
}

nn::InputBatch InputFeed::gather(const Context& context, const EpochPlan::Slice& slice) {
  const auto starts = starts_.view(slice.first, {slice.count});
  const auto frames = frames_.view(slice.first, {slice.count});
  if (input_.kind == nn::InputKind::kImage) {
    features::GatherSegmentsArgs args;
    args.image = input_.image;
    args.segments = slice.count;
    args.values = input_.data->values.view();
    args.more_values = more_values_;
    args.starts = starts;
    args.real_frames = frames;
    args.frames = padded_.view(slice.first, {slice.count});
    args.mean = mean_.view();
    args.scale = scale_.view();
    args.x = x_.view(0, features::batch_shape(input_.image, slice.count));
    run<features::GatherSegments>(context, args);
    return {args.x, 1, {}, nullptr};
  }
  const auto first = host_frames_.begin() + slice.first;
  const std::int64_t time = *std::max_element(first, first + slice.count);
  SERVAL_CHECK(time <= max_time_, "an item of ", time, " frames, at most ", max_time_, " were announced");
  nn::GatherArgs args;
  args.time = time;
  args.batch = slice.count;
  args.feature = input_.data->feature;
  args.values = input_.data->values.view();
  args.more_values = more_values_;
  args.starts = starts;
  args.lengths = frames;
  args.mean = mean_.view();
  args.scale = scale_.view();
  args.x = x_.view(0, {time, slice.count, args.feature});
  run<nn::GatherSequences>(context, args);
  if (input_.kind == nn::InputKind::kVector) return {args.x, 1, {}, nullptr};
  return {args.x, time, frames, host_frames_.data() + slice.first};
}

}  // namespace serval::train
