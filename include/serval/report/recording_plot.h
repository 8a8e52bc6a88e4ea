// Pictures of recordings: what Serval hears, from samples to segments.
#pragma once

#include <string>
#include <vector>

#include "serval/audio/audio_settings.h"
#include "serval/audio/waveform.h"
#include "serval/features/feature_matrix.h"
#include "serval/features/segments.h"
#include "serval/features/settings.h"
#include "serval/report/gnuplot.h"

namespace serval::report {

enum class Panel { kWaveform, kSpectrogram, kMel, kMfcc, kF0, kSegments };

// "waveform,mel" and so on; throws ConfigError that lists the names.
std::vector<Panel> read_panels(const std::string& names);

struct RecordingPlotSettings {
  audio::AudioSettings audio;
  // One part each, of frames: no deltas, no statistics.
  features::FeatureSettings spectrogram, mel, mfcc, f0;
  features::SegmentSettings segments;
  std::vector<Panel> panels = {Panel::kWaveform, Panel::kMel};
};
// 16 kHz, 25 ms windows every 10 ms, 64 mel bands, 20 MFCCs, pYIN from 64 ms windows, segments of 64 frames every 30.
RecordingPlotSettings default_plot_settings();

// What is drawn of one recording: only what the panels need.
struct RecordingLook {
  std::string title;
  audio::Waveform waveform;
  features::FeatureMatrix spectrogram, mel, mfcc, f0;
  features::SegmentIndex segments;
};
// Decodes and computes. Throws DataError naming the file.
RecordingLook look_at(const std::string& path, const RecordingPlotSettings& settings);

// All of them side by side, a row a panel, on the same scales. Bytes of the picture.
std::string draw_recordings(const std::vector<RecordingLook>& looks, const RecordingPlotSettings& settings,
                            PictureFormat format);

}  // namespace serval::report
