// Samples in memory: mono, float, full scale at 1.
#pragma once

#include <vector>

namespace serval::audio {

// Full scale is 1; a sample beyond this is not a level but a fault, and would overflow what is computed of it.
inline constexpr float kLoudest = 1e30f;

struct Waveform {
  std::vector<float> samples;
  int sample_rate_hz = 0;
  double seconds() const {
    return sample_rate_hz > 0 ? static_cast<double>(samples.size()) / sample_rate_hz : 0;
  }
};

}  // namespace serval::audio
