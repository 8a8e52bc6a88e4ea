#include "serval/train/trainer.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

#include "serval/core/interrupt.h"
#include "serval/core/log.h"
#include "serval/evaluate/scores.h"
#include "serval/nn/device_label.h"
#include "serval/nn/gather.h"
#include "serval/nn/loss.h"
#include "serval/nn/optimiser.h"
#include "serval/nn/pointwise.h"
#include "serval/train/augmentation.h"
#include "serval/train/batches.h"

#include "checkpoint.h"

namespace serval::train {

namespace {

// Items of the largest side.
std::int64_t largest_side(const Task& task, const Items& items) {
  std::int64_t largest = 0;
  for (const auto* side : {&task.sides.train, &task.sides.validation, &task.sides.test}) {
    std::int64_t count = 0;
    for (const std::int64_t r : *side) count += items.count(r);
    largest = std::max(largest, count);
  }
  return largest;
}

nn::NetworkSizes network_sizes(const Task& task, const Items& items, const Augmentation* augmentation) {
  std::int64_t max_batch = std::min<std::int64_t>(task.settings.batch_size, largest_side(task, items));
  std::int64_t max_time = 0;
  for (const auto* side : {&task.sides.train, &task.sides.validation, &task.sides.test}) {
    for (const std::int64_t r : *side) max_time = std::max<std::int64_t>(max_time, items.longest(r));
  }
  if (augmentation != nullptr) {
    max_batch = task.settings.batch_size;
    max_time = std::max(max_time, augmentation->longest_item());
  }
  return nn::sequence_sizes(task.data->feature, task.data->classes, max_batch, max_time);
}

// Weights of the classes in the loss, from the training side alone.
std::vector<float> class_weights(const Task& task, const Items& items) {
  std::vector<float> weights(static_cast<std::size_t>(task.data->classes), 1.0f);
  if (task.settings.class_weights == ClassWeights::kNone) return weights;
  std::vector<std::int64_t> counts(weights.size(), 0);
  std::int64_t total = 0;
  for (const std::int64_t r : task.sides.train) {
    counts[static_cast<std::size_t>(task.data->labels[static_cast<std::size_t>(r)])] += items.count(r);
    total += items.count(r);
  }
  for (std::size_t c = 0; c < weights.size(); ++c) {
    if (counts[c] == 0) continue;
    weights[c] = static_cast<float>(static_cast<double>(total) /
                                    (static_cast<double>(weights.size()) * static_cast<double>(counts[c])));
  }
  return weights;
}

}  // namespace

// What one epoch trains on: the recordings and, behind them, their copies.
struct EpochItems {
  TrainingData labels;  // labels alone
  Items items;
  std::vector<std::int64_t> recordings;
};

struct Trainer::Impl {
  const Context& context;
  const Task& task;
  std::unique_ptr<Augmentation> augmentation;  // null: none
  std::shared_ptr<const Items> items;
  std::int64_t most_items;
  nn::NetworkSizes sizes;
  std::int64_t feature, max_time;
  nn::Network network;
  Tensor mean, scale, weights;
  Tensor first_moment, second_moment, adam_scratch;
  Tensor best_parameters;
  Tensor x, probabilities, dlogits, loss;
  Tensor copies;  // the epoch's, in its first copy_frames * feature values
  std::int64_t copy_frames = 0;
  EpochItems epoch_items;
  bool has_copies = false;
  Array<std::int64_t> starts;
  Array<std::int32_t> lengths, labels;
  nn::Batch batch{0, std::vector<nn::InputBatch>(1)};
  TrainingState state;
  std::string label;  // of the device, as results record it

  Impl(const Context& used_context, const Task& used_task, int augmentation_threads)
      : context(used_context),
        task(used_task),
        augmentation(used_task.augment ? used_task.augment(used_task, used_context, augmentation_threads)
                                       : nullptr),
        items(used_task.items ? used_task.items
                              : std::make_shared<const Items>(whole_recordings(*used_task.data))),
        most_items(largest_side(used_task, *items)),
        sizes(network_sizes(used_task, *items, augmentation.get())),
        feature(sizes.inputs.front().item[0]),
        max_time(sizes.inputs.front().max_time),
        network(used_context, used_task.network.value(), sizes) {
    const Device device = context.device();
    const std::int64_t n = network.trained_count();
    const std::int64_t largest = sizes.max_batch;
    mean = Tensor::from_host(device, task.normaliser.mean);
    scale = Tensor::from_host(device, task.normaliser.scale);
    weights = Tensor::from_host(device, class_weights(task, *items));
    first_moment = Tensor(device, {n});
    second_moment = Tensor(device, {n});
    adam_scratch = Tensor(device, {nn::adam_scratch_size(n)});
    best_parameters = Tensor(device, {network.parameter_count()});
    x = Tensor(device, {max_time * largest * feature});
    dlogits = Tensor(device, {largest, sizes.classes});
    loss = Tensor(device, {2});
    make_room(most_items);
    label = nn::device_label(device);
    network.initialise(task.seed, static_cast<std::uint32_t>(task.fold));
  }

