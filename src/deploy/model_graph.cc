#include "model_graph.h"

#include "serval/core/error.h"
#include "serval/features/detail/plan.h"

#include "input_batches.h"

namespace serval::deploy {

namespace {

// Longer than any sequence; only networks with a table of positions ask.
constexpr std::int64_t kLongest = 1 << 20;

}  // namespace

std::int64_t feature_columns(const Bundle& bundle, const std::string& features) {
  for (const auto& [name, settings] : bundle.features) {
    if (name == features)
      return features::detail::ExtractionPlan(settings, bundle.audio.sample_rate_hz).dimension;
  }
  throw DataError(cat("there are no features \"", features, "\""));
}

nn::NetworkGraph model_graph(const Bundle& bundle, const BundleModel& model) {
  nn::NetworkSizes sizes{
      .inputs = {}, .classes = static_cast<std::int64_t>(bundle.classes.size()), .training = false};
  for (const auto& [name, input] : model.inputs) {
    const std::int64_t columns = feature_columns(bundle, input.features);
    Shape item{columns};
    if (input_kind(model.network, name) == nn::InputKind::kImage)
      item = features::item_shape(features::input_image(input, columns));
    sizes.inputs.push_back({item, kLongest});
  }
  return nn::graph_of(scored_network(model), sizes);
}

}  // namespace serval::deploy
