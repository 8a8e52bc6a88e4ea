#include "batch_feeder.h"

#include "serval/nn/batch_augment.h"
#include "serval/nn/gather.h"

namespace serval::train {

namespace {

template <class T>
void upload_to(Array<T>& to, const std::vector<T>& values) {
  copy_bytes(to.data(), to.device(), values.data(), Device{}, values.size() * sizeof(T));
}

}  // namespace

BatchFeeder::BatchFeeder(const Context& context, const Task& task, std::int64_t most_items,
                         std::int64_t max_batch, std::int64_t max_time)
    : task_(task), feature_(task.data->feature), max_time_(max_time) {
  const Device device = context.device();
  mean_ = Tensor::from_host(device, task.normaliser.mean);
  scale_ = Tensor::from_host(device, task.normaliser.scale);
  x_ = Tensor(device, {max_time * max_batch * feature_});
  if (task.settings.augment_batch.mixup_alpha > 0) mixed_ = Tensor(device, {x_.size()});
  batch_.inputs.resize(1);
  make_room(device, most_items);
}

void BatchFeeder::make_room(Device device, std::int64_t items) {
  most_items_ = items;
  probabilities_ = Tensor(device, {items, task_.data->classes});
  starts_ = Array<std::int64_t>(device, {items});
  items_ = Array<std::int64_t>(device, {items});
  lengths_ = Array<std::int32_t>(device, {items});
  labels_ = Array<std::int32_t>(device, {items});
  targets_ = Tensor(device, {items * task_.data->classes});
  shares_ = Tensor(device, {items});
}

void BatchFeeder::upload(const Context& context, const EpochPlan& plan) {
  context.synchronize();  // the steps of the last plan may still read the arrays
  const auto count = static_cast<std::int64_t>(plan.items.size());
  if (count > most_items_) make_room(context.device(), count);
  upload_to(starts_, plan.starts);
  upload_to(items_, plan.items);
  upload_to(lengths_, plan.lengths);
  upload_to(labels_, plan.labels);
  upload_to(targets_, plan.targets);
  upload_to(shares_, plan.shares);
  has_targets_ = !plan.targets.empty();
}

const nn::Batch& BatchFeeder::gather(const Context& context, const EpochPlan& plan,
                                     const EpochPlan::Slice& slice) {
  nn::GatherArgs args;
  args.time = slice.time;
  args.batch = slice.count;
  args.feature = feature_;
  args.values = task_.data->values.view();
  args.more_values = more_values_;
  args.starts = starts_.view(slice.first, {slice.count});
  args.lengths = lengths_.view(slice.first, {slice.count});
  args.mean = mean_.view();
  args.scale = scale_.view();
  args.x = x_.view(0, {slice.time, slice.count, feature_});
  run<nn::GatherSequences>(context, args);
  batch_.size = slice.count;
  batch_.inputs[0] = {args.x, slice.time, args.lengths, plan.lengths.data() + slice.first};
  return batch_;
}

const nn::Batch& BatchFeeder::gather_changed(const Context& context, const EpochPlan& plan,
                                             const EpochPlan::Slice& slice, const RandomStream& random) {
  gather(context, plan, slice);
  const BatchAugmentSettings& settings = task_.settings.augment_batch;
  const Shape shape{slice.time, slice.count, feature_};
  const auto lengths = lengths_.view(slice.first, {slice.count});
  const auto items = items_.view(slice.first, {slice.count});
  TensorView x = x_.view(0, shape);
  RandomStream own = random;
  if (settings.noise > 0) {
    own.layer = 1;
    run<nn::AddNoise>(context, nn::AddNoiseArgs{.time = slice.time,
                                                .batch = slice.count,
                                                .feature = feature_,
                                                .item_stride = max_time_ * feature_,
                                                .x = x,
                                                .lengths = lengths,
                                                .items = items,
                                                .random = own,
                                                .deviation = static_cast<float>(settings.noise)});
  }
  if (settings.mixup_alpha > 0) {
    const TensorView mixed = mixed_.view(0, shape);
    run<nn::MixNeighbours>(context,
                           nn::MixNeighboursArgs{.time = slice.time,
                                                 .batch = slice.count,
                                                 .feature = feature_,
                                                 .x = x,
                                                 .y = mixed,
                                                 .lengths = lengths,
                                                 .shares = shares_.view(slice.first, {slice.count})});
    x = mixed;
  }
  if (settings.masks()) {
    own.layer = 2;
    run<nn::MaskSpectrum>(context,
                          nn::MaskSpectrumArgs{.time = slice.time,
                                               .batch = slice.count,
                                               .feature = feature_,
                                               .x = x,
                                               .lengths = lengths,
                                               .items = items,
                                               .random = own,
                                               .time_masks = settings.time_masks,
                                               .time_width = settings.time_width,
                                               .time_share = static_cast<float>(settings.time_share),
                                               .band_masks = settings.band_masks,
                                               .band_width = settings.band_width,
                                               .bands = settings.bands == 0 ? feature_ : settings.bands,
                                               .fill_mean = settings.fill_mean});
  }
  batch_.inputs[0].x = x;
  return batch_;
}

TrainingLoss::Rows BatchFeeder::rows(const EpochPlan::Slice& slice) const {
  TrainingLoss::Rows out{.count = slice.count};
  out.labels = {labels_.data() + slice.first, {slice.count}, labels_.device().kind};
  const std::int64_t classes = task_.data->classes;
  if (has_targets_)
    out.targets = {targets_.data() + slice.first * classes, {slice.count, classes}, targets_.device().kind};
  return out;
}

TensorView BatchFeeder::probabilities(const EpochPlan::Slice& slice) {
  const std::int64_t classes = task_.data->classes;
  return probabilities_.view(slice.first * classes, {slice.count, classes});
}

std::vector<float> BatchFeeder::host_probabilities(const Context& context, const EpochPlan& plan) const {
  context.synchronize();
  std::vector<float> out = probabilities_.to_host();
  out.resize(plan.recordings.size() * static_cast<std::size_t>(task_.data->classes));
  return out;
}

}  // namespace serval::train
