// Scores as JSON, the same in every place that tells them: `serval predict`, streams, the server.
#pragma once

#include <string>
#include <vector>

#include "serval/core/json.h"

namespace serval::deploy {

// The most probable class; "" where it is less probable than min_confidence.
std::string label_of(const std::vector<std::string>& classes, const std::vector<float>& probabilities,
                     double min_confidence);

JsonValue probabilities_json(const std::vector<std::string>& classes,
                             const std::vector<float>& probabilities);

// Adds "label" (null below min_confidence), "confidence" and "probabilities" by class.
void add_scores(JsonValue& to, const std::vector<std::string>& classes,
                const std::vector<float>& probabilities, double min_confidence = 0);

}  // namespace serval::deploy
