#include "serval/deploy/prediction_json.h"

#include <algorithm>

namespace serval::deploy {

namespace {

std::size_t most(const std::vector<float>& probabilities) {
  return static_cast<std::size_t>(std::max_element(probabilities.begin(), probabilities.end()) -
                                  probabilities.begin());
}

}  // namespace

std::string label_of(const std::vector<std::string>& classes, const std::vector<float>& probabilities,
                     double min_confidence) {
  const std::size_t best = most(probabilities);
  return static_cast<double>(probabilities[best]) < min_confidence ? "" : classes[best];
}

JsonValue probabilities_json(const std::vector<std::string>& classes,
                             const std::vector<float>& probabilities) {
  JsonValue out = JsonValue::object();
  for (std::size_t c = 0; c < classes.size(); ++c)
    out.set(classes[c], JsonValue::of(static_cast<double>(probabilities[c])));
  return out;
}

void add_scores(JsonValue& to, const std::vector<std::string>& classes,
                const std::vector<float>& probabilities, double min_confidence) {
  const std::string told = label_of(classes, probabilities, min_confidence);
  to.set("label", told.empty() ? JsonValue() : JsonValue::of(told));
  to.set("confidence", JsonValue::of(static_cast<double>(probabilities[most(probabilities)])));
  to.set("probabilities", probabilities_json(classes, probabilities));
}

}  // namespace serval::deploy
