// What one thread needs to score recordings with a bundle: features, networks and memory of its own.
#pragma once

#include <memory>
#include <vector>

#include "serval/audio/waveform.h"
#include "serval/core/context.h"
#include "serval/deploy/bundle.h"
#include "serval/evaluate/probability_scores.h"
#include "serval/features/extractor.h"
#include "serval/learners/learner.h"

#include "input_batches.h"

namespace serval::deploy {

// What the members of one model say of a recording's items.
struct ModelScores {
  std::vector<features::Segment> items;  // of the first input, in the order in which they lie
  std::vector<evaluate::Probabilities>
      members;       // [member][item][class]; by Bundle::members, empty for others'
  double hop_s = 0;  // from a frame to the next; 0: the items are not in time
};

class Session {
 public:
  // `bundle` must outlive it. Throws DataError where weights do not fit their network.
  Session(const Bundle& bundle, const Device& device, int batch);

  // The segments of each input, [input][item].
  using Items = std::vector<std::vector<features::Segment>>;

  // Of a waveform as the bundle's audio makes it. Throws DataError where it is too short.
  std::vector<ModelScores> score(const audio::Waveform& waveform);  // [model]
  // What that is made of: the feature sets, and which frames of them are a model's items.
  std::vector<features::FeatureMatrix> feature_matrices(const audio::Waveform& waveform);
  Items items(std::size_t model, const std::vector<features::FeatureMatrix>& matrices) const {
    return plan(models_[model], matrices);
  }
  std::size_t feature_set(std::size_t model, std::size_t input) const { return models_[model].sets[input]; }

 private:
  struct Model {
    const BundleModel* settings = nullptr;
    nn::NetworkSettings network;    // with the outputs that scores are made of
    std::vector<std::size_t> sets;  // the feature set of each input
    std::vector<InputBatches> inputs;
    std::vector<std::int64_t> members;                   // places in Bundle::members
    std::vector<std::unique_ptr<nn::Network>> networks;  // [member]; or
    std::vector<std::unique_ptr<learners::Learner>> learners;
    std::int64_t room = 0;                // items in a batch
    std::vector<std::int64_t> room_time;  // [input], frames of a sequence; 1 of others
    Tensor scores, mean_output;           // [room, class]
  };

  void add_model(const std::string& name, const BundleModel& settings);
  void add_learners(Model& model);
  void make_room(Model& model, const Items& items);
  void load_weights(nn::Network& network, const BundleMember& member) const;
  Items plan(const Model& model, const std::vector<features::FeatureMatrix>& matrices) const;
  evaluate::Probabilities run_member(Model& model, std::size_t member, const Items& items);
  evaluate::Probabilities run_learner(const Model& model, std::size_t member, const Items& items,
                                      const features::FeatureMatrix& matrix) const;
  void write_scores(Model& model, const nn::Network& network, std::int64_t count);

  const Bundle& bundle_;
  std::unique_ptr<Context> context_;
  int batch_ = 1;
  std::vector<features::Extractor> extractors_;  // [feature set]
  std::vector<Model> models_;
};

}  // namespace serval::deploy
