#include "serval/experiment/settings.h"

#include <algorithm>
#include <cctype>
#include <set>

#include "serval/core/error.h"

namespace serval::experiment {

NamedList<InputSettings> ModelSettings::all_inputs() const {
  if (input) {
    const bool named = network && !network->inputs.empty();
    return {{named ? network->inputs.front().first : "input", *input}};
  }
  if (!network) return inputs;
  NamedList<InputSettings> out;
  for (const auto& [name, wanted] : network->inputs) {
    for (const auto& [given, settings] : inputs) {
      if (given == name) out.emplace_back(given, settings);
    }
  }
  return out;
}

namespace {

void check_inputs(SettingsVisitor& v, const ModelSettings& s) {
  v.check(s.input.has_value() != !s.inputs.empty(), "",
          "needs an input, or inputs by their names, and not both");
  if (!s.network) {
    v.check(s.inputs.empty(), "inputs", "a learner has one input");
    return;
  }
  std::vector<std::string> known, given;
  for (const auto& [name, input] : s.network->inputs) known.push_back(name);
  if (known.empty()) known.emplace_back("input");
  for (const auto& [name, input] : s.inputs) {
    given.push_back(name);
    v.check(std::find(known.begin(), known.end(), name) != known.end(), "inputs",
            cat("the network has no input \"", name, "\"; it has {", join(known, ", "), "}"));
  }
  if (s.input) {
    v.check(
        known.size() == 1, "input",
        cat("the network has ", known.size(), " inputs, {", join(known, ", "), "}; give each under inputs"));
    return;
  }
  for (const std::string& name : known) {
    v.check(s.inputs.empty() || std::find(given.begin(), given.end(), name) != given.end(), "inputs",
            cat("the network's input \"", name, "\" is missing"));
  }
}

}  // namespace

void describe(SettingsVisitor& v, ModelSettings& s) {
  v.optional_object("input", s.input, {"what the network reads"});
  v.map("inputs", s.inputs, {"what the network reads by each of its inputs"});
  v.optional_object("network", s.network, {"layers, or the path of a JSON file that holds them"});
  v.optional_object("learner", s.learner, {"a classical model instead of a network"});
  v.optional_object("initial_weights", s.initial_weights, {"weights that the network starts from"});
  v.text("target", s.target,
         {"what the network's first output learns: \"classes\", or one of the experiment's targets"});
  v.map("heads", s.heads, {"outputs with a target each, by the names of their layers"});
  v.check(s.network.has_value() != s.learner.has_value(), "", "needs a network or a learner, and not both");
  v.check(!s.initial_weights || s.network.has_value(), "initial_weights", "are those of a network");
  check_inputs(v, s);
  if (!s.network || s.network->layers.empty()) return;              // reported as missing
  if (s.target != train::kClassTarget || !s.heads.empty()) return;  // check_targets() looks at them
  const std::string problem = nn::classifier_problem(*s.network);
  v.check(problem.empty(), "network", problem);
}

namespace {

// Names become folders and columns.
bool plain_name(const std::string& name) {
  return !name.empty() && name.front() != '.' && std::all_of(name.begin(), name.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '_' || c == '-' || c == '.';
  });
}

constexpr const char* kPlainName = "may hold letters, digits, '_', '-' and '.' only";

// Whether a feature set of this name has statistics over time.
bool one_row(const ExperimentSettings& s, const std::string& features) {
  for (const auto& [name, set] : s.features) {
    if (name != features) continue;
    if (set.type == features::FeatureType::kGender) return true;
    return !set.statistics.empty() || !set.parts.empty() && !set.parts.front().statistics.empty();
  }
  return false;
}

void check_input(SettingsVisitor& v, const ExperimentSettings& s, const std::string& model,
                 const InputSettings& input) {
  if (input.features.empty()) return;  // reported as missing
  std::vector<std::string> sets;
  for (const auto& [name, settings] : s.features) sets.push_back(name);
  const bool known = std::find(sets.begin(), sets.end(), input.features) != sets.end();
  v.check(known, "models",
          cat(model, ".input.features: \"", input.features, "\" is not one of {", join(sets, ", "), "}"));
  v.check(input.whole() || !one_row(s, input.features), "models",
          cat(model, ".input.segment_frames: \"", input.features,
              "\" has statistics, one row a recording, which cannot be cut into segments"));
}

// A model may start from the weights of a network before it.
void check_stage(SettingsVisitor& v, const ExperimentSettings& s, std::size_t number) {
  const auto& [name, model] = s.models[number];
  if (!model.initial_weights || model.initial_weights->model.empty()) return;
  for (std::size_t i = 0; i < number; ++i) {
    if (s.models[i].first == model.initial_weights->model && s.models[i].second.network) return;
  }
  v.check(false, "models",
          cat(name, ".initial_weights.model: \"", model.initial_weights->model,
              "\" is no model with a network before this one"));
}

void check_models(SettingsVisitor& v, const ExperimentSettings& s) {
  for (std::size_t i = 0; i < s.models.size(); ++i) check_stage(v, s, i);
  for (const auto& [name, model] : s.models) {
    v.check(plain_name(name), "models", cat("the name \"", name, "\" ", kPlainName));
    for (const auto& [input_name, input] : model.all_inputs()) check_input(v, s, name, input);
    v.check(
        !model.learner || !model.input || (model.input->whole() && !model.input->image && !model.input->fit),
        "models", cat(name, ".input: a learner reads one vector a recording, not segments or images"));
    v.check(!model.learner || !s.augment.enabled(), "models",
            cat(name,
                ".learner: augmented copies are for networks; put learners into an experiment without them"));
  }
  v.check(!s.models.empty(), "models", "at least one model is needed");
  v.check(!s.features.empty(), "features", "at least one feature set is needed");
}

void check_augment(SettingsVisitor& v, const ExperimentSettings& s) {
  for (std::size_t i = 0; i < s.augment.effects.size(); ++i) {
    const audio::EffectSettings& effect = s.augment.effects[i];
    const double most_hz = s.audio.sample_rate_hz / 2.0;
    v.check(effect.type != audio::EffectType::kLowPass || effect.cutoff_hz.high < most_hz, "augment",
            cat("effects[", i, "].cutoff_hz: ", effect.cutoff_hz.high,
                " must lie below half of audio.sample_rate_hz, ", most_hz));
  }
}

}  // namespace

