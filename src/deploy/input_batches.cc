#include "input_batches.h"

#include <algorithm>

#include "serval/nn/gather.h"

namespace serval::deploy {

namespace {

template <class T>
void upload_to(Array<T>& to, const std::vector<T>& values) {
  copy_bytes(to.data(), to.device(), values.data(), Device{}, values.size() * sizeof(T));
}

}  // namespace

nn::InputKind input_kind(const nn::NetworkSettings& network, const std::string& input) {
  for (const auto& [name, settings] : network.inputs) {
    if (name == input) return settings.kind;
  }
  return nn::InputKind::kSequence;
}

nn::NetworkSettings scored_network(const BundleModel& model) {
  nn::NetworkSettings out = model.network;
  if (model.outputs.size() > 1 || !model.outputs.front().layer.empty()) {
    out.outputs.clear();
    for (const BundleOutput& output : model.outputs) out.outputs.push_back(output.layer);
  }
  return out;
}

InputBatches::InputBatches(const Context& context, const features::InputSettings& input, nn::InputKind kind,
                           std::int64_t dimension)
    : device_(context.device()), kind_(kind), dimension_(dimension), item_{dimension} {
  if (kind == nn::InputKind::kImage) {
    image_ = features::input_image(input, dimension);
    item_ = features::item_shape(image_);
  }
}

void InputBatches::make_room(std::int64_t batch, std::int64_t time) {
  batch_ = batch;
  time_ = kind_ == nn::InputKind::kSequence ? time : 1;
  x_ = Tensor(device_, {time_ * batch * item_.size()});
  starts_ = Array<std::int64_t>(device_, {batch});
  frames_ = Array<std::int32_t>(device_, {batch});
  padded_ = Array<std::int32_t>(device_, {batch});
}

void InputBatches::set_statistics(const std::vector<float>& mean, const std::vector<float>& scale) {
  mean_ = Tensor::from_host(device_, mean);
  scale_ = Tensor::from_host(device_, scale);
}

void InputBatches::set_features(const features::FeatureMatrix& matrix) {
  values_ = Tensor::from_host(device_, matrix.values, {matrix.frames, matrix.dimension});
}

nn::InputBatch InputBatches::gather(const Context& context, const std::vector<features::Segment>& segments) {
  const auto count = static_cast<std::int64_t>(segments.size());
  SERVAL_CHECK(count <= batch_, count, " items, room for ", batch_);
  std::vector<std::int64_t> starts;
  std::vector<std::int32_t> padded;
  host_frames_.clear();
  for (const features::Segment& segment : segments) {
    starts.push_back(segment.first_frame);
    host_frames_.push_back(static_cast<std::int32_t>(segment.real_frames));
    padded.push_back(static_cast<std::int32_t>(segment.frames));
  }
  context.synchronize();
  upload_to(starts_, starts);
  upload_to(frames_, host_frames_);
  if (kind_ == nn::InputKind::kImage) {
    upload_to(padded_, padded);
    features::GatherSegmentsArgs args;
    args.image = image_;
    args.segments = count;
    args.values = values_.view();
    args.starts = starts_.view(0, {count});
    args.real_frames = frames_.view(0, {count});
    args.frames = padded_.view(0, {count});
    args.mean = mean_.view();
    args.scale = scale_.view();
    args.x = x_.view(0, features::batch_shape(image_, count));
    run<features::GatherSegments>(context, args);
    return {args.x, 1, {}, nullptr};
  }
  nn::GatherArgs args;
  args.time = *std::max_element(host_frames_.begin(), host_frames_.end());
  SERVAL_CHECK(args.time <= time_, args.time, " frames, room for ", time_);
  args.batch = count;
  args.feature = dimension_;
  args.values = values_.view();
  args.starts = starts_.view(0, {count});
  args.lengths = frames_.view(0, {count});
  args.mean = mean_.view();
  args.scale = scale_.view();
  args.x = x_.view(0, {args.time, count, args.feature});
  run<nn::GatherSequences>(context, args);
  if (kind_ == nn::InputKind::kVector) return {args.x, 1, {}, nullptr};
  return {args.x, args.time, args.lengths, host_frames_.data()};
}

}  // namespace serval::deploy
