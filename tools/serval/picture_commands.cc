#include <iostream>

#include "serval/core/error.h"
#include "serval/core/files.h"
#include "serval/core/json.h"
#include "serval/core/log.h"
#include "serval/corpus/corpus_use.h"
#include "serval/corpus/recognise.h"
#include "serval/experiment/corpus_stats.h"
#include "serval/experiment/dataset.h"
#include "serval/experiment/plot_settings.h"
#include "serval/experiment/resolve.h"
#include "serval/report/recording_plot.h"

#include "commands.h"

namespace serval::cli {

void plot(const Common& common, const PlotArguments& arguments) {
  set_quiet(common.quiet);
  const report::PictureFormat format = report::picture_format(arguments.out);
  report::RecordingPlotSettings settings = arguments.experiment.file.empty()
                                               ? report::default_plot_settings()
                                               : experiment::plot_settings(arguments.experiment.load());
  settings.panels = report::read_panels(arguments.what);
  std::vector<report::RecordingLook> looks;
  for (const std::string& file : arguments.files) {
    try {
      looks.push_back(report::look_at(file, settings));
    } catch (const DataError& error) {
      log_warning(error.what());
    }
  }
  const std::size_t bad = arguments.files.size() - looks.size();
  if (!looks.empty()) {
    write_atomically(arguments.out, report::draw_recordings(looks, settings, format));
    log_info(cat(arguments.out, ": ", looks.size(), looks.size() == 1 ? " recording" : " recordings"));
  }
  if (bad > 0)
    throw DataError(
        cat(bad, " of ", arguments.files.size(), " files cannot be drawn; see the warnings above"));
}

namespace {

std::vector<corpus::Recording> recordings_of(const StatsArguments& arguments) {
  const std::string& what = arguments.what;
  if (!arguments.folder.empty() || what.ends_with(".csv"))
    return corpus::find_recordings(corpus::corpus_use(what, arguments.folder));
  if (!what.ends_with(".json")) return corpus::recognise_recordings(what);
  return experiment::find_manifest(experiment::load_experiment(what, arguments.overrides), 1).recordings;
}

}  // namespace

void corpus_stats(const Common& common, const StatsArguments& arguments) {
  const int threads = threads_of(common);
  // A bad ending is told before the measuring; a missing gnuplot costs the picture alone.
  const report::PictureFormat format =
      arguments.plot.empty() ? report::PictureFormat::kPng : report::picture_format(arguments.plot);
  const experiment::CorpusStats stats = experiment::corpus_stats(recordings_of(arguments), threads);
  std::cout << (common.json ? write_json(experiment::corpus_stats_json(stats))
                            : experiment::corpus_stats_text(stats))
            << std::flush;
  if (arguments.plot.empty()) return;
  write_atomically(arguments.plot, experiment::corpus_stats_picture(stats, format));
  log_info(cat(arguments.plot, ": drawn"));
}

}  // namespace serval::cli
