// What a model reads of each recording.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "serval/experiment/settings.h"
#include "serval/train/task.h"

namespace serval::experiment {

// Null for a model that reads whole recordings; else its segments, which are also counted in the log.
std::shared_ptr<const train::Items> model_items(const std::string& model, const InputSettings& input,
                                                const std::vector<std::int64_t>& offsets);

}  // namespace serval::experiment
