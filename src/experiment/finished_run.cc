#include "serval/experiment/finished_run.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <set>

#include "serval/audit/audit.h"
#include "serval/core/files.h"
#include "serval/core/log.h"
#include "serval/corpus/manifest_csv.h"

#include "json_fields.h"
#include "read_predictions.h"
#include "run_directory.h"

namespace serval::experiment {
namespace fs = std::filesystem;

namespace {

void need_finished(const std::string& folder) {
  std::error_code ignored;
  if (!fs::is_directory(folder, ignored)) throw DataError(cat(folder, ": there is no such folder"));
  if (!fs::exists(folder + "/experiment.json", ignored))
    throw DataError(cat(folder, ": holds no experiment.json, so it is no run's directory"));
  if (!fs::exists(folder + "/results.json", ignored)) {
    throw DataError(
        cat(folder, ": this run is not finished (there is no results.json); `serval run` continues it"));
  }
}

report::HeadReport head_of(const std::string& name, const JsonValue& json) {
  report::HeadReport out;
  out.name = name;
  out.target = text_field(json, "target");
  if (const JsonValue* numbers = json.find("numbers")) {
    out.numbers = true;
    for (const auto& [number, scores] : numbers->members) out.names.push_back(number);
  } else {
    out.names = texts_field(json, "classes");
  }
  return out;
}

std::string results_path(const std::string& folder) { return folder + "/results.json"; }

report::FeatureCorrelation correlation_of(const std::string& name, const JsonValue& json) {
  report::FeatureCorrelation out;
  out.features = name;
  out.columns = integer_field(json, "columns");
  out.names = texts_field(json, "names");
  for (const JsonValue& row : field(json, "correlations", JsonValue::Kind::kList).items) {
    for (const JsonValue& value : row.items)
      out.values.push_back(static_cast<float>(number_value(value, "r")));
  }
  if (out.values.size() != out.names.size() * out.names.size())
    throw DataError(
        cat(to_string(json.place), ": the correlations are no square of ", out.names.size(), " columns"));
  return out;
}

report::FusionReport fusion_of(const JsonValue& json) {
  report::FusionReport out;
  out.rule = text_field(json, "rule");
  out.seeds = text_field(json, "seeds");
  out.models = texts_field(json, "models");
  if (json.find("folds") == nullptr) return out;
  for (const JsonValue& item : field(json, "folds", JsonValue::Kind::kList).items) {
    report::FusionReport::Fold& fold = out.folds.emplace_back();
    fold.fold = static_cast<int>(integer_field(item, "fold")) - 1;
    fold.seed = static_cast<std::uint64_t>(integer_field(item, "seed"));
    const JsonValue& weights = field(item, "weights", JsonValue::Kind::kObject);
    for (const std::string& model : out.models) fold.weights.push_back(number_field(weights, model.c_str()));
  }
  return out;
}

// Everything of results.json that the predictions do not say.
report::RunReport report_of(const JsonValue& json) {
  using Kind = JsonValue::Kind;
  report::RunReport out;
  out.name = text_field(json, "name");
  out.classes = texts_field(json, "classes");
  for (const auto& [name, item] : field(json, "models", Kind::kObject).members) {
    report::ModelReport& model = out.models.emplace_back();
    model.name = name;
    model.parameters = integer_field(item, "parameters");
    if (const JsonValue* heads = item.find("heads")) {
      for (const auto& [head, scores] : heads->members) model.heads.push_back(head_of(head, scores));
    }
  }
  if (out.models.empty()) throw DataError(cat(to_string(json.place), ": models is empty"));
  if (const JsonValue* fusion = json.find("fusion")) out.fusion = fusion_of(*fusion);
  out.configurations = integer_field(json, "configurations");
  for (const auto& [name, item] : field(json, "corpora", Kind::kObject).members) {
    out.corpora.push_back({name, integer_field(item, "recordings"), integer_field(item, "actors"),
                           field(item, "synthetic", Kind::kBool).boolean});
  }
  const JsonValue& chance = field(json, "chance", Kind::kObject);
  out.chance = {number_field(chance, "uar"), number_field(chance, "majority_wa")};
  for (const JsonValue& item : field(json, "fold_sizes", Kind::kList).items) {
    out.fold_sizes.push_back({static_cast<int>(integer_field(item, "fold")) - 1, integer_field(item, "train"),
                              integer_field(item, "validation"), integer_field(item, "test")});
    if (out.fold_sizes.back().train < 1)
      throw DataError(cat(to_string(item.place), ": nothing was trained on"));
  }
  out.stamps = texts_field(json, "stamps");
  if (const JsonValue* correlations = json.find("feature_correlations")) {
    for (const auto& [name, item] : correlations->members)
      out.correlations.push_back(correlation_of(name, item));
  }
  for (const auto& [name, version] : field(json, "versions", Kind::kObject).members)
    out.versions.emplace_back(name, version.text);
  const JsonValue& device = field(json, "device", Kind::kObject);
  out.device = text_field(device, "kind");
  out.devices = texts_field(device, "names");
  for (const auto& [stage, value] : field(json, "seconds", Kind::kObject).members)
    out.seconds.emplace_back(stage, number_value(value, stage));
  const JsonValue& memory = field(json, "peak_bytes", Kind::kObject);
  for (const auto& [stage, value] : memory.members)
    out.peak_bytes.emplace_back(stage, integer_field(memory, stage.c_str()));
  return out;
}

// What results.json says of a model's predictions must be what the predictions say.
void check_scores(const report::ModelReport& model, const JsonValue& json, const std::string& folder) {
  const JsonValue& item = *json.find("models")->find(model.name);
  const JsonValue* pooled = item.find("pooled");
  const std::string path = folder + "/predictions.csv";
  if (pooled == nullptr) return;
  std::int64_t counted = 0;
  const evaluate::Scores& scores = model.summary.pooled;
  std::vector<std::int64_t> there;
  for (const JsonValue& row : field(*pooled, "confusion", JsonValue::Kind::kList).items) {
    for (const JsonValue& count : row.items) {
      counted += count.integer;
      there.push_back(count.integer);
    }
  }
  if (counted != scores.count) {
    throw DataError(cat(path, ": holds ", scores.count, " predictions of model ", model.name, ", ",
                        results_path(folder), " tells of ", counted,
                        ": the file is cut short, or of another run"));
  }
  std::vector<std::int64_t> here;
  for (const auto& row : scores.confusion) here.insert(here.end(), row.begin(), row.end());
  const double mean = number_field(
      field(field(item, "summary", JsonValue::Kind::kObject), "uar", JsonValue::Kind::kObject), "mean");
  if (here != there || std::abs(mean - model.summary.uar.mean) > 1e-9) {
    throw DataError(cat(path, ": gives model ", model.name, " a UAR of ", model.summary.uar.mean, ", ",
                        results_path(folder), " says ", mean, ": the files are of different runs"));
  }
}

// Every fold with every seed, and as many recordings as the run tested there.
void check_grid(const report::ModelReport& model, const report::RunReport& report,
                const std::string& folder) {
  std::map<std::pair<int, std::uint64_t>, std::int64_t> counts;
  std::set<std::uint64_t> seeds;
  for (const report::Prediction& p : model.predictions) {
    ++counts[{p.fold, p.seed}];
    seeds.insert(p.seed);
  }
  const auto fail = [&](int fold, std::uint64_t seed, std::int64_t here, std::int64_t there) {
    throw DataError(cat(folder, "/predictions.csv: holds ", here, " predictions of model ", model.name,
                        " in fold ", fold + 1, " with seed ", seed, ", ", results_path(folder), " tells of ",
                        there, ": the file is cut short, or of another run"));
  };
  for (const report::FoldSize& fold : report.fold_sizes) {
    for (const std::uint64_t seed : seeds) {
      const auto at = counts.find({fold.fold, seed});
      const std::int64_t here = at == counts.end() ? 0 : at->second;
      if (here != fold.test) fail(fold.fold, seed, here, fold.test);
      counts.erase({fold.fold, seed});
    }
  }
  if (!counts.empty()) {
    const auto& [place, here] = *counts.begin();
    fail(place.first, place.second, here, 0);
  }
}

std::vector<std::string> leaks_of(const JsonValue& experiment) {
  const JsonValue* protocol = experiment.find("protocol");
  return protocol == nullptr ? std::vector<std::string>{} : texts_field(*protocol, "leaks");
}

void read_curve(report::ModelReport& model, int fold, std::uint64_t seed, const std::string& path) {
  const JsonValue json = read_json_data(path);
  report::LearningCurve curve;
  curve.fold = fold;
  curve.seed = seed;
  curve.selected_epoch = static_cast<int>(integer_field(json, "selected_epoch"));
  for (const JsonValue& epoch : field(json, "history", JsonValue::Kind::kList).items) {
    curve.train_loss.push_back(number_field(epoch, "train_loss"));
    curve.validation_loss.push_back(number_field(epoch, "validation_loss"));
    curve.validation_uar.push_back(number_field(epoch, "validation_uar"));
  }
  if (!curve.train_loss.empty()) model.curves.push_back(std::move(curve));
}

}  // namespace

FinishedRun read_finished_run(const std::string& folder) {
  need_finished(folder);
  FinishedRun out;
  out.folder = folder;
  const JsonValue json = read_json_data(results_path(folder));
  out.report = report_of(json);
  out.report.audit = audit::audit_of(read_json_data(folder + "/audit.json"));
  audit::require_passed(out.report.audit, folder);
  out.report.experiment = read_text(folder + "/experiment.json");
  out.report.leaks = leaks_of(read_json_data(folder + "/experiment.json"));
  out.recordings = corpus::read_manifest_csv(folder + "/manifest.csv");
  RecordingsById by_id;
  for (const corpus::Recording& recording : out.recordings) {
    by_id[recording.id] = &recording;
    out.contents[recording.id] = recording.content_hash;
  }
  read_predictions(folder + "/predictions.csv", by_id, out.report);
  bool any_heads = false;
  for (report::ModelReport& model : out.report.models) {
    any_heads = any_heads || !model.heads.empty();
    const bool scored = json.find("models")->find(model.name)->find("summary") != nullptr;
    if (!scored && model.predictions.empty()) continue;
    check_grid(model, out.report, folder);
    report::score_predictions(model, static_cast<int>(out.report.classes.size()));
    check_scores(model, json, folder);
  }
  if (any_heads) read_head_predictions(folder + "/head_predictions.csv", out.report);
  return out;
}

void read_curves(FinishedRun& run) {
  // Nothing trained in a fusion of other runs.
  if (parse_json(run.report.experiment, run.folder + "/experiment.json").find("fused_runs") != nullptr)
    return;
  int missing = 0;
  for (report::ModelReport& model : run.report.models) {
    std::set<std::pair<int, std::uint64_t>> places;
    for (const evaluate::FoldScores& fold : model.folds) places.emplace(fold.fold, fold.seed);
    for (const report::HeadPrediction& p : model.head_predictions) places.emplace(p.fold, p.seed);
    for (const auto& [fold, seed] : places) {
      const std::string path = model_folder(run.folder, model.name, fold, seed) + "/result.json";
      if (fs::exists(path))
        read_curve(model, fold, seed, path);
      else if (model.name != report::kFusion)
        ++missing;
    }
  }
  if (missing > 0)
    log_warning(cat(run.folder, "/models: lacks result.json of ", missing,
                    " trainings; their learning curves are left out"));
}

const report::ModelReport& chosen_model(const FinishedRun& run, const std::string& name) {
  std::vector<const report::ModelReport*> with_classes;
  std::vector<std::string> names;
  for (const report::ModelReport& model : run.report.models) {
    if (!model.has_classes()) continue;
    with_classes.push_back(&model);
    names.push_back(model.name);
  }
  if (with_classes.empty()) throw ConfigError(cat(run.folder, ": no model of this run tells classes"));
  const std::string wanted = name.empty() ? report::kFusion : name;
  const auto at = std::find(names.begin(), names.end(), wanted);
  if (at != names.end()) return *with_classes[static_cast<std::size_t>(at - names.begin())];
  if (!name.empty()) {
    throw ConfigError(cat(run.folder, ": there is no model \"", name, "\" that tells classes; there are ",
                          join(names, ", ")));
  }
  if (names.size() > 1) {
    throw ConfigError(cat(run.folder, ": has the models ", join(names, ", "), "; name one, as in ",
                          run.folder, ":", names.front()));
  }
  return *with_classes.front();
}

RunName run_name(const std::string& text) {
  std::error_code ignored;
  const std::size_t colon = text.rfind(':');
  const bool whole = colon == std::string::npos || fs::exists(text, ignored);
  // "runs/a" and "./runs/a/" are one run.
  std::string folder = fs::path(whole ? text : text.substr(0, colon)).lexically_normal().string();
  if (folder.size() > 1 && folder.back() == '/') folder.pop_back();
  return {folder, whole ? "" : text.substr(colon + 1)};
}

}  // namespace serval::experiment
