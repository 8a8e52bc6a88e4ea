// What a model reads of each recording.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "serval/experiment/settings.h"
#include "serval/train/task.h"

namespace serval::experiment {

// One of the model's feature sets, as far as its items depend on it.
struct ItemSource {
  std::string name;                                    // of the feature set
  const std::vector<std::int64_t>* offsets = nullptr;  // [recordings + 1], in frames
  std::int64_t hop_samples = 0;                        // 0: unknown, or one row a recording
  const float* values = nullptr;                       // [frames, dimension], where key_segments are wanted
  std::int64_t dimension = 0;
};

// The items of each input, in the order of `inputs`: item k of each is the same stretch of the same recording. Throws
// ConfigError where the inputs cannot be cut alike, DataError as features/segments.h does.
std::vector<std::shared_ptr<const train::Items>> model_items(const NamedList<InputSettings>& inputs,
                                                             const std::vector<ItemSource>& sources,
                                                             std::vector<std::string>* log = nullptr);

// How the batches of an input look: of a network's input `kind`, for features of `dimension` columns.
struct InputForm {
  nn::InputKind kind = nn::InputKind::kSequence;
  features::SegmentImage image;  // images
  Shape item;                    // of the network's input
};
// Throws ConfigError, naming the input, when it does not fit the network's.
InputForm input_form(const std::string& name, const InputSettings& input, const nn::NetworkSettings& network,
                     std::int64_t dimension);

}  // namespace serval::experiment