void describe(SettingsVisitor& v, ExperimentSettings& s) {
  v.text("name", s.name, {"names the run's folder", "", Need::kRequired});
  v.text("description", s.description, {"a line for people"});
  v.list("corpora", s.corpora, {"where the recordings are", "", Need::kRequired});
  describe(v, s.labels);
  v.object("audio", s.audio, {"from recording to samples"});
  v.map("features", s.features, {"feature sets by name", "", Need::kRequired});
  v.object("folds", s.folds, {"who trains, validates and is tested"});
  v.object("protocol", s.protocol, {"what leaks on purpose, as in a paper that is followed to the letter"});
  v.map("targets", s.targets, {"what networks learn besides the classes, by name"});
  v.object(
      "augment", s.augment,
      {"changed copies of each fold's training recordings, which train beside them; no others are changed"});
  v.map("models", s.models,
        {"networks by name; the first one's scores are the headline, unless there is a fusion", "",
         Need::kRequired});
  v.optional_object("fusion", s.fusion, {"one more row of scores, made of those of several models or seeds"});
  v.object("train", s.train, {"how the networks are trained"});
  v.integers("seeds", s.seeds, {.min = 0}, {"each seed trains every model on every fold once"});
  v.integer("tried", s.tried, {.min = 1},
            {"how many configurations were tried to find this one, itself included: results count them; a "
             "sweep's selected.json says it"});
  v.path("store", s.store, {"folder of stores of decoded audio and features; changes no result"});
  v.integer("store_shard_mib", s.store_shard_mib, {.min = 1, .max = 1 << 20},
            {"a larger store is written as several files of this size, of which a killed program loses the "
             "last; changes no result",
             "MiB"});

  v.check(s.name.empty() || plain_name(s.name), "name", kPlainName);
  v.check(!s.corpora.empty(), "corpora", "at least one corpus is needed");
  v.check(!s.seeds.empty(), "seeds", "at least one seed is needed");
  v.check(std::set<std::int64_t>(s.seeds.begin(), s.seeds.end()).size() == s.seeds.size(), "seeds",
          "a seed is named twice");
  const bool validated = folds::may_validate(s.folds, s.protocol);
  v.check(!chooses_epochs(s) || validated, "folds",
          cat("nobody validates, and train.select is \"best_validation\"; ", folds::how_to_validate(s.folds),
              ", or select \"last\""));
  v.check(!s.fusion || !fits(s.fusion->rule) || validated || s.protocol.has(folds::Leak::kFusionOnTest),
          "folds",
          cat("nobody validates, and fusion.rule \"", s.fusion ? to_string(s.fusion->rule) : "",
              "\" is fitted on validation scores; ", folds::how_to_validate(s.folds),
              ", or take a rule that fits nothing, such as \"mean\""));
  folds::check_protocol(v, s.folds, s.protocol);
  v.check(s.folds.inner_folds == 0 || s.train.schedule.type != train::ScheduleType::kPlateau ||
              s.train.schedule.monitor == train::Monitor::kTrainLoss,
          "train",
          "schedule.monitor: with folds.inner_folds nobody validates a fold's own model; set it to "
          "\"train_loss\"");
  v.check(!s.augment.enabled() || !s.protocol.has(folds::Leak::kSpeakerStatistics), "augment",
          "copies cannot be normalised by their actor's own statistics; take out augment, or the leak "
          "speaker_statistics");
  v.check(s.augment.enabled() || !s.protocol.has(folds::Leak::kCopiesBeforeSplit), "protocol",
          "leaks: copies_before_split is named, but augment makes no copies");
  check_augment(v, s);
  check_models(v, s);
  check_fusion(v, s);
  check_targets(v, s);
  for (const auto& [name, target] : s.targets)
    v.check(plain_name(name), "targets", cat("the name \"", name, "\" ", kPlainName));
}

bool chooses_epochs(const ExperimentSettings& settings) {
  return settings.train.select == train::Select::kBestValidation &&
         std::any_of(settings.models.begin(), settings.models.end(),
                     [](const auto& model) { return model.second.network.has_value(); });
}

}  // namespace serval::experiment