  RandomStream random(RandomPurpose purpose, std::int64_t step) const {
    return {task.seed, static_cast<std::uint32_t>(task.fold), purpose, static_cast<std::uint32_t>(step), 0};
  }

  // For so many items in a plan.
  void make_room(std::int64_t count) {
    most_items = count;
    probabilities = Tensor(context.device(), {count, sizes.classes});
    starts = Array<std::int64_t>(context.device(), {count});
    lengths = Array<std::int32_t>(context.device(), {count});
    labels = Array<std::int32_t>(context.device(), {count});
  }

  template <class T>
  void upload(Array<T>& to, const std::vector<T>& values) const {
    copy_bytes(to.data(), to.device(), values.data(), Device{}, values.size() * sizeof(T));
  }
  void upload(const EpochPlan& plan) {
    context.synchronize();  // the steps of the last plan may still read the arrays
    const auto count = static_cast<std::int64_t>(plan.items.size());
    if (count > most_items) make_room(count);
    upload(starts, plan.starts);
    upload(lengths, plan.lengths);
    upload(labels, plan.labels);
    run<nn::FillZero>(context, loss.view());
  }

  nn::Batch& gather(const EpochPlan& plan, const EpochPlan::Slice& slice) {
    nn::GatherArgs args;
    args.time = slice.time;
    args.batch = slice.count;
    args.feature = feature;
    args.values = task.data->values.view();
    if (copy_frames > 0) args.more_values = copies.view(0, {copy_frames, feature});
    args.starts = starts.view(slice.first, {slice.count});
    args.lengths = lengths.view(slice.first, {slice.count});
    args.mean = mean.view();
    args.scale = scale.view();
    args.x = x.view(0, {slice.time, slice.count, feature});
    run<nn::GatherSequences>(context, args);
    batch.size = slice.count;
    batch.inputs[0] = {args.x, slice.time, args.lengths, plan.lengths.data() + slice.first};
    return batch;
  }

  void softmax(const EpochPlan::Slice& slice, ConstTensorView logits, bool training) {
    nn::SoftmaxCrossEntropyArgs args;
    args.batch = slice.count;
    args.classes = sizes.classes;
    args.logits = logits;
    args.labels = labels.view(slice.first, {slice.count});
    args.class_weights = weights.view();
    args.probabilities = probabilities.view(slice.first * sizes.classes, {slice.count, sizes.classes});
    if (training) args.dlogits = dlogits.view(0, {slice.count, sizes.classes});
    args.loss = loss.view();
    run<nn::SoftmaxCrossEntropy>(context, args);
  }

  double mean_loss() {
    context.synchronize();
    const std::vector<float> sums = loss.to_host();
    return sums[1] > 0 ? static_cast<double>(sums[0]) / static_cast<double>(sums[1]) : 0;
  }

