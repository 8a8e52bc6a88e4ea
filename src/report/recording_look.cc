// What a picture of a recording shows: decoded and computed as for a run.
#include <array>
#include <filesystem>

#include "serval/audio/prepare.h"
#include "serval/core/context.h"
#include "serval/core/error.h"
#include "serval/features/extractor.h"
#include "serval/report/recording_plot.h"

namespace serval::report {

namespace {

using features::FeatureSettings;
using features::FeatureType;

struct PanelName {
  const char* name;
  Panel panel;
};
constexpr std::array<PanelName, 6> kPanels = {{{"waveform", Panel::kWaveform},
                                               {"spectrogram", Panel::kSpectrogram},
                                               {"mel", Panel::kMel},
                                               {"mfcc", Panel::kMfcc},
                                               {"f0", Panel::kF0},
                                               {"segments", Panel::kSegments}}};

FeatureSettings feature(FeatureType type) {
  FeatureSettings out;
  apply_type(out, type);
  out.top_db.reset();  // the picture has its own range
  return out;
}

features::FeatureMatrix compute(const FeatureSettings& settings, const std::string& path,
                                const audio::Waveform& waveform) {
  const Context context;
  features::Extractor extractor(settings, waveform.sample_rate_hz, context);
  if (extractor.frames(static_cast<std::int64_t>(waveform.samples.size())) == 0)
    throw DataError(cat(path, ": ", waveform.seconds(), " s are too short for one frame"));
  return std::move(extractor.run({&waveform, 1}).front());
}

}  // namespace

std::vector<Panel> read_panels(const std::string& names) {
  std::vector<Panel> out;
  for (std::size_t at = 0; at <= names.size();) {
    const std::size_t end = std::min(names.find(',', at), names.size());
    const std::string name = names.substr(at, end - at);
    at = end + 1;
    const auto found =
        std::find_if(kPanels.begin(), kPanels.end(), [&](const PanelName& p) { return p.name == name; });
    if (found == kPanels.end()) {
      std::vector<std::string> known;
      for (const PanelName& panel : kPanels) known.emplace_back(panel.name);
      throw ConfigError(cat("\"", name, "\" cannot be drawn; there are ", join(known, ", ")));
    }
    out.push_back(found->panel);
  }
  return out;
}

RecordingPlotSettings default_plot_settings() {
  RecordingPlotSettings out;
  out.audio.silence_db = -200;  // what is nearly silent may be looked at
  out.audio.min_duration_s = 0;
  out.spectrogram = feature(FeatureType::kSpectrum);
  out.spectrogram.log = features::LogScale::kDb;
  out.mel = feature(FeatureType::kLogMel);
  out.mfcc = feature(FeatureType::kMfcc);
  out.f0 = feature(FeatureType::kF0);
  out.f0.window_ms = 64;
  return out;
}

RecordingLook look_at(const std::string& path, const RecordingPlotSettings& settings) {
  RecordingLook look;
  look.title = std::filesystem::path(path).filename().string();
  look.waveform = audio::load(path, settings.audio);
  for (const Panel panel : settings.panels) {
    switch (panel) {
      case Panel::kWaveform:
        break;
      case Panel::kSpectrogram:
        look.spectrogram = compute(settings.spectrogram, path, look.waveform);
        break;
      case Panel::kMel:
        look.mel = compute(settings.mel, path, look.waveform);
        break;
      case Panel::kMfcc:
        look.mfcc = compute(settings.mfcc, path, look.waveform);
        break;
      case Panel::kF0:
        look.f0 = compute(settings.f0, path, look.waveform);
        break;
      case Panel::kSegments:
        if (look.mel.frames == 0) look.mel = compute(settings.mel, path, look.waveform);
        look.segments = features::plan_segments({0, look.mel.frames}, settings.segments);
        break;
    }
  }
  return look;
}

}  // namespace serval::report
