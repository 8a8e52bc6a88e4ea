#include "serval/experiment/run.h"

#include <algorithm>
#include <map>
#include <memory>
#include <set>

#include "serval/audit/audit.h"
#include "serval/core/files.h"
#include "serval/core/log.h"
#include "serval/core/settings_io.h"
#include "serval/core/version.h"
#include "serval/corpus/manifest_csv.h"
#include "serval/evaluate/cross_validation.h"
#include "serval/experiment/dataset.h"
#include "serval/nn/device_label.h"
#include "serval/report/run_report.h"
#include "serval/train/cohort.h"

#include "augmentation.h"
#include "feature_correlation.h"
#include "follow_training.h"
#include "fusion_stage.h"
#include "head_reports.h"
#include "peak_memory.h"
#include "plan.h"
#include "report_files.h"
#include "run_directory.h"
#include "stages.h"
#include "tasks.h"

namespace serval::experiment {

namespace {

constexpr const char* kTrainingStage = "training, all models";

void add_curve(report::ModelReport& model, const train::TaskResult& result) {
  if (result.history.empty()) return;
  report::LearningCurve curve;
  curve.fold = result.fold;
  curve.seed = result.seed;
  curve.selected_epoch = result.selected_epoch;
  for (const train::Epoch& epoch : result.history) {
    curve.train_loss.push_back(epoch.train_loss);
    curve.validation_loss.push_back(epoch.validation_loss);
    curve.validation_uar.push_back(epoch.validation_uar);
  }
  model.curves.push_back(std::move(curve));
}

// Whose scores these are.
struct Scorer {
  int fold = 0;
  std::uint64_t seed = 1;
  int inner = 0;
};

void add_predictions(std::vector<report::Prediction>& out, const corpus::Manifest& manifest, Scorer scorer,
                     const std::vector<std::int64_t>& recordings,
                     const evaluate::Probabilities& probabilities) {
  if (probabilities.empty()) return;  // no head of the classes
  for (std::size_t i = 0; i < recordings.size(); ++i) {
    const auto r = static_cast<std::size_t>(recordings[i]);
    const corpus::Recording& recording = manifest.recordings[r];
    const std::vector<float>& p = probabilities[i];
    out.push_back({recording.id, recording.corpus, recording.actor, manifest.class_of[r],
                   evaluate::most_probable(p), scorer.fold, scorer.seed, p,
                   corpus::to_string(recording.gender), recording.intensity, recording.sentence,
                   scorer.inner});
  }
}

// By model, in the order of the results, those of inner folds too.
std::map<std::string, std::vector<report::Prediction>> validation_predictions(
    const std::vector<train::TaskResult>& results, const corpus::Manifest& manifest) {
  std::map<std::string, std::vector<report::Prediction>> out;
  for (const train::TaskResult& result : results) {
    add_predictions(out[result.model], manifest, {result.fold, result.seed, result.inner}, result.validation,
                    result.validation_probabilities);
  }
  return out;
}

report::ModelReport model_report(const std::string& name, const std::vector<train::TaskResult>& results,
                                 const std::vector<train::Task>& tasks, const Dataset& dataset) {
  report::ModelReport model;
  model.name = name;
  for (const train::TaskResult& result : results) {
    if (result.model != name) continue;
    model.parameters = result.parameters;
    add_curve(model, result);
    add_predictions(model.predictions, dataset.manifest, {result.fold, result.seed}, result.recordings,
                    result.probabilities);
  }
  std::stable_sort(model.curves.begin(), model.curves.end(), [](const auto& a, const auto& b) {
    return a.fold != b.fold ? a.fold < b.fold : a.seed < b.seed;
  });
  report::score_predictions(model, static_cast<int>(dataset.manifest.classes.size()));
  report_heads(model, results, tasks, dataset.manifest);
  return model;
}

// The fusion comes first: it is what the experiment is about.
void report_fusion(report::RunReport& out, const FusionSettings& settings, const Fusion& fusion,
                   const Dataset& dataset) {
  report::FusionReport& how = out.fusion.emplace();
  how.rule = to_string(settings.rule);
  how.seeds = to_string(settings.seeds);
  how.models = fusion.models;
  report::ModelReport model;
  model.name = report::kFusion;
  for (const report::ModelReport& part : out.models) {
    if (std::find(fusion.models.begin(), fusion.models.end(), part.name) != fusion.models.end())
      model.parameters += part.parameters * fusion.members_of_model;
  }
  for (const FusedFold& fold : fusion.folds) {
    add_predictions(model.predictions, dataset.manifest, {fold.fold, fold.seed}, fold.recordings,
                    fold.probabilities);
    if (!fold.weights.empty()) how.folds.push_back({fold.fold, fold.seed, fold.weights});
  }
  report::score_predictions(model, static_cast<int>(dataset.manifest.classes.size()));
  out.models.insert(out.models.begin(), std::move(model));
}

std::vector<report::CorpusCount> count_corpora(const corpus::Manifest& manifest) {
  std::vector<report::CorpusCount> counts;
  std::map<std::string, std::set<std::string>> actors;
  for (const corpus::Recording& recording : manifest.recordings) {
    auto at = std::find_if(counts.begin(), counts.end(),
                           [&](const auto& c) { return c.corpus == recording.corpus; });
    if (at == counts.end()) at = counts.insert(counts.end(), {recording.corpus, 0, 0, false});
    ++at->recordings;
    at->synthetic = at->synthetic || recording.synthetic;
    actors[recording.corpus].insert(recording.actor);
  }
  for (report::CorpusCount& count : counts)
    count.actors = static_cast<std::int64_t>(actors[count.corpus].size());
  return counts;
}

// What came from elsewhere and does not say whom it heard.
std::vector<std::string> origin_stamps(const ExperimentSettings& settings,
                                       const std::vector<train::TaskResult>& results) {
  std::vector<std::string> stamps;
  std::set<std::string> silent;
  for (const train::TaskResult& result : results) {
    if (!result.lineage.weights_tell) silent.insert(result.model);
  }
  if (!silent.empty()) {
    stamps.push_back(
        cat("networks start from weights that do not tell whom they heard, test actors perhaps: ",
            join({silent.begin(), silent.end()}, ", ")));
  }
  std::vector<std::string> external;
  for (const auto& [name, set] : settings.features) {
    if (set.type == features::FeatureType::kExternal) external.push_back(name);
  }
  if (!external.empty()) {
    stamps.push_back(
        cat("features were made elsewhere, and the audit does not know what made them or whom "
            "that heard: ",
            join(external, ", ")));
  }
  return stamps;
}

std::vector<std::string> make_stamps(const Dataset& dataset, const std::vector<report::CorpusCount>& corpora,
                                     const std::vector<train::TaskResult>& results) {
  std::vector<std::string> stamps;
  // Of one model: learners fit on the host, wherever the networks beside them train.
  std::map<std::string, std::set<std::string>> devices;
  for (const train::TaskResult& result : results)
    devices[result.model].insert(result.devices.begin(), result.devices.end());
  for (const auto& [model, names] : devices) {
    if (names.size() < 2) continue;
    stamps.push_back(cat(model, " trained on different devices, so one device alone gives other bits: ",
                         join(std::vector<std::string>(names.begin(), names.end()), "; ")));
  }
  for (const report::CorpusCount& count : corpora) {
    if (count.synthetic) {
      stamps.push_back(cat("synthetic speech: corpus ", count.corpus,
                           " was made by a program; these figures say nothing about people"));
    }
  }
  if (!dataset.skipped.empty()) {
    stamps.push_back(
        cat(dataset.skipped.size(), " unusable recordings were left out: ", join(dataset.skipped, ", ")));
  }
  return stamps;
}

report::RunReport make_report(const ExperimentSettings& settings, const Dataset& dataset, const Plan& plan,
                              const std::vector<train::Task>& tasks,
                              const std::vector<train::TaskResult>& results,
                              const std::optional<Fusion>& fusion, const Device& device) {
  report::RunReport out;
  out.name = settings.name;
  out.classes = dataset.manifest.classes;
  out.corpora = count_corpora(dataset.manifest);
  for (const auto& [name, model] : settings.models)
    out.models.push_back(model_report(name, results, tasks, dataset));
  if (fusion) report_fusion(out, *settings.fusion, *fusion, dataset);
  out.configurations = static_cast<std::int64_t>(settings.models.size()) + settings.tried - 1;
  std::vector<int> labels;
  for (const folds::Fold& fold : plan.folds) {
    if (fold.inner == 0) {
      out.fold_sizes.push_back({fold.index, static_cast<std::int64_t>(fold.train.size()),
                                static_cast<std::int64_t>(fold.validation.size()),
                                static_cast<std::int64_t>(fold.test.size())});
    }
    for (const std::int64_t r : fold.test)
      labels.push_back(dataset.manifest.class_of[static_cast<std::size_t>(r)]);
  }
  out.chance = evaluate::chance(labels, static_cast<int>(out.classes.size()));
  out.audit = plan.audit;
  std::set<std::string> devices;
  for (const train::TaskResult& result : results)
    devices.insert(result.devices.begin(), result.devices.end());
  out.devices.assign(devices.begin(), devices.end());
  out.leaks = settings.protocol.leaks;
  out.stamps = folds::protocol_stamps(settings.protocol);
  for (std::string& stamp : make_stamps(dataset, out.corpora, results))
    out.stamps.push_back(std::move(stamp));
  for (std::string& stamp : origin_stamps(settings, results)) out.stamps.push_back(std::move(stamp));
  out.versions = {{"serval", kVersion}};
  out.device = to_string(device.kind);
  out.seconds = dataset.seconds;
  out.peak_bytes = dataset.peak_bytes;
  double training_s = 0;
  for (const train::TaskResult& result : results) training_s += result.seconds;
  out.seconds.emplace_back(kTrainingStage, training_s);
  return out;
}

// Null when nothing is augmented. Before anything is decoded, so that a missing folder of noise shows at once.
std::shared_ptr<const audio::Augmenter> make_augmenter(const ExperimentSettings& settings) {
  if (!settings.augment.enabled()) return nullptr;
  log_info(cat("augmentation: ", settings.augment.copies, " changed copies of each training recording, ",
               settings.augment.redraw == audio::Redraw::kOnce ? "the same" : "new ones", " in every epoch"));
  return std::make_shared<const audio::Augmenter>(settings.augment, settings.audio.sample_rate_hz);
}

// One experiment from its directory to its report.
struct Run {
  Run(const ExperimentSettings& experiment, const std::string& folder)
      : settings(experiment), directory(folder, experiment) {}