  // Puts the epoch's copies behind the recordings of the task.
  void take_copies(Copies made) {
    const std::int64_t recordings = static_cast<std::int64_t>(task.data->labels.size());
    const std::int64_t frames = task.data->offsets.back();
    copy_frames = static_cast<std::int64_t>(made.values.size()) / feature;
    SERVAL_CHECK(made.items.offsets.size() == made.sources.size() + 1 &&
                     static_cast<std::int64_t>(made.values.size()) == copy_frames * feature,
                 made.sources.size(), " copies with ", made.items.offsets.size(), " offsets");
    epoch_items = {{}, *items, task.sides.train};
    epoch_items.labels.labels = task.data->labels;
    const std::set<std::int64_t> train(task.sides.train.begin(), task.sides.train.end());
    for (std::size_t i = 0; i < made.sources.size(); ++i) {
      const std::int64_t source = made.sources[i];
      if (train.count(source) == 0) {
        throw AuditError(cat("model ", task.model, ", fold ", task.fold + 1, ", seed ", task.seed,
                             ": an augmented copy was made from recording number ", source,
                             ", which is not on the training side of the fold"));
      }
      epoch_items.labels.labels.push_back(task.data->labels[static_cast<std::size_t>(source)]);
      epoch_items.recordings.push_back(recordings + static_cast<std::int64_t>(i));
      epoch_items.items.offsets.push_back(items->offsets.back() + made.items.offsets[i + 1]);
    }
    for (std::size_t i = 0; i < made.items.starts.size(); ++i) {
      SERVAL_CHECK(made.items.frames[i] <= max_time, "an item of ", made.items.frames[i], " frames, at most ",
                   max_time, " were announced");
      epoch_items.items.starts.push_back(frames + made.items.starts[i]);
      epoch_items.items.frames.push_back(made.items.frames[i]);
    }
    context.synchronize();  // the last epoch's steps may still read its copies
    const auto values = static_cast<std::int64_t>(made.values.size());
    if (values > copies.size()) copies = Tensor(context.device(), {values});
    copy_bytes(copies.data(), copies.device(), made.values.data(), Device{},
               made.values.size() * sizeof(float));
  }

  EpochPlan training_plan(int epoch) {
    const RandomStream order = random(RandomPurpose::kShuffle, epoch);
    if (!augmentation) {
      return shuffled_plan(*task.data, *items, task.sides.train, task.settings.batch_size, order);
    }
    if (!has_copies || augmentation->redraws())
      take_copies(augmentation->make(augmentation->redraws() ? epoch : 1));
    has_copies = true;
    return shuffled_plan(epoch_items.labels, epoch_items.items, epoch_items.recordings,
                         task.settings.batch_size, order);
  }

  double train_pass(int epoch) {
    const EpochPlan plan = training_plan(epoch);
    upload(plan);
    nn::AdamArgs adam;
    adam.settings = task.settings.optimizer;
    adam.settings.clip_norm = task.settings.clip_norm;
    adam.parameters = network.parameters().view(0, {network.trained_count()});
    adam.gradients = network.gradients().view(0, {network.trained_count()});
    adam.first_moment = first_moment.view();
    adam.second_moment = second_moment.view();
    adam.scratch = adam_scratch.view();
    for (const EpochPlan::Slice& slice : plan.batches) {
      check_interrupted();
      ++state.step;
      gather(plan, slice);
      softmax(slice,
              network.forward(context, batch, nn::Mode::kTrain, random(RandomPurpose::kDropout, state.step)),
              true);
      network.backward(context, batch, dlogits.view(0, {slice.count, sizes.classes}));
      adam.step = state.step;
      run<nn::AdamStep>(context, adam);
    }
    return mean_loss();
  }

  // Probabilities in the order of the plan; the loss adds up on the device.
  std::vector<float> score_pass(const EpochPlan& plan) {
    upload(plan);
    for (const EpochPlan::Slice& slice : plan.batches) {
      check_interrupted();
      gather(plan, slice);
      softmax(slice, network.forward(context, batch, nn::Mode::kInfer, {}), false);
    }
    context.synchronize();
    std::vector<float> out = probabilities.to_host();
    out.resize(plan.recordings.size() * static_cast<std::size_t>(sizes.classes));
    return out;
  }

  void validate(Epoch& record) {
    const EpochPlan plan = sorted_plan(*task.data, *items, task.sides.validation, task.settings.batch_size);
    const std::vector<float> scores = score_pass(plan);
    record.validation_loss = mean_loss();
    std::vector<int> truth, predicted;
    for (const std::int64_t r : task.sides.validation)
      truth.push_back(task.data->labels[static_cast<std::size_t>(r)]);
    for (const std::vector<float>& p : recording_scores(plan, scores, sizes.classes, task.sides.validation)) {
      predicted.push_back(static_cast<int>(std::max_element(p.begin(), p.end()) - p.begin()));
    }
    record.validation_uar = evaluate::score(truth, predicted, static_cast<int>(sizes.classes)).uar;
  }

