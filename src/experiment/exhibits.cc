// Pictures and sounds of a finished run's worst mistakes, from the recordings themselves.
#include <algorithm>
#include <filesystem>
#include <map>
#include <set>

#include "serval/audio/encode.h"
#include "serval/core/hash.h"
#include "serval/core/log.h"
#include "serval/corpus/scan.h"
#include "serval/experiment/finished_run.h"
#include "serval/experiment/plot_settings.h"
#include "serval/experiment/resolve.h"

namespace serval::experiment {

namespace {

// A page stays small enough to be mailed: at most 12 x (a picture of 60 KiB and 15 s of 16 kHz FLAC, 300 KiB).
constexpr std::size_t kOfEachModel = 6, kInAll = 12;
constexpr double kHeard_s = 15;

report::Exhibit exhibit(const corpus::Recording& recording, const report::RecordingPlotSettings& settings) {
  report::RecordingLook look = report::look_at(recording.path, settings);
  report::Exhibit out;
  out.recording = recording.id;
  out.picture_png = report::draw_recordings({look}, settings, report::PictureFormat::kPng);
  out.seconds = look.waveform.seconds();
  const auto most = static_cast<std::size_t>(kHeard_s * look.waveform.sample_rate_hz);
  if (look.waveform.samples.size() > most) look.waveform.samples.resize(most);
  out.heard_s = look.waveform.seconds();
  out.sound_flac = audio::encode_flac(look.waveform);
  return out;
}

// The files that the run heard, or none.
void check_recordings(const FinishedRun& run, const std::vector<corpus::Recording>& recordings) {
  std::vector<std::string> missing, changed;
  std::vector<corpus::Recording> there;
  for (const corpus::Recording& recording : recordings) {
    std::error_code ignored;
    if (std::filesystem::exists(recording.path, ignored))
      there.push_back(recording);
    else
      missing.push_back(recording.path);
  }
  if (!missing.empty()) {
    throw DataError(cat(run.folder, ": --audio needs the run's recordings, and these are not there: ",
                        first_few(missing), "; manifest.csv says where they were"));
  }
  std::vector<corpus::Recording> hashed = there;
  for (corpus::Recording& recording : hashed) recording.content_hash.clear();
  corpus::hash_contents(hashed, 1);
  for (std::size_t i = 0; i < there.size(); ++i) {
    if (hashed[i].content_hash != there[i].content_hash) changed.push_back(there[i].path);
  }
  if (!changed.empty())
    throw DataError(
        cat(run.folder, ": these recordings are not the files that the run heard: ", first_few(changed)));
}

}  // namespace

void add_exhibits(FinishedRun& run) {
  report::RecordingPlotSettings settings =
      plot_settings(load_experiment(run.folder + "/experiment.json", {}));
  settings.panels = {report::Panel::kWaveform, report::Panel::kMel};
  std::map<std::string, const corpus::Recording*> by_id;
  for (const corpus::Recording& recording : run.recordings) by_id[recording.id] = &recording;
  std::set<std::string> chosen;
  std::vector<corpus::Recording> recordings;
  for (const report::ModelReport& model : run.report.models) {
    for (const report::Prediction* p : report::confident_mistakes(model, kOfEachModel)) {
      if (recordings.size() < kInAll && chosen.insert(p->recording).second)
        recordings.push_back(*by_id.at(p->recording));
    }
  }
  check_recordings(run, recordings);
  for (const corpus::Recording& recording : recordings)
    run.report.exhibits.push_back(exhibit(recording, settings));
}

}  // namespace serval::experiment
