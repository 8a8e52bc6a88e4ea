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
#include "serval/features/segments.h"
#include "serval/features/settings.h"
#include "serval/folds/fold.h"
#include "serval/learners/settings.h"
#include "serval/nn/network.h"
#include "serval/train/initial_weights.h"
#include "serval/train/settings.h"

namespace serval::experiment {

struct InputSettings {
  std::string features;  // name of a feature set of the experiment
  // Without lengths, the network reads whole recordings. A segment is the sequence of its real frames: what a tail or
  // a short recording lacks is not padded but absent.
  features::SegmentSettings segments{.segment_frames = {}};

  bool whole() const { return segments.segment_frames.empty(); }
};
void describe(SettingsVisitor& v, InputSettings& settings);

struct ModelSettings {
  InputSettings input;
  // One of the two.
  std::optional<nn::NetworkSettings> network;
  std::optional<learners::LearnerSettings> learner;
  std::optional<train::InitialWeightsSettings> initial_weights;  // of the network
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
  audio::AugmentSettings augment;
  NamedList<ModelSettings> models;
  train::TrainSettings train;
  std::vector<std::int64_t> seeds = {1};
  std::string store = "stores";  // folder of decoded audio and features; shared by experiments
  int store_shard_mib = 256;
};
void describe(SettingsVisitor& v, ExperimentSettings& settings);

}  // namespace serval::experiment
