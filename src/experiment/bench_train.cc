#include "serval/experiment/bench_train.h"

#include <filesystem>
#include <memory>
#include <span>
#include <sstream>

#include "serval/core/error.h"
#include "serval/core/files.h"
#include "serval/core/log.h"
#include "serval/core/parallel.h"
#include "serval/core/settings_io.h"
#include "serval/nn/device_label.h"
#include "serval/nn/loss.h"
#include "serval/nn/pointwise.h"

#include "bench_machine.h"
#include "peak_memory.h"

namespace serval::experiment {

namespace {

// The data of a benchmark, on the host.
struct DrawnData {
  std::vector<std::vector<float>> x;  // of each input
  std::vector<std::int32_t> labels;
  std::vector<std::int32_t> lengths;
};

bool is_sequence(const nn::NetworkSettings& network, std::size_t input) {
  return network.inputs.empty() || network.inputs[input].second.kind == nn::InputKind::kSequence;
}

DrawnData draw(const TrainBenchOptions& options) {
  DrawnData out;
  const std::int64_t batch = options.sizes.max_batch;
  for (std::size_t i = 0; i < options.sizes.inputs.size(); ++i) {
    const std::int64_t rows = is_sequence(options.network, i) ? batch * options.frames : batch;
    const RandomStream random{
        .seed = 1, .purpose = RandomPurpose::kBenchmark, .layer = static_cast<std::uint32_t>(i)};
    std::vector<float>& x =
        out.x.emplace_back(static_cast<std::size_t>(rows * options.sizes.inputs[i].item.size()));
    for (std::size_t k = 0; k < x.size(); ++k) x[k] = 2 * random.uniform(k) - 1;
  }
  const RandomStream random{.seed = 1, .purpose = RandomPurpose::kBenchmark, .step = 1};
  for (std::int64_t b = 0; b < batch; ++b) {
    out.labels.push_back(static_cast<std::int32_t>(
        random.below(static_cast<std::uint64_t>(b), static_cast<std::uint32_t>(options.sizes.classes))));
  }
  out.lengths.assign(static_cast<std::size_t>(batch), static_cast<std::int32_t>(options.frames));
  return out;
}

// A network that trains on one batch again and again.
class Bench {
 public:
  Bench(const TrainBenchOptions& options, const DrawnData& data, std::uint32_t fold)
      : context_(options.device, {.beside = options.models, .arithmetic = options.arithmetic}),
        data_(data),
        network_(context_, options.network, options.sizes),
        optimiser_(options.optimiser) {
    const Device device = options.device;
    batch_.size = options.sizes.max_batch;
    lengths_ = Array<std::int32_t>::from_host(device, data.lengths);
    labels_ = Array<std::int32_t>::from_host(device, data.labels);
    for (std::size_t i = 0; i < data.x.size(); ++i) {
      x_.push_back(Tensor::from_host(device, data.x[i]));
      nn::InputBatch input;
      input.x = x_.back().view();
      if (is_sequence(options.network, i)) {
        input.time = options.frames;
        input.lengths = lengths_.view();
        input.host_lengths = data_.lengths.data();
      }
      batch_.inputs.push_back(input);
    }
    const std::int64_t n = network_.trained_count();
    state_ = Tensor(device, {static_cast<std::int64_t>(nn::optimiser_slots(optimiser_).size()) * n});
    scratch_ = Tensor(device, {nn::optimiser_scratch_size(n)});
    const Shape logits{batch_.size, options.sizes.classes};
    probabilities_ = Tensor(device, logits);
    dlogits_ = Tensor(device, logits);
    loss_ = Tensor(device, {2});
    network_.initialise(1, fold);
  }

