// Signals for feature tests, the same on every machine.
#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

#include "serval/audio/waveform.h"
#include "serval/core/philox.h"

namespace serval::features {

// Two gliding tones over noise, with a silent third quarter. `seed` makes another one.
inline audio::Waveform test_clip(int samples, int rate_hz, std::uint64_t seed) {
  const RandomStream noise{.seed = seed};
  audio::Waveform clip;
  clip.sample_rate_hz = rate_hz;
  double phase = 0.1 * static_cast<double>(seed);
  for (int i = 0; i < samples; ++i) {
    phase += 0.02 + 0.3 * i / samples;
    const double tone = 0.5 * std::sin(phase) + 0.05 * std::sin(7 * phase);
    const double value = tone + 0.02 * (noise.uniform(static_cast<std::uint64_t>(i)) - 0.5);
    const bool silent = samples >= 4 && i >= samples / 2 && i < 3 * (samples / 4);
    clip.samples.push_back(silent ? 0.0f : static_cast<float>(std::round(value * 32767) / 32768));
  }
  return clip;
}

}  // namespace serval::features
