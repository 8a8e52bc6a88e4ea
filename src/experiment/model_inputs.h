// What a model reads of each recording.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "serval/experiment/settings.h"
#include "serval/train/task.h"

namespace serval::experiment {

// What features::plan_inputs() plans, as training takes it.
std::vector<std::shared_ptr<const train::Items>> model_items(
    const NamedList<InputSettings>& inputs, const std::vector<features::InputSource>& sources,
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