  void step() {
    ++steps_;
    const RandomStream random{
        .seed = 1, .purpose = RandomPurpose::kDropout, .step = static_cast<std::uint32_t>(steps_)};
    nn::SoftmaxCrossEntropyArgs loss;
    loss.batch = batch_.size;
    loss.classes = probabilities_.shape()[1];
    loss.logits = network_.forward(context_, batch_, nn::Mode::kTrain, random);
    loss.labels = labels_.view();
    loss.probabilities = probabilities_.view();
    loss.dlogits = dlogits_.view();
    loss.loss = loss_.view();
    run<nn::SoftmaxCrossEntropy>(context_, loss);
    network_.backward(context_, batch_, dlogits_.view());
    nn::OptimiserArgs args;
    args.settings = optimiser_;
    args.step = steps_;
    args.parameters = network_.parameters().view(0, {network_.trained_count()});
    args.gradients = network_.gradients().view(0, {network_.trained_count()});
    args.state = state_.view();
    args.scratch = scratch_.view();
    run<nn::OptimiserStep>(context_, args);
  }
  // Of the steps since it was last asked.
  double mean_loss() {
    context_.synchronize();
    const std::vector<float> sums = loss_.to_host();
    run<nn::FillZero>(context_, loss_.view());
    return static_cast<double>(sums[0]) / static_cast<double>(sums[1]);
  }
  void synchronize() const { context_.synchronize(); }
  bool on_cuda() const { return context_.on_cuda(); }
  const nn::Network& network() const { return network_; }

 private:
  Context context_;
  const DrawnData& data_;
  nn::Network network_;
  nn::OptimiserSettings optimiser_;
  std::vector<Tensor> x_;
  Array<std::int32_t> lengths_, labels_;
  nn::Batch batch_;
  Tensor state_, scratch_, probabilities_, dlogits_, loss_;
  std::int64_t steps_ = 0;
};

template <class T>
void write_values(const std::string& path, const std::vector<T>& values) {
  write_atomically(path,
                   std::string(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)));
}

void dump(const TrainBenchOptions& options, const DrawnData& data, const Bench& bench) {
  make_folder(options.dump);
  const std::string folder = options.dump + "/";
  nn::NetworkSettings network = options.network;
  write_atomically(folder + "network.json", write_json(settings_to_json(network)));
  JsonValue blocks = JsonValue::list();
  for (const nn::ParameterBlock& block : bench.network().blocks()) {
    JsonValue item = JsonValue::object();
    item.set("name", JsonValue::of(block.name));
    JsonValue shape = JsonValue::list();
    for (int axis = 0; axis < block.shape.rank(); ++axis)
      shape.items.push_back(JsonValue::of(block.shape[axis]));
    item.set("shape", std::move(shape));
    item.set("offset", JsonValue::of(block.offset));
    blocks.items.push_back(std::move(item));
  }
  write_atomically(folder + "blocks.json", write_json(blocks));
  write_values(folder + "parameters.f32", bench.network().parameters().to_host());
  for (std::size_t i = 0; i < data.x.size(); ++i) {
    const std::string name = options.network.inputs.empty() ? "input" : options.network.inputs[i].first;
    write_values(folder + "x." + name + ".f32", data.x[i]);
  }
  write_values(folder + "labels.i32", data.labels);
}

using Models = std::vector<std::unique_ptr<Bench>>;

// Steps of these models in turn until the time is over; gives the seconds of each step of the first one.
std::vector<double> timed_steps(std::span<std::unique_ptr<Bench>> models, double seconds,
                                std::int64_t& count) {
  // Training on a GPU does not wait for every step; one time is then that of several.
  const int together = models.front()->on_cuda() ? 10 : 1;
  std::vector<double> step_s;
  const double begin_s = monotonic_s();
  while (monotonic_s() - begin_s < seconds) {
    const double step_started_s = monotonic_s();
    for (int i = 0; i < together; ++i) {
      for (std::unique_ptr<Bench>& model : models) model->step();
    }
    for (std::unique_ptr<Bench>& model : models) model->synchronize();
    step_s.push_back((monotonic_s() - step_started_s) / together);
    count += together * static_cast<std::int64_t>(models.size());
  }
  return step_s;
}

// On a CPU a thread takes one model after the other, each for as long; on a GPU it gives its models work in turn.
std::vector<double> timed_steps(Models& models, int threads, double seconds, double& steps_per_s) {
  const bool in_turn = models.front()->on_cuda();
  const std::size_t groups =
      in_turn ? std::min(models.size(), static_cast<std::size_t>(threads)) : models.size();
  std::vector<std::int64_t> counts(groups, 0);
  std::vector<double> step_s;
  const double started_s = monotonic_s();
  parallel_for(groups, threads, [&](std::size_t g) {
    const std::size_t first = g * models.size() / groups;
    const std::size_t last = (g + 1) * models.size() / groups;
    std::vector<double> own = timed_steps(std::span(models).subspan(first, last - first), seconds, counts[g]);
    if (g == 0) step_s = std::move(own);
  });
  std::int64_t total = 0;
  for (const std::int64_t count : counts) total += count;
  steps_per_s = static_cast<double>(total) / (monotonic_s() - started_s);
  return step_s;
}

}  // namespace

