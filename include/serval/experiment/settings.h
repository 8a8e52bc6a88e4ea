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
#include "serval/features/segment_image.h"
#include "serval/features/segments.h"
#include "serval/features/settings.h"
#include "serval/folds/fold.h"
#include "serval/folds/protocol.h"
#include "serval/learners/settings.h"
#include "serval/nn/network.h"
#include "serval/train/initial_weights.h"
#include "serval/train/settings.h"

namespace serval::experiment {

// What a network reads of each recording by one of its inputs: the whole of it, or segments.
//   sequences   frames as they come. A segment is the sequence of its real frames: what a tail or a short recording
//               lacks is not padded but absent. `fit` cuts whole recordings to its frames.
//   images      with `image`: segments, or recordings that are made to fit; see features/segment_image.h
//   vectors     of feature sets with one row a recording, where the network declares a vector
struct InputSettings {
  std::string features;  // name of a feature set of the experiment
  features::SegmentSettings segments{.segment_frames = {}};
  std::int64_t key_segments = 0;  // of each recording and length at most so many; 0: all
  std::optional<features::FitSettings> fit;
  std::optional<features::ImageSettings> image;
  bool normalise = true;  // with the mean and deviation of the fold's training recordings

  bool whole() const { return segments.segment_frames.empty(); }
};
void describe(SettingsVisitor& v, InputSettings& settings);

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
  std::string store = "stores";  // folder of decoded audio and features; shared by experiments
  int store_shard_mib = 256;
};
void describe(SettingsVisitor& v, ExperimentSettings& settings);

}  // namespace serval::experiment