  bool better(const Epoch& record) const {
    if (task.settings.select == Select::kLast || state.selected == 0) return true;
    const Epoch& best = state.history[static_cast<std::size_t>(state.selected - 1)];
    if (task.settings.monitor == Monitor::kValidationLoss)
      return record.validation_loss < best.validation_loss;
    // A tie in recall is common with few validation recordings; the loss breaks it.
    return record.validation_uar > best.validation_uar ||
           (record.validation_uar == best.validation_uar && record.validation_loss < best.validation_loss);
  }

  void copy_parameters(Tensor& to, const Tensor& from) const {
    context.synchronize();
    copy_bytes(to.data(), to.device(), from.data(), from.device(),
               static_cast<std::size_t>(from.size()) * sizeof(float));
  }
};

Trainer::Trainer(const Context& context, const Task& task, int augmentation_threads)
    : impl_(std::make_unique<Impl>(context, task, augmentation_threads)) {}
Trainer::~Trainer() = default;

bool Trainer::finished() const {
  const TrainSettings& settings = impl_->task.settings;
  const int run = static_cast<int>(impl_->state.history.size());
  if (run >= settings.epochs) return true;
  return settings.patience > 0 && settings.select == Select::kBestValidation &&
         run - impl_->state.selected >= settings.patience;
}

const std::vector<Epoch>& Trainer::history() const { return impl_->state.history; }
const std::vector<std::string>& Trainer::devices() const { return impl_->state.devices; }
int Trainer::selected_epoch() const { return impl_->state.selected; }
std::int64_t Trainer::parameter_count() const { return impl_->network.parameter_count(); }

const Epoch& Trainer::run_epoch() {
  Impl& impl = *impl_;
  const double started_s = monotonic_s();
  Epoch record;
  record.epoch = static_cast<int>(impl.state.history.size()) + 1;
  record.learning_rate = impl.task.settings.optimizer.learning_rate;
  record.train_loss = impl.train_pass(record.epoch);
  if (!impl.task.sides.validation.empty()) impl.validate(record);
  if (!std::isfinite(record.train_loss) || !std::isfinite(record.validation_loss)) {
    throw ConfigError(cat("model ", impl.task.model, ", fold ", impl.task.fold + 1, ", seed ", impl.task.seed,
                          ": the loss is not finite in epoch ", record.epoch,
                          "; lower train.optimizer.learning_rate or train.clip_norm"));
  }
  if (impl.better(record)) {
    impl.state.selected = record.epoch;
    impl.copy_parameters(impl.best_parameters, impl.network.parameters());
  }
  record.seconds = monotonic_s() - started_s;
  std::vector<std::string>& devices = impl.state.devices;
  if (std::find(devices.begin(), devices.end(), impl.label) == devices.end()) devices.push_back(impl.label);
  impl.state.history.push_back(record);
  return impl.state.history.back();
}

std::vector<std::vector<float>> Trainer::predict(const std::vector<std::int64_t>& recordings) {
  Impl& impl = *impl_;
  Tensor current = impl.network.parameters().clone();
  impl.copy_parameters(impl.network.parameters(), impl.best_parameters);
  const EpochPlan plan = sorted_plan(*impl.task.data, *impl.items, recordings, impl.task.settings.batch_size);
  const std::vector<float> scores = impl.score_pass(plan);
  impl.copy_parameters(impl.network.parameters(), current);
  return recording_scores(plan, scores, impl.sizes.classes, recordings);
}

void Trainer::write_lineage(const std::string& path) const {
  if (!impl_->augmentation) return;
  impl_->augmentation->write_lineage(path, static_cast<int>(impl_->state.history.size()));
}

void Trainer::save(const std::string& path) const {
  Impl& impl = *impl_;
  impl.context.synchronize();
  write_checkpoint(path, impl.task, impl.state,
                   {impl.network.parameters().to_host(), impl.first_moment.to_host(),
                    impl.second_moment.to_host(), impl.best_parameters.to_host()},
                   impl.network.blocks());
}

bool Trainer::restore(const std::string& path) {
  Impl& impl = *impl_;
  TrainingState state;
  CheckpointTensors tensors;
  if (!read_checkpoint(path, impl.task, impl.network.parameter_count(), state, tensors)) return false;
  impl.state = std::move(state);
  impl.network.parameters().assign(tensors.parameters);
  impl.first_moment.assign(tensors.first_moment);
  impl.second_moment.assign(tensors.second_moment);
  impl.best_parameters.assign(tensors.best_parameters);
  return true;
}

}  // namespace serval::train
