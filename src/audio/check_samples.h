// What every step on a waveform asks of it.
#pragma once

#include <cmath>

#include "serval/audio/waveform.h"
#include "serval/core/error.h"

namespace serval::audio {

// Throws DataError for a sample that is not a number or beyond kLoudest.
inline void check_samples(const Waveform& waveform) {
  for (const float sample : waveform.samples) {
    if (!(std::abs(sample) <= kLoudest)) throw DataError(cat("a sample is ", sample, "; full scale is 1"));
  }
}

inline void check_sound(const Waveform& waveform) {
  if (waveform.samples.empty()) throw DataError("there are no samples");
  SERVAL_CHECK(waveform.sample_rate_hz > 0, "a sample rate of ", waveform.sample_rate_hz, " Hz");
  check_samples(waveform);
}

// Throws ConfigError unless low <= value <= high.
inline void check_range(const char* name, double value, double low, double high) {
  if (!(value >= low && value <= high)) {
    throw ConfigError(cat(name, ": ", value, " is out of range [", low, ", ", high, "]"));
  }
}

}  // namespace serval::audio
