// A trained system as one folder, or the same files in one, which holds all that scores need and what is known of them:
//   bundle.json    classes, audio, features, what each model reads, networks, fusion; who trained, audit, stamps
//   weights/*.safetensors   of each network: its blocks by name, and "input/<name>/mean" and ".../scale" of each input;
//                           of each learner: its state, and the same of its input
//   audit.json, experiment.json, README.md (the model card)
//   SHA256SUMS     of every other file, as `sha256sum -c` reads it; without it, or with one wrong sum, nothing is believed
//
// A bundle has groups: one fold with one seed, or with all seeds together. Within a group the fusion's rule is applied
// to its models; the scores of the groups are averaged.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "serval/audio/audio_settings.h"
#include "serval/core/json.h"
#include "serval/core/safetensors.h"
#include "serval/core/settings.h"
#include "serval/features/model_inputs.h"
#include "serval/features/settings.h"
#include "serval/learners/settings.h"
#include "serval/learners/state.h"
#include "serval/nn/network.h"

namespace serval::deploy {

// What weights are kept as in the files: src/deploy/member_file.h. They are float32 in memory.
enum class WeightForm { kFloat32, kFloat16, kInt8 };
const Options<WeightForm>& weight_forms();

// Raised whenever an older reader could not give the same scores.
inline constexpr int kBundleVersion = 1;

// As evaluate/fusion.h has them. none: there is one model.
enum class BundleRule { kNone, kMean, kWeighted, kProduct, kLogitAverage, kMaximum, kVote, kStacking };

// A layer that gives logits of the classes; with several, their mean by weight.
struct BundleOutput {
  std::string layer;  // "": the network's first output
  double weight = 1;
};

// A network, or a classical model.
struct BundleModel {
  NamedList<features::InputSettings> inputs;  // in the order of the network's
  std::optional<learners::LearnerSettings> learner;
  nn::NetworkSettings network;  // and what follows: where there is no learner
  std::vector<BundleOutput> outputs;
  // How the softmax rounds, which follows from the loss that the network was trained by: e^z / sum, or e^z * (1 / sum).
  bool divides = false;
};

// A model that was trained: its file of weights.
struct BundleMember {
  std::string model;
  int fold = 0;  // from 0
  std::uint64_t seed = 1;
  std::string file;                // in the bundle
  std::vector<NamedArray> arrays;  // its content
  learners::LearnerState state;    // of a learner; by "state/<name>" in the file
  // Actors that it was trained on, and those whose scores chose among its epochs: in the file's metadata, so that a training
  // that starts from it can be held to them. None where it started from weights that do not tell.
  std::optional<std::vector<std::string>> trained_on, chosen_by;

  const NamedArray& array(const std::string& name) const;  // DataError without such
};

struct BundleGroup {
  int fold = 0;            // from 0
  std::uint64_t seed = 0;  // 0: all seeds together
  // [model][...], places in Bundle::members: those whose scores are averaged before the rule.
  std::vector<std::vector<std::int64_t>> members;
  std::vector<double> weights;           // [model], of the rule weighted
  std::optional<BundleMember> stacking;  // the regression of that rule, a learner's state
};

struct Bundle {
  std::string name;
  std::vector<std::string> classes;
  audio::AudioSettings audio;
  NamedList<features::FeatureSettings> features;
  NamedList<BundleModel> models;
  WeightForm weights = WeightForm::kFloat32;
  std::vector<BundleMember> members;
  BundleRule rule = BundleRule::kNone;
  std::vector<BundleGroup> groups;
  std::string audit;  // its verdict
  std::vector<std::string> stamps;
  JsonValue provenance = JsonValue::object();

  const BundleModel& model(const std::string& model_name) const;
};

// Where a file made of one member goes: `out`, to which each adds its name before the ending where there are several.
std::string file_of_member(const std::string& out, const Bundle& bundle, std::size_t member);

// Writes the folder, or one file where the name ends in ".serval", which must not be there yet (ConfigError): whole or absent.
// `more` are further files with their content. Throws DiskError, DataError.
void write_bundle(const std::string& path, const Bundle& bundle,
                  const std::vector<std::pair<std::string, std::string>>& more);

// Throws DataError naming the file: no bundle, a file missing or cut short or changed, a format of a newer version,
// settings that this version does not know, weights that do not fit their network.
Bundle read_bundle(const std::string& path);

}  // namespace serval::deploy
