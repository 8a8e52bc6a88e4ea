// The speakers' gender as a feature set, for networks that are told it.
#pragma once

#include <string>

#include "serval/corpus/manifest.h"
#include "serval/experiment/dataset.h"

namespace serval::experiment {

// As a number: 1 male, 0 female. Throws DataError where the manifest does not know it.
float gender_number(corpus::Gender gender, const std::string& recording);

// One row of one value a recording. Throws DataError with how many recordings' speakers have none, and some of them.
FeatureSet gender_stage(const std::string& name, const corpus::Manifest& manifest);

}  // namespace serval::experiment
