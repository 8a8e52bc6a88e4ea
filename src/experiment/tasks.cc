#include "tasks.h"

#include <algorithm>
#include <map>
#include <numeric>

#include "serval/core/error.h"
#include "serval/core/hash.h"
#include "serval/core/log.h"
#include "serval/core/settings_io.h"
#include "serval/features/extractor.h"

#include "augmentation.h"
#include "model_inputs.h"

namespace serval::experiment {

namespace {

// Raised whenever the same task would train to other weights than before.
constexpr int kTrainingVersion = 5;

std::size_t feature_index(const ExperimentSettings& settings, const std::string& name) {
  for (std::size_t i = 0; i < settings.features.size(); ++i) {
    if (settings.features[i].first == name) return i;
  }
  throw InternalError(cat("no feature set ", name));
}

// A model with its inputs worked out.
struct ModelPlan {
  NamedList<InputSettings> inputs;
  std::vector<std::size_t> sets = {};  // the feature set of each input
  std::vector<train::TaskInput> task_inputs = {};
};

// From a frame to the next one in samples; 0 where that has no meaning.
std::int64_t hop_of(const ExperimentSettings& settings, std::size_t set) {
  const features::FeatureSettings& feature = settings.features[set].second;
  if (!features::from_audio(feature.type)) return 0;
  const Context context;
  return features::Extractor(feature, settings.audio.sample_rate_hz, context).hop_samples();
}

void need_one_row(const std::string& reader, const std::string& features, const train::TrainingData& data) {
  for (std::size_t r = 0; r + 1 < data.offsets.size(); ++r) {
    const std::int64_t frames = data.frames(static_cast<std::int64_t>(r));
    if (frames == 1) continue;
    throw ConfigError(cat(reader, " reads one vector a recording, but \"", features, "\" has ", frames,
                          " frames of recording number ", r + 1,
                          "; give the feature set statistics, such as [\"mean\", \"std\"]"));
  }
}

// `heads` are the model's in any fold.
ModelPlan plan_model(const ExperimentSettings& settings, const std::string& name, const ModelSettings& model,
                     const std::vector<train::Head>& heads, const DeviceFeatures& data) {
  ModelPlan plan{.inputs = model.all_inputs()};
  std::vector<features::InputSource> sources;
  nn::NetworkSizes sizes;
  sizes.classes = data.front()->classes;
  for (const auto& [input_name, input] : plan.inputs) {
    const std::size_t set = feature_index(settings, input.features);
    plan.sets.push_back(set);
    sources.push_back({input.features, &data[set]->offsets, hop_of(settings, set)});
    train::TaskInput& task_input = plan.task_inputs.emplace_back();
    task_input.name = input_name;
    task_input.data = data[set];
    if (!model.network) {
      need_one_row(cat("models.", name, ".learner"), input.features, *data[set]);
      continue;
    }
    try {
      const InputForm form = input_form(input_name, input, *model.network, data[set]->feature);
      task_input.kind = form.kind;
      task_input.image = form.image;
      sizes.inputs.push_back({form.item, std::int64_t{1} << 16});
    } catch (const ConfigError& error) {
      throw ConfigError(cat("models.", name, ": ", error.what()));
    }
    if (task_input.kind == nn::InputKind::kVector)
      need_one_row(cat("models.", name, ", input ", input_name), input.features, *data[set]);
  }
  if (!model.network) return plan;
  if (heads.empty()) {
    const std::string problem = nn::classifier_problem(*model.network, sizes);
    if (!problem.empty()) throw ConfigError(cat("models.", name, ".network: ", problem));
  }
  for (const train::Head& head : heads) {
    const std::string problem = train::head_problem(*model.network, sizes, head.output, *head.target);
    const std::string place = model.heads.empty() ? "target" : cat("heads.", head.output);
    if (!problem.empty()) throw ConfigError(cat("models.", name, ".", place, ": ", problem));
  }
  std::vector<std::string> counts;
  std::vector<float> values;
  if (plan.inputs.front().second.key_segments > 0) {
    const train::TrainingData& first = *plan.task_inputs.front().data;
    values = first.values.to_host();
    sources.front().values = values.data();
    sources.front().dimension = first.feature;
  }
  try {
    const auto items = model_items(plan.inputs, sources, &counts);
    for (std::size_t i = 0; i < items.size(); ++i) plan.task_inputs[i].items = items[i];
  } catch (const ConfigError& error) {
    throw ConfigError(cat("models.", name, ".", error.what()));
  }
  for (const std::string& count : counts)
    log_info(cat("model ", name, ": ", data.front()->labels.size(), " recordings in ", count));
  return plan;
}

template <class T>
void hash_values(Hasher& hasher, const std::vector<T>& values) {
  hasher.integer(static_cast<std::int64_t>(values.size())).bytes(values.data(), values.size() * sizeof(T));
}

void hash_head(Hasher& hasher, const train::Head& head) {
  hasher.text(head.output).text(head.target->name).integer(static_cast<std::int64_t>(head.target->kind));
  for (const std::string& name : head.target->names) hasher.text(name);
  hash_values(hasher, head.target->labels);
  hash_values(hasher, head.target->rows);
  hash_values(hasher, head.scaling.mean);
  hash_values(hasher, head.scaling.scale);
  train::OutputLoss loss = head.loss;
  hasher.text(write_json(settings_to_json(loss))).text(json_number(head.weight));
}

// `before`: the keys of the tasks whose weights or choices this one starts from; "": none of this experiment.
std::string hash_task(const train::Task& task, const ModelPlan& plan, const Dataset& dataset,
                      const Device& device, const std::string& augmentation, const std::string& before) {
  Hasher hasher;
  hasher.integer(kTrainingVersion).text(to_string(device.kind));
  if (!augmentation.empty()) hasher.text(augmentation);
  hasher.text(before);
  for (std::size_t i = 0; i < plan.inputs.size(); ++i) {
    InputSettings input = plan.inputs[i].second;
    hasher.text(plan.inputs[i].first).text(dataset.features[plan.sets[i]].key);
    hasher.text(write_json(settings_to_json(input)));
    for (const auto* values : {&task.inputs[i].normaliser.mean, &task.inputs[i].normaliser.scale})
      hasher.bytes(values->data(), values->size() * sizeof(float));
  }
  if (task.network) {
    nn::NetworkSettings network = *task.network;
    hasher.text(write_json(settings_to_json(network)));
    train::TrainSettings settings = task.settings;
    // These change no result.
    settings.checkpoint_every_s = 0;
    settings.parallel_models.clear();
    hasher.text(write_json(settings_to_json(settings)));
    for (const train::Head& head : task.heads) hash_head(hasher, head);
    if (task.initial_weights) {
      for (const auto& [name, array] : task.initial_weights->map) hasher.text(name).text(array);
      if (before.empty()) hasher.text(hash_file(task.initial_weights->path(task.fold, task.seed)));
    }
  } else {
    learners::LearnerSettings learner = task.learner.value();
    hasher.text(write_json(settings_to_json(learner)));
  }
  hasher.integer(task.fold).integer(static_cast<std::int64_t>(task.seed)).integer(task.inner);
  for (const std::string& leak : task.protocol.leaks) hasher.text(leak);
  for (const auto* side : {&task.sides.train, &task.sides.validation, &task.sides.test}) {
    hasher.integer(static_cast<std::int64_t>(side->size()));
    for (const std::int64_t r : *side) {
      hasher.text(dataset.manifest.recordings[static_cast<std::size_t>(r)].id);
      hasher.integer(dataset.manifest.class_of[static_cast<std::size_t>(r)]);
    }
  }
  return hasher.hex();
}

// Where a task starts from another model's weights: names its checkpoint of the same fold and seed, and gives the key of
// the task that writes it. "" for the others.
std::string start_from(train::Task& task, const std::vector<train::Task>& tasks) {
  if (!task.initial_weights || task.initial_weights->model.empty()) return "";
  for (const train::Task& other : tasks) {
    if (other.model != task.initial_weights->model || other.fold != task.fold || other.seed != task.seed ||
        other.inner != task.inner)
      continue;
    task.initial_weights->file = other.folder + "/checkpoint.h5";
    NamedList<std::string>& map = task.initial_weights->map;
    if (map.empty()) map.emplace_back("*", "*");
    for (auto& [block, array] : map) array = "selected/" + array;
    return other.key;
  }
  throw InternalError(cat("no task of model ", task.initial_weights->model));
}

std::vector<int> corpus_numbers(const corpus::Manifest& manifest) {
  std::vector<std::string> names;
  std::vector<int> out;
  for (const corpus::Recording& recording : manifest.recordings) {
    auto found = std::find(names.begin(), names.end(), recording.corpus);
    if (found == names.end()) found = names.insert(names.end(), recording.corpus);
    out.push_back(static_cast<int>(found - names.begin()));
  }
  return out;
}

folds::Normaliser as_they_are(std::int64_t columns) {
  const auto count = static_cast<std::size_t>(columns);
  return {std::vector<float>(count, 0.0f), std::vector<float>(count, 1.0f), {}};
}

// Places in `folds`, those of inner folds before all others.
std::vector<std::size_t> inner_first(const std::vector<folds::Fold>& folds) {
  std::vector<std::size_t> places(folds.size());
  std::iota(places.begin(), places.end(), std::size_t{0});
  std::stable_partition(places.begin(), places.end(),
                        [&](std::size_t place) { return folds[place].inner > 0; });
  return places;
}

}  // namespace

DeviceFeatures take_features(Dataset& dataset, const Device& device) {
  DeviceFeatures data;
  for (FeatureSet& set : dataset.features) {
    auto shared = std::make_shared<train::TrainingData>();
    shared->feature = set.dimension;
    shared->classes = static_cast<std::int64_t>(dataset.manifest.classes.size());
    shared->offsets = set.offsets;
    shared->labels = dataset.manifest.class_of;
    shared->corpora = corpus_numbers(dataset.manifest);
    shared->values = Tensor::from_host(device, set.values, {set.offsets.back(), set.dimension});
    std::vector<float>().swap(set.values);
    data.push_back(std::move(shared));
  }
  return data;
}

std::vector<train::Task> make_tasks(const ExperimentSettings& settings, const Dataset& dataset,
                                    const DeviceFeatures& data, const std::vector<folds::Fold>& folds,
                                    const std::vector<std::vector<folds::Normaliser>>& normalisers,
                                    const FoldedTargets& targets, const RunDirectory& directory,
                                    const Device& device,
                                    const std::shared_ptr<const audio::Augmenter>& augmenter) {
  const auto copies = augmenter ? std::make_shared<const CopyMaker>(settings, augmenter, dataset) : nullptr;
  std::vector<train::Task> tasks;
  for (const auto& [name, model] : settings.models) {
    const ModelPlan plan =
        plan_model(settings, name, model, make_heads(settings, model, dataset, targets, 0), data);
    std::vector<features::FeatureSettings> features;
    for (const std::size_t set : plan.sets) features.push_back(settings.features[set].second);
    for (const std::int64_t seed : settings.seeds) {
      std::map<int, std::string> inner_keys;  // of each fold, all in one
      for (const std::size_t place : inner_first(folds)) {
        const folds::Fold& fold = folds[place];
        train::Task& task = tasks.emplace_back();
        task.model = name;
        task.fold = fold.index;
        task.inner = fold.inner;
        task.protocol = settings.protocol;
        task.seed = static_cast<std::uint64_t>(seed);
        task.inputs = plan.task_inputs;
        for (std::size_t i = 0; i < task.inputs.size(); ++i) {
          task.inputs[i].normaliser = plan.inputs[i].second.normalise
                                          ? normalisers[plan.sets[i]][place]
                                          : as_they_are(task.inputs[i].data->feature);
        }
        if (copies && model.network) task.augment = augmentation_of(copies, plan.inputs, features);
        task.network = model.network;
        task.learner = model.learner;
        task.initial_weights = model.initial_weights;
        task.settings = settings.train;
        // Inner folds have chosen for it.
        if (inner_keys.count(fold.index) > 0 && fold.inner == 0) task.settings.select = train::Select::kLast;
        task.heads = make_heads(settings, model, dataset, targets, static_cast<int>(place));
        task.sides = fold;
        task.folder = model_folder(directory.folder(), name, fold.index, task.seed);
        if (fold.inner > 0) task.folder += cat("/inner-", fold.inner);
        const std::string from = start_from(task, tasks) + (fold.inner > 0 ? "" : inner_keys[fold.index]);
        task.key = hash_task(task, plan, dataset, device, augmenter ? augmenter->fingerprint() : "", from);
        if (fold.inner > 0) inner_keys[fold.index] += task.key;
      }
    }
  }
  return tasks;
}

}  // namespace serval::experiment
