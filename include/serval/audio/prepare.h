// From a decoded recording to the waveform that features are computed on.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "serval/audio/audio_settings.h"
#include "serval/audio/waveform.h"

namespace serval::audio {

double peak(const Waveform& waveform);  // largest absolute sample, 0 when empty
double rms(const Waveform& waveform);   // root of the mean square, 0 when empty
double to_db(double amplitude);         // 20 log10, -infinity for 0
double from_db(double level_db);

// What remains between silence at both ends: samples [begin, end).
// Frames k = 0 .. n / 512 are centred at sample 512 k, 2048 long, with zeros beyond the ends. A frame is
// sound when
//   20 log10 max(1e-5, rms[k]) > 20 log10 max(1e-5, max rms) - trim_db.
// begin = 512 * first such frame, end = min(n, 512 * (last such frame + 1)): librosa.effects.trim's rule.
struct SampleRange {
  std::size_t begin = 0;
  std::size_t end = 0;
};
SampleRange sound_range(const Waveform& waveform, double trim_db);

// What remains when every frame that is no sound by the rule above is cut: neighbouring sound frames j .. k are
// the samples [512 j, min(n, 512 (k + 1))), librosa.effects.split's intervals. Never empty for n > 0.
std::vector<SampleRange> sound_ranges(const Waveform& waveform, double cut_silence_db);

// y[n] = x[n] - coefficient * x[n - 1], and y[0] = 3 x[0] - x[1]: librosa.effects.preemphasis and what it does
// about the first sample.
void pre_emphasise(Waveform& waveform, double coefficient);

// Resamples, reduces noise, trims, cuts silence, pre-emphasises, levels, and pads or cuts, as the settings say; the crop belongs to decoding.
// Trimming comes after resampling, so its frames are of the experiment's rate.
// Throws DataError when the waveform is silent (at the start, or once its noise is reduced), shorter than min_duration_s, or has a sample that is not a
// number or beyond kLoudest; load() adds the path.
Waveform prepare(Waveform waveform, const AudioSettings& settings);

// decode() and prepare(); every DataError starts with the path.
Waveform load(const std::string& path, const AudioSettings& settings);

}  // namespace serval::audio