  void prepare(Dataset& dataset) {
    corpus::write_manifest_csv(dataset.manifest.recordings, directory.file("manifest.csv"));
    plan = plan_folds(settings, dataset);
    need_audit();
    correlations = feature_correlations(settings, dataset);
    fit_plan(plan, settings, dataset);
  }

  RunOutcome report(const Dataset& dataset, std::vector<train::TaskResult> results, const Device& device) {
    const std::optional<Fusion> fusion = fuse_models(settings, dataset.manifest, results);
    audit_results(plan, settings, dataset.manifest, tasks, results,
                  fusion ? fusion_statistics(*fusion, dataset.manifest) : std::vector<audit::Statistic>());
    need_audit();
    auto validation = validation_predictions(results, dataset.manifest);
    keep_outer(tasks, results);
    report::RunReport out = make_report(settings, dataset, plan, tasks, results, fusion, device);
    out.correlations = std::move(correlations);
    for (report::ModelReport& model : out.models) model.validation = std::move(validation[model.name]);
    out.experiment = read_text(directory.file("experiment.json"));
    return write_report_files(out, directory.folder());
  }

  void need_audit() const {
    write_atomically(directory.file("audit.json"), write_json(audit::to_json(plan.audit)));
    audit::require_passed(plan.audit, directory.folder());
  }

