#include "batch_feeder.h"

#include <algorithm>

#include "serval/nn/batch_augment.h"

namespace serval::train {

namespace {

// Of an item, at most, that noise is drawn for; a constant, lest the numbers depend on how long the test side's items are.
constexpr std::int64_t kNoiseFrames = std::int64_t{1} << 24;

template <class T>
void upload_to(Array<T>& to, const std::vector<T>& values) {
  copy_bytes(to.data(), to.device(), values.data(), Device{}, values.size() * sizeof(T));
}

}  // namespace

BatchFeeder::BatchFeeder(const Context& context, const Task& task, std::int64_t most_items,
                         const nn::NetworkSizes& sizes, const std::vector<std::int64_t>& widths)
    : task_(task) {
  for (const std::int64_t width : widths) heads_.push_back({.width = width, .targets = {}, .scores = {}});
  rows_.targets.resize(widths.size());
  rows_.scores.resize(widths.size());
  for (std::size_t i = 0; i < task.inputs.size(); ++i)
    feeds_.emplace_back(context, task.inputs[i], sizes.max_batch, sizes.inputs[i].max_time);
  const BatchAugmentSettings& changes = task.settings.augment_batch;
  const nn::InputSizes& first = sizes.inputs.front();
  const Shape whole{first.max_time * sizes.max_batch * first.item.size()};
  if (changes.mixup_alpha > 0) mixed_ = Tensor(context.device(), whole);
  if (changes.stretches()) stretched_ = Tensor(context.device(), whole);
  batch_.inputs.resize(task.inputs.size());
  make_room(context.device(), most_items);
}

void BatchFeeder::make_room(Device device, std::int64_t items) {
  most_items_ = items;
  for (HeadRows& head : heads_) {
    head.targets = Tensor(device, {items, head.width});
    head.scores = Tensor(device, {items, head.width});
  }
  items_ = Array<std::int64_t>(device, {items});
  labels_ = Array<std::int32_t>(device, {items});
  shares_ = Tensor(device, {items});
  lengths_ = Array<std::int32_t>(device, {items});
}

void BatchFeeder::upload(const Context& context, const EpochPlan& plan, std::span<const Items> items) {
  context.synchronize();  // the steps of the last plan may still read the arrays
  const auto count = static_cast<std::int64_t>(plan.items.size());
  if (count > most_items_) make_room(context.device(), count);
  for (std::size_t i = 0; i < feeds_.size(); ++i) feeds_[i].upload(plan, items[i]);
  upload_to(items_, plan.items);
  upload_to(labels_, plan.labels);
  upload_to(shares_, plan.shares);
  upload_to(lengths_, plan.stretched);
  host_lengths_ = plan.stretched;
  for (std::size_t h = 0; h < heads_.size(); ++h) {
    heads_[h].has_targets = !plan.targets[h].empty();
    upload_to(heads_[h].targets, plan.targets[h]);
  }
}

const nn::Batch& BatchFeeder::gather(const Context& context, const EpochPlan::Slice& slice) {
  batch_.size = slice.count;
  for (std::size_t i = 0; i < feeds_.size(); ++i) batch_.inputs[i] = feeds_[i].gather(context, slice);
  return batch_;
}

void BatchFeeder::stretch(const Context& context, const EpochPlan::Slice& slice, const RandomStream& random) {
  const BatchAugmentSettings& settings = task_.settings.augment_batch;
  nn::InputBatch& input = batch_.inputs.front();
  const std::int64_t feature = task_.data().feature;
  const auto first = host_lengths_.begin() + slice.first;
  nn::StretchSpectrumArgs args;
  args.time_in = input.time;
  args.time = *std::max_element(first, first + slice.count);
  args.batch = slice.count;
  args.feature = feature;
  args.x = input.x;
  args.y = stretched_.view(0, {args.time, slice.count, feature});
  args.lengths_in = input.lengths;
  args.lengths = lengths_.view(slice.first, {slice.count});
  args.items = items_.view(slice.first, {slice.count});
  args.random = random;
  args.random.layer = 3;
  args.band_stretch = static_cast<float>(settings.band_stretch);
  args.bands = settings.bands == 0 ? feature : settings.bands;
  run<nn::StretchSpectrum>(context, args);
  input = {args.y, args.time, args.lengths, host_lengths_.data() + slice.first};
}

const nn::Batch& BatchFeeder::gather_changed(const Context& context, const EpochPlan::Slice& slice,
                                             const RandomStream& random) {
  gather(context, slice);
  const BatchAugmentSettings& settings = task_.settings.augment_batch;
  if (!settings.enabled()) return batch_;
  if (settings.stretches()) stretch(context, slice, random);
  nn::InputBatch& input = batch_.inputs.front();
  const std::int64_t time = input.time, feature = task_.data().feature;
  const Shape shape{time, slice.count, feature};
  const auto lengths = input.lengths;
  const auto items = items_.view(slice.first, {slice.count});
  TensorView x = settings.stretches() ? stretched_.view(0, shape) : feeds_.front().x(shape);
  RandomStream own = random;
  if (settings.noise > 0) {
    own.layer = 1;
    run<nn::AddNoise>(context, nn::AddNoiseArgs{.time = time,
                                                .batch = slice.count,
                                                .feature = feature,
                                                .item_stride = kNoiseFrames * feature,
                                                .x = x,
                                                .lengths = lengths,
                                                .items = items,
                                                .random = own,
                                                .deviation = static_cast<float>(settings.noise)});
  }
  if (settings.mixup_alpha > 0) {
    const TensorView mixed = mixed_.view(0, shape);
    run<nn::MixNeighbours>(context,
                           nn::MixNeighboursArgs{.time = time,
                                                 .batch = slice.count,
                                                 .feature = feature,
                                                 .x = x,
                                                 .y = mixed,
                                                 .lengths = lengths,
                                                 .shares = shares_.view(slice.first, {slice.count})});
    x = mixed;
  }
  if (settings.masks()) {
    own.layer = 2;
    run<nn::MaskSpectrum>(context,
                          nn::MaskSpectrumArgs{.time = time,
                                               .batch = slice.count,
                                               .feature = feature,
                                               .x = x,
                                               .lengths = lengths,
                                               .items = items,
                                               .random = own,
                                               .time_masks = settings.time_masks,
                                               .time_width = settings.time_width,
                                               .time_share = static_cast<float>(settings.time_share),
                                               .band_masks = settings.band_masks,
                                               .band_width = settings.band_width,
                                               .bands = settings.bands == 0 ? feature : settings.bands,
                                               .fill_mean = settings.fill_mean});
  }
  input.x = x;
  return batch_;
}

const TrainingLoss::Rows& BatchFeeder::rows(const EpochPlan::Slice& slice) {
  rows_.count = slice.count;
  rows_.labels = labels_.view(slice.first, {slice.count});
  for (std::size_t h = 0; h < heads_.size(); ++h) {
    HeadRows& head = heads_[h];
    const Shape shape{slice.count, head.width};
    rows_.targets[h] =
        head.has_targets ? head.targets.view(slice.first * head.width, shape) : ConstTensorView{};
    rows_.scores[h] = head.scores.view(slice.first * head.width, shape);
  }
  return rows_;
}

std::vector<float> BatchFeeder::host_scores(const Context& context, const EpochPlan& plan,
                                            std::size_t head) const {
  context.synchronize();
  std::vector<float> out = heads_[head].scores.to_host();
  out.resize(plan.recordings.size() * static_cast<std::size_t>(heads_[head].width));
  return out;
}

}  // namespace serval::train
