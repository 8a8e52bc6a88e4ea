// How an experiment hears recordings, for pictures of them.
#pragma once

#include "serval/experiment/settings.h"
#include "serval/report/recording_plot.h"

namespace serval::experiment {

// The experiment's audio settings; its first log-mel (mel, MFCC, pitch) features, alone or in a stack; the segments of its first
// model that reads any. What it has not is as in report::default_plot_settings().
report::RecordingPlotSettings plot_settings(const ExperimentSettings& settings);

}  // namespace serval::experiment
