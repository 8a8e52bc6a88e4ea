// A model's network as the steps that its scores are made of.
#pragma once

#include "serval/deploy/bundle.h"
#include "serval/nn/graph.h"

namespace serval::deploy {

// Of one of the bundle's feature sets; DataError without such.
std::int64_t feature_columns(const Bundle& bundle, const std::string& features);
// Of a model that is no learner.
nn::NetworkGraph model_graph(const Bundle& bundle, const BundleModel& model);

}  // namespace serval::deploy
