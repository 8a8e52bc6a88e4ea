// The experiment file: one struct, declared once (see core/settings.h).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "serval/audio/audio_settings.h"
#include "serval/audio/augment.h"
#include "serval/core/settings.h"
#include "serval/corpus/corpus_use.h"
#include "serval/corpus/labels.h"
#include "serval/experiment/fusion_settings.h"
#include "serval/experiment/target_settings.h"
#include "serval/features/model_inputs.h"
#include "serval/features/settings.h"
#include "serval/folds/fold.h"
#include "serval/folds/protocol.h"
#include "serval/learners/settings.h"
#include "serval/nn/network.h"
#include "serval/train/initial_weights.h"
#include "serval/train/settings.h"

namespace serval::experiment {

using features::InputSettings;

struct ModelSettings {
  // One of the two: the network's only input, or each by its name. Segments are cut by the first; the others follow it.
  std::optional<InputSettings> input;
  NamedList<InputSettings> inputs;
  // One of the two.
  std::optional<nn::NetworkSettings> network;
  std::optional<learners::LearnerSettings> learner;
  std::optional<train::InitialWeightsSettings> initial_weights;  // of the network
  // What the network's first output learns; or what each of several outputs learns, by the names of their layers.
  std::string target = train::kClassTarget;
  NamedList<train::HeadSettings> heads;

  // In the order of the network's inputs.
  NamedList<InputSettings> all_inputs() const;
};
void describe(SettingsVisitor& v, ModelSettings& settings);

struct ExperimentSettings {
  std::string name;
  std::string description;
  std::vector<corpus::CorpusUse> corpora;
  corpus::LabelSettings labels;
  audio::AudioSettings audio;
  NamedList<features::FeatureSettings> features;
  folds::FoldSettings folds;
  folds::ProtocolSettings protocol;  // what leaks on purpose
  NamedList<TargetSettings> targets;
  audio::AugmentSettings augment;
  NamedList<ModelSettings> models;
  std::optional<FusionSettings> fusion;
  train::TrainSettings train;
  std::vector<std::int64_t> seeds = {1};
  std::int64_t tried = 1;        // configurations, to find this one
  std::string store = "stores";  // folder of decoded audio and features; shared by experiments
  int store_shard_mib = 256;
};
void describe(SettingsVisitor& v, ExperimentSettings& settings);
// Whether a network's epoch is chosen by validation scores.
bool chooses_epochs(const ExperimentSettings& settings);

}  // namespace serval::experiment