TrainBenchReport bench_train(const TrainBenchOptions& options) {
  const std::string problem = nn::classifier_problem(options.network, options.sizes);
  if (!problem.empty()) throw ConfigError(problem);
  const DrawnData data = draw(options);
  TrainBenchReport report;
  report.device = to_string(options.device);
  report.device_name = nn::device_label(options.device);
  report.threads = options.threads;
  report.models = options.models;
  report.batch = options.sizes.max_batch;
  report.frames = options.frames;
  const PeakMemory memory;
  Models models;
  for (int m = 0; m < options.models; ++m)
    models.push_back(std::make_unique<Bench>(options, data, static_cast<std::uint32_t>(m)));
  report.parameters = models.front()->network().trained_count();
  if (!options.dump.empty()) dump(options, data, *models.front());
  const int first_steps = options.dump.empty() ? 2 : kTwinSteps;
  for (int step = 0; step < first_steps; ++step) {
    models.front()->step();
    report.losses.push_back(models.front()->mean_loss());
  }
  if (!options.dump.empty()) {
    JsonValue losses = JsonValue::list();
    for (const double loss : report.losses) losses.items.push_back(JsonValue::of(loss));
    write_atomically(options.dump + "/losses.json", write_json(losses));
  }
  double ignored = 0;
  timed_steps(models, options.threads, options.seconds / 10, ignored);
  report.step_s = timed_steps(models, options.threads, options.seconds, report.steps_per_s);
  report.growth_bytes = memory.growth_bytes();
  return report;
}

JsonValue bench_json(const TrainBenchReport& report) {
  const Spread step = spread_of(report.step_s);
  JsonValue out = JsonValue::object();
  out.set("device", JsonValue::of(report.device));
  out.set("device_name", JsonValue::of(report.device_name));
  out.set("threads", JsonValue::of(report.threads));
  out.set("models", JsonValue::of(report.models));
  out.set("batch", JsonValue::of(report.batch));
  out.set("frames", JsonValue::of(report.frames));
  out.set("parameters", JsonValue::of(report.parameters));
  JsonValue times = JsonValue::object();
  times.set("median", JsonValue::of(step.median));
  times.set("min", JsonValue::of(step.min));
  times.set("max", JsonValue::of(step.max));
  out.set("step_s", std::move(times));
  out.set("steps_per_s", JsonValue::of(report.steps_per_s));
  out.set("growth_bytes", JsonValue::of(report.growth_bytes));
  JsonValue losses = JsonValue::list();
  for (const double loss : report.losses) losses.items.push_back(JsonValue::of(loss));
  out.set("losses", std::move(losses));
  return out;
}

std::string bench_text(const TrainBenchReport& report) {
  const Spread step = spread_of(report.step_s);
  std::ostringstream out;
  out.setf(std::ios::fixed);
  out.precision(2);
  out << report.device_name << ", " << report.threads << (report.threads == 1 ? " thread, " : " threads, ")
      << report.models << (report.models == 1 ? " model" : " models") << " of " << report.parameters
      << " parameters, batch " << report.batch << ", " << report.frames << " frames\n";
  out << "step of one model  " << 1e3 * step.median << " ms (" << 1e3 * step.min << " to " << 1e3 * step.max
      << ")\n";
  out << "all models         " << report.steps_per_s << " steps/s, "
      << report.steps_per_s * static_cast<double>(report.batch) << " recordings/s\n";
  out << "memory             " << static_cast<double>(report.growth_bytes) / (1 << 20)
      << " MiB more at the peak\n";
  out << "loss               " << report.losses.front() << " at first, " << report.losses.back()
      << " in step " << report.losses.size() << "\n";
  return out.str();
}

}  // namespace serval::experiment
