// Copies of training recordings for a model: audio from the store, effects, features from the model's own settings.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "serval/audio/augment.h"
#include "serval/experiment/dataset.h"
#include "serval/experiment/settings.h"
#include "serval/train/task.h"

namespace serval::experiment {

// What all models of an experiment share: the effects with their recordings, and the way to the audio.
class CopyMaker {
 public:
  CopyMaker(const ExperimentSettings& settings, std::shared_ptr<const audio::Augmenter> augmenter,
            const Dataset& dataset);

  const audio::Augmenter& augmenter() const { return *augmenter_; }
  int sample_rate_hz() const { return sample_rate_hz_; }

  const std::string& id(std::int64_t recording) const { return ids_[static_cast<std::size_t>(recording)]; }
  // Of its decoded samples; the key's last part.
  std::uint64_t content(std::int64_t recording) const {
    return contents_[static_cast<std::size_t>(recording)];
  }
  // 1 male, 0 female. Throws DataError where it is not known.
  float gender(std::int64_t recording) const;
  audio::Waveform original(std::int64_t recording) const;
  // The copy that `key` names, of audio.length_s where that is set. A DataError names recording and copy.
  audio::Waveform copy(std::int64_t recording, const audio::Waveform& original,
                       const audio::CopyKey& key) const;
  // No copy of the recording has more samples.
  std::int64_t longest(std::int64_t recording) const;

 private:
  std::shared_ptr<const audio::Augmenter> augmenter_;
  int sample_rate_hz_;
  std::int64_t length_samples_ = 0;  // 0: as long as they come
  std::shared_ptr<const store::Store> audio_;
  std::vector<std::string> ids_;         // [recording]
  std::vector<std::uint64_t> contents_;  // [recording]
  std::vector<corpus::Gender> genders_;  // [recording]
};

// The recordings of a fold that copies are made of: what the copies, their lineage and the audit go by.
std::vector<std::int64_t> copied_recordings(const folds::Fold& fold, const folds::ProtocolSettings& protocol);

// Makes a task's copies while it trains. `features` are the settings of each input's feature set.
train::MakeAugmentation augmentation_of(std::shared_ptr<const CopyMaker> copies,
                                        const NamedList<InputSettings>& inputs,
                                        const std::vector<features::FeatureSettings>& features);

}  // namespace serval::experiment
