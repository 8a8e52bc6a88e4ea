#include "serval/audio/effects.h"
#include "serval/audio/resample.h"

#include "check_samples.h"

namespace serval::audio {

Waveform change_speed(const Waveform& waveform, double rate) {
  check_sound(waveform);
  check_range("rate", rate, 0.1, 10);
  const double rate_hz = waveform.sample_rate_hz;
  return {resample_between(waveform.samples, rate_hz * rate, rate_hz), waveform.sample_rate_hz};
}

}  // namespace serval::audio
