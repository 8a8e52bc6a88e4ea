// Feature sets made elsewhere, brought into the experiment's stores.
#pragma once

#include <string>

#include "serval/corpus/manifest.h"
#include "serval/experiment/dataset.h"
#include "serval/experiment/settings.h"
#include "serval/features/external.h"

namespace serval::experiment {

// The feature set `name` of every recording of the manifest, in its order: read from its store, or copied from the
// file into one first. Throws ConfigError and DataError as store/external.h says, with "features.<name>: " in front.
FeatureSet external_stage(const ExperimentSettings& settings, const std::string& name,
                          const features::ExternalSettings& external, const corpus::Manifest& manifest,
                          const DatasetOptions& options);

}  // namespace serval::experiment
