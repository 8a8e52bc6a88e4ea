#include "serval/train/trainer.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <utility>

#include "serval/core/interrupt.h"
#include "serval/core/log.h"
#include "serval/evaluate/scores.h"
#include "serval/nn/device_label.h"
#include "serval/train/augmentation.h"
#include "serval/train/batches.h"

#include "batch_feeder.h"
#include "checkpoint.h"
#include "epoch_copies.h"
#include "head_targets.h"
#include "optimiser.h"
#include "task_sizes.h"
#include "training_loss.h"
#include "weight_mean.h"
#include "weights_lineage.h"

namespace serval::train {

namespace {

// What settings ask of the data that they do not know.
void check_task(const Task& task) {
  const TrainSettings& settings = task.settings;
  if (settings.schedule.type == ScheduleType::kPlateau && settings.schedule.monitor != Monitor::kTrainLoss &&
      task.sides.validation.empty()) {
    throw ConfigError(cat("model ", task.model,
                          ": train.schedule.monitor looks at validation, but nobody validates; set it to "
                          "\"train_loss\", or folds.validation_actors to 1 or more"));
  }
  const BatchAugmentSettings& changes = settings.augment_batch;
  if (changes.enabled() && (task.inputs.size() > 1 || task.first().kind != nn::InputKind::kSequence)) {
    throw ConfigError(cat("model ", task.model,
                          ": train.augment_batch changes sequences of features, and this model reads more or "
                          "something else; take it out, or put the model into an experiment of its own"));
  }
  const int bands = changes.bands;
  if (bands > 0 && task.data().feature % bands != 0) {
    throw ConfigError(cat("model ", task.model, ": train.augment_batch.frequency_bands is ", bands,
                          ", which does not divide the ", task.data().feature, " features"));
  }
}

// What results say of arithmetic that is not the usual one.
std::string arithmetic_label(const Context& context, const Task& task) {
  if (!context.on_cuda()) return "";
  const Arithmetic arithmetic = task.settings.arithmetic();
  return cat(arithmetic.tf32 ? ", tf32" : "", arithmetic.run_to_run ? "" : ", not run to run");
}

}  // namespace

struct Trainer::Impl {
  const Context& context;
  const Task& task;
  std::unique_ptr<Augmentation> augmentation;  // null: none
  std::vector<Items> items;                    // of each input
  nn::NetworkSizes sizes;
  HeadTargets targets;
  nn::Network network;
  BatchFeeder feeder;
  TrainingLoss loss;
  Optimiser optimiser;
  WeightMean average;
  EpochCopies copies;
  Tensor selected;  // the weights of the epoch that is tested
  TrainingState state;
  std::string label;  // of the device, as results record it

  Impl(const Context& used_context, const Task& used_task, int augmentation_threads)
      : context(used_context),
        task(used_task),
        augmentation(used_task.augment ? used_task.augment(used_task, used_context, augmentation_threads)
                                       : nullptr),
        items(task_items(used_task)),
        sizes(network_sizes(used_task, items, augmentation.get())),
        targets(used_task),
        network(used_context, TrainingLoss::network_of(used_task), sizes),
        feeder(used_context, used_task, largest_side(used_task, items.front()), sizes, targets.widths()),
        loss(used_context, used_task, targets.heads(), network, class_weights(used_task, items.front()),
             sizes.max_batch),
        optimiser(used_context, network, used_task.settings),
        average(used_context, network, used_task.settings.averaging),
        selected(used_context.device(), {network.parameter_count()}),
        label(nn::device_label(used_context.device()) + arithmetic_label(used_context, used_task)) {
    check_task(task);
    network.initialise(task.seed, static_cast<std::uint32_t>(task.fold));
    if (!task.initial_weights) return;
    std::vector<float> weights = network.parameters().to_host();
    const std::string path = task.initial_weights->path(task.fold, task.seed);
    load_initial_weights(path, task.initial_weights->map, network.blocks(), weights);
    network.parameters().assign(weights);
    const std::optional<HeardActors> heard = actors_heard_by(path);
    state.lineage.weights_tell = heard.has_value();
    if (!heard) return;
    state.lineage.weights_heard = heard->trained;
    state.lineage.weights_chosen_by = heard->chosen;
  }

  RandomStream random(RandomPurpose purpose, std::int64_t step) const {
    return {task.seed, static_cast<std::uint32_t>(task.fold), purpose, static_cast<std::uint32_t>(step), 0};
  }

  std::span<const Items> training_items() const {
    return augmentation ? copies.items() : std::span<const Items>(items);
  }

