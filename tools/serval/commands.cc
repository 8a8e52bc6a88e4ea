#include "commands.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <iomanip>
#include <iostream>

#include "serval/audio/corpus_check.h"
#include "serval/core/context.h"
#include "serval/core/error.h"
#include "serval/core/files.h"
#include "serval/core/json.h"
#include "serval/core/log.h"
#include "serval/core/parallel.h"
#include "serval/core/version.h"
#include "serval/corpus/corpus_use.h"
#include "serval/corpus/manifest_csv.h"
#include "serval/corpus/scan.h"
#include "serval/experiment/bench_features.h"
#include "serval/experiment/bench_train.h"
#include "serval/experiment/dataset.h"
#include "serval/experiment/resolve.h"
#include "serval/experiment/run.h"
#include "serval/experiment/sweep.h"
#include "serval/experiment/sweep_executor.h"
#include "serval/nn/cpu_level.h"
#include "serval/store/housekeeping.h"

namespace serval::cli {

int threads_of(const Common& common) {
  set_quiet(common.quiet);
  return common.threads > 0 ? common.threads : hardware_threads();
}

namespace {

JsonValue facts_json(const store::StoreFacts& facts) {
  JsonValue out = JsonValue::object();
  out.set("path", JsonValue::of(facts.path.string()));
  out.set("kind", JsonValue::of(facts.kind));
  out.set("key", JsonValue::of(facts.key));
  out.set("finished", JsonValue::of(facts.finished));
  out.set("being_written", JsonValue::of(facts.being_written));
  out.set("items", JsonValue::of(facts.items));
  out.set("sources", JsonValue::of(facts.sources));
  out.set("shards", JsonValue::of(facts.shards));
  out.set("bytes", JsonValue::of(facts.bytes));
  out.set("created", JsonValue::of(facts.created));
  out.set("parameters",
          facts.parameters.empty() ? JsonValue() : parse_json(facts.parameters, facts.path.string()));
  out.set("problem", JsonValue::of(facts.problem));
  return out;
}

// JSON on one line, for people.
std::string on_one_line(const std::string& json) {
  std::string out;
  for (const char c : json) {
    if (c == '\n') continue;
    if (c == ' ' && (out.empty() || out.back() == ' ' || out.back() == '{' || out.back() == '[')) continue;
    out += c;
  }
  return out;
}

std::string state_of(const store::StoreFacts& facts) {
  std::string out;
  if (facts.shards > 0) out += cat("  ", facts.shards, facts.shards == 1 ? " shard" : " shards");
  if (!facts.finished) {
    out += cat("  unfinished: ", facts.items, " recordings of ",
               facts.sources > 0 ? cat(facts.sources) : std::string("more"), " are there");
    out += facts.being_written ? ", it is being written" : ", the same command continues";
  } else if (facts.being_written) {
    out += "  being written again";
  }
  return facts.problem.empty() ? out : out + "  " + facts.problem;
}

}  // namespace

experiment::ExperimentSettings ExperimentArguments::load() const {
  return experiment::load_experiment(
      file, overrides, quick ? experiment::ExperimentSize::kQuick : experiment::ExperimentSize::kFull);
}

void run(const Common& common, const ExperimentArguments& arguments) {
  const int threads = threads_of(common);
  const experiment::ExperimentSettings settings = arguments.load();
  const Device device = choose_device(common.device);
  const experiment::RunOutcome outcome =
      experiment::run_experiment(settings, {device, threads, arguments.out});
  if (outcome.already_finished) {
    log_info(cat(outcome.folder,
                 ": this run is already finished; its recordings and labels are not looked at again, "
                 "--out DIR starts anew"));
  }
  std::cout << (common.json ? outcome.results_json : outcome.results_text);
  if (!common.json) std::cout << "  report: " << outcome.folder << "/report.html\n";
}

void features(const Common& common, const ExperimentArguments& arguments) {
  const int threads = threads_of(common);
  const experiment::ExperimentSettings settings = arguments.load();
  const Device device = choose_device(common.device);
  const experiment::Dataset dataset = experiment::make_dataset(settings, {device, threads, false});
  JsonValue out = JsonValue::object();
  out.set("recordings", JsonValue::of(static_cast<std::int64_t>(dataset.manifest.recordings.size())));
  out.set("skipped", JsonValue::of(dataset.skipped));
  JsonValue sets = JsonValue::object();
  for (const experiment::FeatureSet& set : dataset.features) {
    JsonValue item = JsonValue::object();
    const std::string store = set.stored ? cat(settings.store, "/features-", set.key, ".h5") : "";
    item.set("store", store.empty() ? JsonValue() : JsonValue::of(store));
    item.set("frames", JsonValue::of(set.offsets.back()));
    item.set("dimension", JsonValue::of(set.dimension));
    if (!common.json) {
      std::cout << set.name << ": " << set.offsets.back() << " frames of " << set.dimension << " values"
                << (set.stored ? " in " + store : ", which need no store") << '\n';
    }
    sets.set(set.name, std::move(item));
  }
  out.set("features", std::move(sets));
  if (common.json) std::cout << write_json(out);
}

void audit(const Common& common, const ExperimentArguments& arguments) {
  const int threads = threads_of(common);
  const std::string finished = arguments.file + "/audit.json";
  const bool of_run = std::filesystem::is_directory(arguments.file);
  if (of_run && !std::filesystem::exists(finished))
    throw ConfigError(cat(arguments.file, ": holds no audit.json, so it is no run's directory"));
  const audit::Audit audit = of_run ? audit::audit_of(parse_json_file(finished))
                                    : experiment::audit_experiment(arguments.load(), threads);
  std::cout << (common.json ? write_json(audit::to_json(audit)) : audit::audit_text(audit)) << std::flush;
  audit::require_passed(audit, arguments.file);
}

void corpus_check(const Common& common, const std::string& folder) {
  const int threads = threads_of(common);
  const audio::CheckReport report = audio::check_corpora(folder, threads);
  std::cout << (common.json ? write_json(audio::check_json(report)) : audio::check_text(report));
}

void corpus_scan(const Common& common, const std::string& use, const std::string& folder,
                 const std::string& out) {
  const int threads = threads_of(common);
  std::vector<corpus::Recording> recordings = corpus::find_recordings(corpus::corpus_use(use, folder));
  corpus::hash_contents(recordings, threads);
  if (out.empty()) {
    std::cout << corpus::manifest_csv(recordings);
  } else {
    corpus::write_manifest_csv(recordings, out);
    log_info(cat(out, ": ", recordings.size(), " recordings"));
  }
}

void store_list(const Common& common, const std::string& folder, bool verify) {
  const std::vector<store::StoreFacts> stores =
      verify ? store::verify_stores(folder) : store::list_stores(folder);
  JsonValue list = JsonValue::list();
  int problems = 0;
  for (const store::StoreFacts& facts : stores) {
    problems += facts.problem.empty() ? 0 : 1;
    if (common.json) {
      list.items.push_back(facts_json(facts));
    } else {
      std::cout << std::left << std::setw(9) << facts.kind << std::right << std::setw(8) << facts.items
                << std::setw(14) << facts.bytes << "  " << std::setw(20) << facts.created << "  "
                << facts.path.string() << state_of(facts) << '\n';
      if (!facts.parameters.empty()) std::cout << "          " << on_one_line(facts.parameters) << '\n';
    }
  }
  if (common.json) std::cout << write_json(list);
  if (verify && problems > 0) {
    throw DataError(cat(folder, ": ", problems, " of ", stores.size(),
                        " stores have a problem; `serval store prune` deletes damaged ones"));
  }
}

void store_prune(const Common& common, const std::string& folder, std::optional<double> older_than_days) {
  JsonValue list = JsonValue::list();
  for (const store::Pruned& pruned : store::prune_stores(folder, older_than_days)) {
    JsonValue item = JsonValue::object();
    item.set("path", JsonValue::of(pruned.path.string()));
    item.set("bytes", JsonValue::of(pruned.bytes));
    item.set("reason", JsonValue::of(pruned.reason));
    list.items.push_back(std::move(item));
    if (!common.json) std::cout << pruned.path.string() << ": " << pruned.reason << '\n';
  }
  if (common.json) std::cout << write_json(list);
}

void model_summary(const Common& common, const NetworkArguments& arguments) {
  const nn::NetworkSettings settings = experiment::load_network(arguments.file);
  const nn::NetworkSizes sizes = experiment::summary_sizes(settings, arguments.inputs, arguments.classes);
  std::int64_t trainable = 0, frozen = 0, statistics = 0;
  JsonValue layers = JsonValue::list();
  const std::vector<nn::LayerSummary> lines = nn::summarise(settings, sizes);
  std::size_t name_width = 5, type_width = 4, shape_width = 6;
  for (const nn::LayerSummary& layer : lines) {
    name_width = std::max(name_width, layer.name.size());
    type_width = std::max(type_width, layer.type.size());
    shape_width = std::max(shape_width, layer.output_shape.size());
  }
  const auto row = [&](const auto& name, const auto& type, const auto& shape, const auto& count) {
    if (common.json) return;
    std::cout << std::left << std::setw(static_cast<int>(name_width + 2)) << name
              << std::setw(static_cast<int>(type_width + 2)) << type
              << std::setw(static_cast<int>(shape_width + 2)) << shape << std::right << std::setw(12) << count
              << '\n';
  };
  row("layer", "type", "output", "parameters");
  for (const nn::LayerSummary& layer : lines) {
    (layer.frozen ? frozen : trainable) += layer.parameters;
    statistics += layer.non_trainable;
    JsonValue item = JsonValue::object();
    item.set("name", JsonValue::of(layer.name));
    item.set("type", JsonValue::of(layer.type));
    item.set("output_shape", JsonValue::of(layer.output_shape));
    item.set("parameters", JsonValue::of(layer.parameters));
    item.set("non_trainable", JsonValue::of(layer.non_trainable));
    layers.items.push_back(std::move(item));
    row(layer.name, layer.type, layer.output_shape, layer.parameters);
  }
  if (common.json) {
    JsonValue out = JsonValue::object();
    out.set("trainable", JsonValue::of(trainable));
    out.set("non_trainable", JsonValue::of(frozen + statistics));
    out.set("layers", std::move(layers));
    std::cout << write_json(out);
  } else {
    std::cout << "trainable " << trainable << ", non-trainable " << frozen + statistics << " (frozen "
              << frozen << ", statistics " << statistics << ")\n";
  }
}

void bench_features(const Common& common, const BenchArguments& arguments) {
  experiment::BenchOptions options;
  options.threads = threads_of(common);
  if (arguments.experiment.file.empty()) {
    options.features = experiment::bench_preset(arguments.preset);
  } else {
    const experiment::ExperimentSettings settings = arguments.experiment.load();
    options.features = settings.features;
    options.audio = settings.audio;
  }
  options.device = choose_device(common.device);
  options.folder = arguments.corpus;
  options.synthetic = arguments.synthetic;
  options.repeats = arguments.repeats;
  const experiment::BenchReport report = experiment::bench_features(options);
  std::cout << (common.json ? write_json(experiment::bench_json(report)) : experiment::bench_text(report));
}

void bench_train(const Common& common, const BenchTrainArguments& arguments) {
  experiment::TrainBenchOptions options;
  options.network = experiment::load_network(arguments.network.file);
  options.sizes =
      experiment::summary_sizes(options.network, arguments.network.inputs, arguments.network.classes);
  options.sizes.max_batch = arguments.batch;
  for (nn::InputSizes& input : options.sizes.inputs) input.max_time = arguments.frames;
  options.frames = arguments.frames;
  options.models = arguments.models;
  options.arithmetic.tf32 = arguments.tf32;
  options.threads = threads_of(common);
  options.device = choose_device(common.device);
  options.seconds = arguments.seconds;
  options.dump = arguments.dump;
  const experiment::TrainBenchReport report = experiment::bench_train(options);
  std::cout << (common.json ? write_json(experiment::bench_json(report)) : experiment::bench_text(report));
}

void info(const Common& common, bool ops) {
  std::string why;
  const std::vector<CudaDeviceInfo> gpus = cuda_devices(&why);
  JsonValue out = JsonValue::object();
  out.set("version", JsonValue::of(kVersion));
  out.set("cuda_build", JsonValue::of(built_with_cuda()));
  out.set("cpu", JsonValue::of(device_name({})));
  out.set("cpu_level", JsonValue::of(nn::cpu_level_name()));
  out.set("threads", JsonValue::of(hardware_threads()));
  JsonValue devices = JsonValue::list();
  for (const CudaDeviceInfo& gpu : gpus) {
    JsonValue item = JsonValue::object();
    item.set("device", JsonValue::of(cat("cuda:", gpu.index)));
    item.set("name", JsonValue::of(gpu.name));
    item.set("compute_capability", JsonValue::of(gpu.compute_capability));
    item.set("memory_bytes", JsonValue::of(static_cast<std::int64_t>(gpu.memory_bytes)));
    devices.items.push_back(std::move(item));
  }
  out.set("gpus", std::move(devices));
  JsonValue matrix = JsonValue::object();
  for (const OpRegistry::Row& row : op_registry().support()) {
    JsonValue item = JsonValue::object();
    item.set("cpu", JsonValue::of(row.cpu));
    item.set("cuda", JsonValue::of(row.cuda));
    matrix.set(row.name, std::move(item));
  }
  if (common.json) {
    if (ops) out.set("ops", std::move(matrix));
    std::cout << write_json(out);
    return;
  }
  std::cout << "serval " << kVersion << (built_with_cuda() ? ", built with CUDA" : ", CPU build") << '\n'
            << "cpu      " << device_name({}) << ", " << nn::cpu_level_name() << ", " << hardware_threads()
            << " threads\n";
  for (const CudaDeviceInfo& gpu : gpus) {
    std::cout << "cuda:" << gpu.index << "   " << gpu.name << ", compute capability "
              << gpu.compute_capability << ", " << (gpu.memory_bytes >> 20) << " MiB\n";
  }
  if (gpus.empty()) std::cout << "no GPU:  " << why << '\n';
  if (ops) {
    std::cout << '\n'
              << std::left << std::setw(28) << "operation"
              << "cpu  cuda\n";
    for (const auto& [name, item] : matrix.members) {
      std::cout << std::left << std::setw(28) << name << (item.find("cpu")->boolean ? "yes  " : "-    ")
                << (item.find("cuda")->boolean ? "yes" : "-") << '\n';
    }
  }
}

void schema(const std::string& of) {
  std::cout << write_json(of == "sweep"  ? experiment::sweep_schema()
                          : of == "site" ? experiment::site_schema()
                                         : experiment::experiment_schema());
}

}  // namespace serval::cli
