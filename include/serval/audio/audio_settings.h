// What happens to a recording between its file and the features.
#pragma once

#include <optional>

#include "serval/core/settings.h"

namespace serval::audio {

enum class Resampler {
  kSoxrHq,      // 20 bits, pass band to 91 % of the lower Nyquist frequency
  kSoxrVhq,     // 28 bits
  kKaiserFast,  // windowed sinc of 16 zero crossings, see resample.h
};
enum class Level { kNone, kPeak, kRms };
enum class NoiseReduction { kNone, kStationary };
enum class OnBadRecording { kStop, kSkip };

// In this order: crop, mix to mono, resample, reduce noise, trim, cut silence, pre-emphasise, level, pad or
// cut. Noise goes first, so that silence is judged without it; the level is that of what comes out.
struct AudioSettings {
  int sample_rate_hz = 16000;
  double offset_s = 0;
  std::optional<double> duration_s;
  Resampler resampler = Resampler::kSoxrHq;
  NoiseReduction noise_reduction = NoiseReduction::kNone;
  double noise_threshold_deviations = 1.5;
  double noise_decrease = 1;
  std::optional<double> trim_db;
  std::optional<double> cut_silence_db;
  std::optional<double> pre_emphasis;
  Level level = Level::kNone;
  double level_db = -20;
  std::optional<double> length_s;
  double min_duration_s = 0.05;
  double silence_db = -60;
  OnBadRecording on_bad_recording = OnBadRecording::kStop;
};

void describe(SettingsVisitor& v, AudioSettings& s);

}  // namespace serval::audio
