#include <cmath>

#include "serval/audio/effects.h"
#include "serval/audio/resample.h"

#include "check_samples.h"

namespace serval::audio {

Waveform pitch_shift(const Waveform& waveform, double semitones) {
  check_sound(waveform);
  check_range("semitones", semitones, -24, 24);
  const double rate = std::pow(2.0, -semitones / 12);
  const double rate_hz = waveform.sample_rate_hz;
  Waveform out = time_stretch(waveform, rate);
  out.samples = resample_between(out.samples, rate_hz / rate, rate_hz);
  out.samples.resize(waveform.samples.size(), 0.0f);
  return out;
}

}  // namespace serval::audio
