// How the columns of an experiment's feature vectors go together.
#pragma once

#include <vector>

#include "serval/experiment/dataset.h"
#include "serval/report/run_report.h"

namespace serval::experiment {

// Of every feature set with one row a recording and two columns or more, over all recordings: a description of the data, which
// nothing is fitted to. r is rounded to three digits.
std::vector<report::FeatureCorrelation> feature_correlations(const ExperimentSettings& settings,
                                                             const Dataset& dataset);

}  // namespace serval::experiment
