#include "serval/audio/effects.h"
#include "serval/audio/prepare.h"

#include "check_samples.h"

namespace serval::audio {

Waveform change_gain(const Waveform& waveform, double gain_db) {
  check_sound(waveform);
  check_range("gain_db", gain_db, -120, 120);
  const double gain = from_db(gain_db);
  Waveform out = waveform;
  for (float& sample : out.samples) sample = static_cast<float>(sample * gain);
  return out;
}

}  // namespace serval::audio