  EpochPlan training_plan(int epoch) {
    if (augmentation && (copies.empty() || augmentation->redraws())) {
      copies.take(context, task, items, augmentation->make(augmentation->redraws() ? epoch : 1));
      for (std::size_t i = 0; i < items.size(); ++i) feeder.set_more_values(i, copies.values(i));
    }
    const TrainingData& data = augmentation ? copies.data() : task.data();
    const TrainSettings& settings = task.settings;
    EpochPlan plan =
        shuffled_plan(data, training_items().front(), augmentation ? copies.recordings() : task.sides.train,
                      settings.batch_size, random(RandomPurpose::kShuffle, epoch), settings.sampling);
    if (settings.augment_batch.stretches()) {
      RandomStream lengths = random(RandomPurpose::kBatchAugment, epoch);
      lengths.layer = 3;
      stretch_items(plan, training_items().front(), settings.augment_batch.time_stretch, lengths);
    }
    const std::span<const std::int64_t> origins =
        augmentation ? copies.origins() : std::span<const std::int64_t>();
    targets.fill(plan, origins);
    note_recordings(state.lineage.trained_on, plan.recordings, origins);
    if (settings.augment_batch.mixup_alpha > 0) {
      mix_targets(plan, settings.augment_batch.mixup_alpha, random(RandomPurpose::kBatchAugment, epoch));
    }
    return plan;
  }

  double train_pass(int epoch, double learning_rate) {
    const EpochPlan plan = training_plan(epoch);
    feeder.upload(context, plan, training_items());
    loss.clear(context);
    for (const EpochPlan::Slice& slice : plan.batches) {
      check_interrupted();
      ++state.step;
      const nn::Batch& batch =
          feeder.gather_changed(context, slice, random(RandomPurpose::kBatchAugment, state.step));
      network.forward(context, batch, nn::Mode::kTrain, random(RandomPurpose::kDropout, state.step));
      loss.run(context, network, feeder.rows(slice), true);
      network.backward(context, batch, loss.gradients());
      optimiser.step(context, network, learning_rate, state.step);
      average.after_step(context, network);
    }
    average.after_epoch(context, network, epoch);
    return loss.mean(context);
  }

  // The scores stay with the feeder, in the order of the plan; the loss adds up on the device.
  void score_pass(EpochPlan& plan) {
    targets.fill(plan, {});
    feeder.upload(context, plan, items);
    loss.clear(context);
    for (const EpochPlan::Slice& slice : plan.batches) {
      check_interrupted();
      network.forward(context, feeder.gather(context, slice), nn::Mode::kInfer, {});
      loss.run(context, network, feeder.rows(slice), false);
    }
  }
  // Of such a plan over `recordings`: [recording][width].
  std::vector<std::vector<float>> head_scores(const EpochPlan& plan, std::size_t head,
                                              const std::vector<std::int64_t>& recordings) const {
    return recording_scores(plan, feeder.host_scores(context, plan, head), targets.widths()[head],
                            recordings);
  }

  void validate(Epoch& record) {
    EpochPlan plan = sorted_plan(task.data(), items.front(), task.sides.validation, task.settings.batch_size);
    score_pass(plan);
    note_recordings(state.lineage.chosen_by, plan.recordings, {});
    record.validation_loss = loss.mean(context);
    record.validation_uar = std::numeric_limits<double>::quiet_NaN();
    std::vector<double> ccc;
    for (std::size_t h = 0; h < targets.heads().size(); ++h) {
      const Target& target = *targets.heads()[h].target;
      const bool classes = static_cast<int>(h) == targets.class_head();
      if (!classes && !target.of_numbers()) continue;
      std::vector<std::vector<float>> values = head_scores(plan, h, task.sides.validation);
      targets.to_unit(h, values);
      const HeadScores scores = score_head(target, task.sides.validation, values);
      if (classes) record.validation_uar = scores.classes.uar;
      for (const evaluate::NumberScores& number : scores.numbers)
        ccc.push_back(std::isnan(number.ccc) ? 0 : number.ccc);
    }
    if (!ccc.empty()) record.validation_ccc = evaluate::mean_std(ccc).mean;
  }

