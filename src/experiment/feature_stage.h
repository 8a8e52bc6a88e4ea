// From the audio store to one feature set and its store.
#pragma once

#include <string>

#include "serval/experiment/dataset.h"
#include "serval/experiment/settings.h"
#include "serval/features/settings.h"
#include "serval/store/store.h"

namespace serval::experiment {

// The feature set `name` of every recording in `audio`, in its order: read from its store, or computed into one
// first where there is none. Throws DataError for a recording that is too short for one frame, DiskError,
// InterruptedError.
FeatureSet feature_stage(const ExperimentSettings& settings, const std::string& name,
                         const features::FeatureSettings& feature, const store::Store& audio,
                         const DatasetOptions& options);

// Throws ConfigError for every feature set that the experiment's sample rate does not allow, or whose file is missing.
void check_features(const ExperimentSettings& settings);

}  // namespace serval::experiment
