// The model card of a bundle, in Markdown: data, protocol, figures of groups, limits.
#pragma once

#include <string>

#include "serval/deploy/bundle.h"
#include "serval/experiment/finished_run.h"
#include "serval/experiment/settings.h"

namespace serval::experiment {

// `model`: whose figures these are.
std::string model_card(const deploy::Bundle& bundle, const ExperimentSettings& settings,
                       const FinishedRun& run, const report::ModelReport& model);

}  // namespace serval::experiment