  bool better(const Epoch& record) const {
    if (task.settings.select == Select::kLast || state.selected == 0) return true;
    const Epoch& best = state.history[static_cast<std::size_t>(state.selected - 1)];
    const Monitor monitor = task.settings.monitor;
    const double now = monitored(monitor, record), before = monitored(monitor, best);
    if (!higher_is_better(monitor)) return now < before;
    // A tie in recall is common with few validation recordings; the loss breaks it.
    return now > before || (now == before && record.validation_loss < best.validation_loss);
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
  if (run >= impl_->task.epochs()) return true;
  return settings.patience > 0 && settings.select == Select::kBestValidation &&
         run - impl_->state.selected >= settings.patience;
}

const std::vector<Epoch>& Trainer::history() const { return impl_->state.history; }
const Lineage& Trainer::lineage() const { return impl_->state.lineage; }
const std::vector<std::string>& Trainer::devices() const { return impl_->state.devices; }
int Trainer::selected_epoch() const { return impl_->state.selected; }
std::int64_t Trainer::parameter_count() const { return impl_->network.trained_count(); }

const Epoch& Trainer::run_epoch() {
  Impl& impl = *impl_;
  const TrainSettings& settings = impl.task.settings;
  const double started_s = monotonic_s();
  Epoch record;
  record.epoch = static_cast<int>(impl.state.history.size()) + 1;
  record.learning_rate = scheduled_rate(settings.schedule, settings.optimizer.learning_rate, settings.epochs,
                                        impl.state.history);
  record.train_loss = impl.train_pass(record.epoch, record.learning_rate);
  impl.average.enter(impl.context, impl.network);
  if (!impl.task.sides.validation.empty()) impl.validate(record);
  if (!std::isfinite(record.train_loss) || !std::isfinite(record.validation_loss)) {
    throw ConfigError(cat("model ", impl.task.model, ", fold ", impl.task.fold + 1, ", seed ", impl.task.seed,
                          ": the loss is not finite in epoch ", record.epoch,
                          "; lower train.optimizer.learning_rate or train.clip_norm"));
  }
  if (impl.task.sides.validation.empty())
    record.validation_loss = record.validation_uar = std::numeric_limits<double>::quiet_NaN();
  if (impl.better(record)) {
    impl.state.selected = record.epoch;
    impl.copy_parameters(impl.selected, impl.network.parameters());
  }
  impl.average.leave(impl.context, impl.network);
  record.seconds = monotonic_s() - started_s;
  std::vector<std::string>& devices = impl.state.devices;
  if (std::find(devices.begin(), devices.end(), impl.label) == devices.end()) devices.push_back(impl.label);
  impl.state.history.push_back(record);
  return impl.state.history.back();
}

std::vector<std::vector<float>> Trainer::predict(const std::vector<std::int64_t>& recordings) {
  const int head = impl_->targets.class_head();
  SERVAL_CHECK(head >= 0, "no head of the experiment's classes");
  return predict_heads(recordings)[static_cast<std::size_t>(head)].values;
}

std::vector<HeadResult> Trainer::predict_heads(const std::vector<std::int64_t>& recordings) {
  Impl& impl = *impl_;
  impl.context.synchronize();  // the mean's weights may just be on their way out
  Tensor current = impl.network.parameters().clone();
  impl.copy_parameters(impl.network.parameters(), impl.selected);
  EpochPlan plan =
      sorted_plan(impl.task.data(), impl.items.front(), recordings, impl.task.settings.batch_size);
  impl.score_pass(plan);
  impl.copy_parameters(impl.network.parameters(), current);
  std::vector<HeadResult> out;
  for (std::size_t h = 0; h < impl.targets.heads().size(); ++h) {
    HeadResult& result = out.emplace_back();
    result.output = impl.targets.heads()[h].output;
    result.values = impl.head_scores(plan, h, recordings);
    impl.targets.to_unit(h, result.values);
  }
  return out;
}

int Trainer::class_head() const { return impl_->targets.class_head(); }

void Trainer::write_lineage(const std::string& path) const {
  if (!impl_->augmentation) return;
  impl_->augmentation->write_lineage(path, static_cast<int>(impl_->state.history.size()));
}

void Trainer::save(const std::string& path) const {
  Impl& impl = *impl_;
  impl.context.synchronize();
  TrainingState state = impl.state;
  state.averaged = impl.average.count();
  write_checkpoint(path, impl.task, state,
                   {.parameters = impl.network.parameters().to_host(),
                    .selected = impl.selected.to_host(),
                    .optimiser = impl.optimiser.state().to_host(),
                    .average = impl.average.values().to_host(),
                    .centers = impl.loss.centers().to_host()},
                   impl.network.blocks());
}

bool Trainer::restore(const std::string& path) {
  Impl& impl = *impl_;
  TrainingState state;
  CheckpointTensors tensors;
  const std::pair<Tensor&, std::vector<float>&> kept[] = {{impl.network.parameters(), tensors.parameters},
                                                          {impl.selected, tensors.selected},
                                                          {impl.optimiser.state(), tensors.optimiser},
                                                          {impl.average.values(), tensors.average},
                                                          {impl.loss.centers(), tensors.centers}};
  for (const auto& [tensor, values] : kept) values.resize(static_cast<std::size_t>(tensor.size()));
  if (!read_checkpoint(path, impl.task, impl.network.blocks(), state, tensors)) return false;
  for (const auto& [tensor, values] : kept) {
    if (!values.empty()) tensor.assign(values);
  }
  impl.average.set_count(state.averaged);
  impl.state = std::move(state);
  return true;
}

}  // namespace serval::train
