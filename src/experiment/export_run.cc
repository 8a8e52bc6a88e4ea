#include "serval/experiment/export_run.h"

#include <algorithm>
#include <set>

#include "serval/core/error.h"
#include "serval/core/files.h"
#include "serval/core/sha256.h"
#include "serval/experiment/finished_run.h"
#include "serval/experiment/resolve.h"
#include "serval/store/hdf5.h"
#include "serval/store/seal.h"
#include "serval/train/fitted_learner.h"

#include "json_fields.h"
#include "model_card.h"
#include "refit.h"
#include "run_directory.h"
#include "run_scores.h"
#include "weight_loss.h"

namespace serval::experiment {

namespace {

using deploy::Bundle;
using deploy::BundleMember;
using deploy::BundleRule;

std::string numbers(const std::vector<std::int64_t>& values) {
  std::vector<std::string> out;
  for (const std::int64_t value : values) out.push_back(cat(value));
  return join(out, ", ");
}

struct Choice {
  std::string model;                // a model, or the fusion
  std::vector<std::string> models;  // whose networks go in
  std::vector<std::int64_t> folds;  // from 1
  std::vector<std::int64_t> seeds;
  bool fusion = false, together = false;
};

// One of them, or all: `chosen` as the options have it, `all` that each is wanted.
std::vector<std::int64_t> choose(const std::string& what, const std::vector<std::int64_t>& there,
                                 const std::optional<std::int64_t>& chosen, bool all,
                                 const std::string& run) {
  if (chosen && all) throw ConfigError(cat("--", what, " and --ensemble ", what, "s: choose one of the two"));
  if (all) return there;
  if (chosen) {
    if (std::find(there.begin(), there.end(), *chosen) == there.end())
      throw ConfigError(cat(run, ": has no ", what, " ", *chosen, "; it has ", numbers(there)));
    return {*chosen};
  }
  if (there.size() > 1) {
    throw ConfigError(cat(run, ": has the ", what, "s ", numbers(there), "; take one with --", what,
                          ", or the mean of all with --ensemble ", what, "s"));
  }
  return there;
}

Choice choose(const ExportOptions& options, const ExperimentSettings& settings, const FinishedRun& run) {
  Choice out;
  std::vector<std::string> names;
  for (const report::ModelReport& model : run.report.models) {
    if (model.has_classes()) names.push_back(model.name);
  }
  if (options.model.empty() && names.size() != 1)
    throw ConfigError(cat(options.run, ": has the models ", join(names, ", "), "; name one with --model"));
  out.model = chosen_model(run, options.model.empty() ? names.front() : options.model).name;
  out.fusion = run.report.fusion && out.model == report::kFusion;
  out.models = out.fusion ? run.report.fusion->models : std::vector<std::string>{out.model};
  out.together = out.fusion && settings.fusion->seeds == FusedSeeds::kTogether;
  std::vector<std::int64_t> folds;
  for (const report::FoldSize& fold : run.report.fold_sizes) folds.push_back(fold.fold + 1);
  if (options.refit) {
    if (options.fold || options.all_folds)
      throw ConfigError("--refit trains on every actor; leave out --fold and --ensemble folds");
    out.folds = {static_cast<std::int64_t>(folds.size()) + 1};
  } else {
    out.folds = choose("fold", folds, options.fold, options.all_folds, options.run);
  }
  if (out.together) {
    if (options.seed || options.all_seeds)
      throw ConfigError(cat(
          options.run, ": the fusion averages its seeds by itself; leave out --seed and --ensemble seeds"));
    out.seeds = settings.seeds;
  } else {
    out.seeds = choose("seed", settings.seeds, options.seed, options.all_seeds, options.run);
  }
  return out;
}

const ModelSettings& model_of(const ExperimentSettings& settings, const std::string& name) {
  for (const auto& [known, model] : settings.models) {
    if (known == name) return model;
  }
  throw DataError(cat("experiment.json: there is no model ", name));
}

void check_deployable(const ExperimentSettings& settings, const Choice& choice) {
  if (settings.protocol.has(folds::Leak::kSpeakerStatistics)) {
    throw ConfigError(
        "protocol.leaks has speaker_statistics: features are normalised by all recordings of a speaker, "
        "which a deployed model does not have; it cannot be exported");
  }
  for (const std::string& name : choice.models) {
    const ModelSettings& model = model_of(settings, name);
    for (const auto& [input_name, input] : model.all_inputs()) {
      for (const auto& [set, features] : settings.features) {
        if (set != input.features || features::from_audio(features.type)) continue;
        throw ConfigError(cat("models.", name, ", input ", input_name, ": features.", set,
                              " are not computed from sound, so that no recording can be scored by itself"));
      }
    }
  }
}

deploy::BundleModel bundle_model(const ExperimentSettings& settings, const ModelSettings& model) {
  deploy::BundleModel out;
  out.inputs = model.all_inputs();
  if (model.learner) {
    out.learner = *model.learner;
    return out;
  }
  out.network = *model.network;
  const train::LossSettings& loss = settings.train.loss;
  train::LossType type = loss.type;
  if (model.heads.empty()) {
    for (const train::BranchSettings& branch : loss.branches)
      out.outputs.push_back({branch.output, branch.weight});
    if (loss.branches.empty()) out.outputs.push_back({"", 1});
  }
  for (const auto& [output, head] : model.heads) {
    if (head.target != train::kClassTarget) continue;
    out.outputs.push_back({output, 1});
    if (head.loss) type = head.loss->type;
  }
  // As train/training_loss.cc makes scores.
  out.divides = out.outputs.size() > 1 || type == train::LossType::kMeanSquare;
  return out;
}

// Actors that the members have heard, or whose scores chose among their epochs.
struct Heard {
  std::set<std::string> trained, chosen;
};

BundleMember read_member(const std::string& run, const std::string& name, const ModelSettings& model,
                         int fold, std::int64_t seed, Heard& heard) {
  const std::string folder = model_folder(run, name, fold, static_cast<std::uint64_t>(seed));
  const char* const kind = model.learner ? "learner" : "checkpoint";
  const std::string path = cat(folder, "/", kind, ".h5");
  const store::Seal seal = store::verify_seal(path);
  if (seal.kind != kind || seal.key != text_field(read_json_data(folder + "/result.json"), "key"))
    throw DataError(cat(path, ": is not the ", kind, " that result.json beside it tells of"));
  const store::Hdf5File file = store::Hdf5File::open(path);
  BundleMember out;
  out.model = name;
  out.fold = fold;
  out.seed = static_cast<std::uint64_t>(seed);
  out.file = cat("weights/", name, "-fold-", fold + 1, "-seed-", seed, ".safetensors");
  if (model.learner) {
    out.state = train::read_learner(path).state;
  } else {
    for (const std::string& block : file.read_texts("blocks")) {
      const std::string array = "selected/" + block;
      out.arrays.push_back({block, file.shape(array), file.read_floats(array)});
    }
  }
  const NamedList<InputSettings> inputs = model.all_inputs();
  for (const auto& [input, settings] : inputs) {
    const bool first = input == inputs.front().first;
    const std::string group = first ? "normaliser" : "normalisers/" + input;
    for (const char* what : {"/mean", "/scale"})
      out.arrays.push_back(
          {"input/" + input + what, file.shape(group + what), file.read_floats(group + what)});
    for (const std::string& actor : file.read_texts(group + "/fitted_on_actors")) heard.trained.insert(actor);
  }
  const std::vector<std::string> trained = file.read_texts("lineage/actors_trained");
  const std::vector<std::string> chosen = file.read_texts("lineage/actors_chosen");
  heard.trained.insert(trained.begin(), trained.end());
  heard.chosen.insert(chosen.begin(), chosen.end());
  if (file.read_integer_attribute("weights_tell") != 0) {
    out.trained_on = trained;
    out.chosen_by = chosen;
  }
  return out;
}

BundleRule bundle_rule(FusionRule rule) {
  switch (rule) {
    case FusionRule::kMean:
      return BundleRule::kMean;
    case FusionRule::kWeighted:
    case FusionRule::kBest:  // one model has the weight 1
      return BundleRule::kWeighted;
    case FusionRule::kProduct:
      return BundleRule::kProduct;
    case FusionRule::kLogitAverage:
      return BundleRule::kLogitAverage;
    case FusionRule::kMaximum:
      return BundleRule::kMaximum;
    case FusionRule::kVote:
      return BundleRule::kVote;
    case FusionRule::kStacking:
      return BundleRule::kStacking;
  }
  throw InternalError("a fusion rule that bundles do not have");
}

// Of a refit, which has nobody to fit them on, the mean over all folds.
std::vector<double> fitted_weights(const report::FusionReport& fusion, int fold, std::uint64_t seed,
                                   bool refit) {
  if (refit) return fusion.mean_weights();
  for (const report::FusionReport::Fold& fitted : fusion.folds) {
    if (fitted.fold == fold && fitted.seed == seed) return fitted.weights;
  }
  throw DataError(cat("results.json: the fusion has no weights of fold ", fold + 1, ", seed ", seed));
}

// A run does not keep its regressions: they are fitted again, on the scores that it keeps, to the same bits.
BundleMember stacking_of(const FinishedRun& run, const std::vector<std::string>& models, int fold,
                         const std::vector<std::int64_t>& seeds) {
  const SeedSet chosen(seeds.begin(), seeds.end());
  std::vector<RunMember> members;
  for (const std::string& name : models) members.push_back({&run, &chosen_model(run, name), name, chosen});
  const SideScores fitted = scores_of(members, fold, &chosen, &report::ModelReport::validation);
  BundleMember out;
  out.model = "stacking";
  out.fold = fold;
  out.seed = static_cast<std::uint64_t>(seeds.size() > 1 ? 0 : seeds.front());
  out.file = cat("weights/stacking-fold-", fold + 1, "-seed-", out.seed, ".safetensors");
  out.state = fit_stacking(fitted.scores, fitted.labels(), static_cast<int>(run.report.classes.size()));
  return out;
}

void add_groups(Bundle& bundle, const Choice& choice, const FinishedRun& run, bool refit) {
  const auto place = [&](const std::string& model, int fold, std::int64_t seed) {
    const auto found =
        std::find_if(bundle.members.begin(), bundle.members.end(), [&](const BundleMember& member) {
          return member.model == model && member.fold == fold &&
                 member.seed == static_cast<std::uint64_t>(seed);
        });
    return found - bundle.members.begin();
  };
  for (const std::int64_t number : choice.folds) {
    const int fold = static_cast<int>(number) - 1;
    std::vector<std::vector<std::int64_t>> groups;  // seeds of each
    for (const std::int64_t seed : choice.seeds) {
      if (!choice.together || groups.empty()) groups.emplace_back();
      groups.back().push_back(seed);
    }
    for (const std::vector<std::int64_t>& seeds : groups) {
      deploy::BundleGroup& group = bundle.groups.emplace_back();
      group.fold = fold;
      group.seed = choice.together ? 0 : static_cast<std::uint64_t>(seeds.front());
      for (const std::string& model : choice.models) {
        std::vector<std::int64_t>& members = group.members.emplace_back();
        for (const std::int64_t seed : seeds) members.push_back(place(model, fold, seed));
      }
      if (bundle.rule == BundleRule::kStacking) group.stacking = stacking_of(run, choice.models, fold, seeds);
      if (bundle.rule == BundleRule::kWeighted)
        group.weights = fitted_weights(*run.report.fusion, fold, group.seed, refit);
    }
  }
}

JsonValue provenance(const FinishedRun& run, const Choice& choice, const Heard& heard,
                     const std::optional<Refit>& refit) {
  JsonValue out = JsonValue::object(), corpora = JsonValue::object(), versions = JsonValue::object();
  for (const report::CorpusCount& corpus : run.report.corpora) {
    JsonValue item = JsonValue::object();
    item.set("recordings", JsonValue::of(corpus.recordings));
    item.set("actors", JsonValue::of(corpus.actors));
    item.set("synthetic", JsonValue::of(corpus.synthetic));
    corpora.set(corpus.corpus, std::move(item));
  }
  for (const auto& [name, version] : run.report.versions) versions.set(name, JsonValue::of(version));
  out.set("run", JsonValue::of(run.report.name));
  out.set("model", JsonValue::of(choice.model));
  out.set("corpora", std::move(corpora));
  out.set("manifest_sha256", JsonValue::of(sha256_file(run.folder + "/manifest.csv")));
  out.set("experiment_sha256", JsonValue::of(sha256_file(run.folder + "/experiment.json")));
  out.set("trained_on_actors",
          JsonValue::of(std::vector<std::string>(heard.trained.begin(), heard.trained.end())));
  out.set("chosen_by_actors",
          JsonValue::of(std::vector<std::string>(heard.chosen.begin(), heard.chosen.end())));
  out.set("leaks", JsonValue::of(run.report.leaks));
  if (refit) {
    JsonValue epochs = JsonValue::object();
    for (const auto& [model, count] : refit->epochs) epochs.set(model, JsonValue::of(count));
    out.set("refit_epochs", std::move(epochs));
  }
  out.set("versions", std::move(versions));
  out.set("devices", JsonValue::of(run.report.devices));
  return out;
}

struct Exported {
  Bundle bundle;
  ExperimentSettings settings;
  FinishedRun run;
  std::string model;
};

Exported read_run(const ExportOptions& options) {
  Exported out;
  out.run = read_finished_run(options.run);
  if (parse_json(out.run.report.experiment, options.run + "/experiment.json").find("fused_runs") != nullptr) {
    throw ConfigError(
        cat(options.run,
            ": a fusion of finished runs keeps no weights; export those runs, or run one experiment that "
            "has all of their models and the fusion"));
  }
  try {
    out.settings = load_experiment(options.run + "/experiment.json", {});
  } catch (const ConfigError& error) {
    throw DataError(cat("this version cannot read the run's experiment: ", error.what()));
  }
  const Choice choice = choose(options, out.settings, out.run);
  check_deployable(out.settings, choice);
  out.model = choice.model;
  Bundle& bundle = out.bundle;
  bundle.name = out.run.report.name;
  bundle.classes = out.run.report.classes;
  bundle.audio = out.settings.audio;
  std::set<std::string> wanted;
  Heard heard;
  std::optional<Refit> refit;
  if (options.refit) {
    refit = refit_models(out.run, out.settings, choice.models, choice.seeds, options.device, options.threads);
  }
  const std::string folder = refit ? refit->folder : options.run;
  for (const std::string& name : choice.models) {
    const ModelSettings& model = model_of(out.settings, name);
    bundle.models.emplace_back(name, bundle_model(out.settings, model));
    for (const auto& [input_name, input] : bundle.models.back().second.inputs) wanted.insert(input.features);
    for (const std::int64_t fold : choice.folds) {
      for (const std::int64_t seed : choice.seeds)
        bundle.members.push_back(read_member(folder, name, model, static_cast<int>(fold) - 1, seed, heard));
    }
  }
  for (const auto& named : out.settings.features) {
    if (wanted.count(named.first) > 0) bundle.features.push_back(named);
  }
  bundle.rule = choice.fusion ? bundle_rule(out.settings.fusion->rule) : BundleRule::kNone;
  if (bundle.rule == BundleRule::kStacking) {
    if (options.refit)
      throw ConfigError(
          "a refit leaves nobody to fit fusion.rule stacking on; choose --fold, or another rule");
    read_validation(out.run);
  }
  add_groups(bundle, choice, out.run, options.refit);
  bundle.audit = out.run.report.audit.verdict();
  bundle.stamps = out.run.report.stamps;
  bundle.provenance = provenance(out.run, choice, heard, refit);
  bundle.weights = options.weights;
  if (bundle.weights != deploy::WeightForm::kFloat32) {
    std::optional<int> fold;
    if (!options.refit && choice.folds.size() == 1) fold = static_cast<int>(choice.folds.front()) - 1;
    bundle.provenance.set("rounded_weights",
                          to_json(measure_loss(bundle, out.run, chosen_model(out.run, choice.model), fold)));
  }
  return out;
}

}  // namespace

Bundle bundle_of_run(const ExportOptions& options) { return read_run(options).bundle; }

void export_run(const ExportOptions& options, const std::string& out) {
  const Exported exported = read_run(options);
  const report::ModelReport& model = chosen_model(exported.run, exported.model);
  deploy::write_bundle(out, exported.bundle,
                       {{"README.md", model_card(exported.bundle, exported.settings, exported.run, model)},
                        {"audit.json", read_text(options.run + "/audit.json")},
                        {"experiment.json", read_text(options.run + "/experiment.json")}});
}

}  // namespace serval::experiment