  const ExperimentSettings& settings;
  const RunDirectory directory;
  std::shared_ptr<const audio::Augmenter> augmenter;
  Plan plan;
  std::vector<report::FeatureCorrelation> correlations;
  std::vector<train::Task> tasks;
};

}  // namespace

audit::Audit audit_experiment(const ExperimentSettings& settings, int threads) {
  const Dataset dataset = make_dataset(settings, {Device{}, threads, true, false});
  return plan_folds(settings, dataset).audit;
}

std::string common_part(const ExperimentSettings& settings) {
  // This protocol changes the features themselves.
  if (settings.protocol.has(folds::Leak::kSpeakerStatistics)) return "";
  ExperimentSettings common = settings;
  common.name = common.description = "";
  common.models.clear();
  common.fusion.reset();
  common.seeds = {1};
  common.train = {};
  common.train.parallel_models = settings.train.parallel_models;
  return write_json(settings_to_json(common));
}

std::vector<RunOutcome> run_together(const std::vector<ExperimentSettings>& experiments,
                                     const std::vector<std::string>& folders, const Device& device,
                                     int threads) {
  std::vector<RunOutcome> outcomes(experiments.size());
  std::vector<std::unique_ptr<Run>> runs;
  std::vector<std::size_t> numbers;
  for (std::size_t i = 0; i < experiments.size(); ++i) {
    auto run = std::make_unique<Run>(experiments[i], folders[i]);
    outcomes[i].folder = run->directory.folder();
    if (run->directory.finished()) {
      outcomes[i].already_finished = true;
      outcomes[i].results_text = read_text(run->directory.file("results.txt"));
      outcomes[i].results_json = read_text(run->directory.file("results.json"));
      continue;
    }
    runs.push_back(std::move(run));
    numbers.push_back(i);
  }
  if (runs.empty()) return outcomes;
  for (std::size_t r = runs.size(); r-- > 0;) {
    open_log_file(runs[r]->directory.file("log.txt"));
    log_info(
        cat(runs[r]->settings.name, " on ", nn::device_label(device), ", ", threads, " threads, in ",
            runs[r]->directory.folder(),
            r > 0 ? cat(", together with the run that has the log: ", runs[0]->directory.folder()) : ""));
  }

  for (const auto& run : runs) run->augmenter = make_augmenter(run->settings);
  Dataset dataset = make_dataset(runs.front()->settings, {device, threads, true});
  for (const auto& run : runs) run->prepare(dataset);
  const DeviceFeatures features = take_features(dataset, device);
  std::vector<StagedRun> staged;
  for (const auto& run : runs) {
    run->tasks = make_tasks(run->settings, dataset, features, run->plan.folds, run->plan.normalisers,
                            run->plan.targets, run->directory, device, run->augmenter);
    staged.push_back({run->settings, run->tasks, {}});
  }
  run_stages(staged, {device, threads, 0, write_event_files()});
  dataset.peak_bytes.emplace_back(kTrainingStage, peak_memory_bytes());
  for (auto& [stage, seconds] : dataset.seconds) seconds /= static_cast<double>(runs.size());
  for (std::size_t r = 0; r < runs.size(); ++r)
    outcomes[numbers[r]] = runs[r]->report(dataset, std::move(staged[r].results), device);
  open_log_file("");
  return outcomes;
}

RunOutcome run_experiment(const ExperimentSettings& settings, const RunOptions& options) {
  const std::string folder = options.folder.empty() ? "runs/" + settings.name : options.folder;
  return run_together({settings}, {folder}, options.device, options.threads).front();
}

}  // namespace serval::experiment
