// Steady noise out of a recording, by a spectral gate that learns the noise from the recording itself.
#pragma once

#include "serval/audio/waveform.h"

namespace serval::audio {

struct NoiseGate {
  double threshold_deviations = 1.5;
  double decrease = 1;  // 1: all of what lies below the threshold goes
};

// With X[f, k] the spectrum of frame f, 1024 samples under a Hann window every 256, and
//   D[f, k] = max(20 log10(|X[f, k]| + 2^-52), max over f of the same - 80)
// a cell is kept when D[f, k] > mean over f of D + threshold_deviations * (standard deviation over f of D), and
// otherwise weighs 1 - decrease. The weights are smoothed by a triangle over 2 int(500 Hz / bin) + 1
// frequencies and one over 2 int(50 ms / hop) + 1 frames, with zeros beyond the edges, multiply X, and X goes
// back to samples. "bin" is sample rate / 512 here and "hop" 256 samples: with these and with its pieces of 600000
// samples that overlap by 30000 this is noisereduce 3.0.3, reduce_noise(stationary=True) with its defaults,
// computed in double precision as that one does for float64 samples. Mean and deviation come from the first
// 600000 samples.
// Throws DataError for fewer than 1024 samples or a sample that is not finite, ConfigError for a sample rate below
// kNoiseReductionLowestRate_hz, at which 50 ms are less than a hop.
Waveform reduce_noise(const Waveform& waveform, const NoiseGate& gate);

inline constexpr int kNoiseReductionLowestRate_hz = 5120;

}  // namespace serval::audio
