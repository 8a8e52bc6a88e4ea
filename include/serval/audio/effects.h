// What augmentation does to a waveform, one function an effect. All compute in double precision and round once, at
// the end, to float. docs/waveforms.md says which program each one follows and how closely.
//
// Every function throws DataError for a waveform without samples or with one that is no finite level, and
// ConfigError for a parameter out of its range.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "serval/audio/waveform.h"
#include "serval/core/philox.h"

namespace serval::audio {

// Faster at the same pitch for rate > 1: librosa.effects.time_stretch with n_fft 2048 and hop 512, a phase vocoder
// that interpolates magnitudes linearly between frames and adds up phases from the first frame's. The result has
// round(n / rate) samples (ties to even); DataError when that is none. rate in [0.1, 10].
Waveform time_stretch(const Waveform& waveform, double rate);

// Higher at the same length for semitones > 0: librosa.effects.pitch_shift, that is time_stretch by
// 2^(-semitones / 12), soxr_hq, and a cut or zeros at the end. semitones in [-24, 24].
Waveform pitch_shift(const Waveform& waveform, double semitones);

// Faster and higher for rate > 1, as a tape would be: soxr_hq from rate * sample_rate_hz to sample_rate_hz,
// ceil(n / rate) samples. rate in [0.1, 10].
Waveform change_speed(const Waveform& waveform, double rate);

// y[i] = x[(i - shift) mod n]: numpy.roll.
Waveform roll(const Waveform& waveform, std::int64_t shift_samples);

// y = x * 10^(gain_db / 20), not clipped. gain_db in [-120, 120].
Waveform change_gain(const Waveform& waveform, double gain_db);

// Butterworth of order 4, forward only, as two second-order sections: scipy.signal.butter(4, cutoff_hz, fs=rate,
// output="sos") and sosfilt. 0 < cutoff_hz < sample_rate_hz / 2.
Waveform low_pass(const Waveform& waveform, double cutoff_hz);

// y = x + a noise[0 .. n) with a so that 10 log10(sum x^2 / sum (a noise)^2) = snr_db. `noise` has at least n samples;
// DataError when it or the waveform is silent, for then there is no such ratio. snr_db in [-60, 120].
Waveform add_noise(const Waveform& waveform, std::span<const double> noise, double snr_db);

// y[i] = x[i] + amplitude * noise[i].
Waveform add_scaled(const Waveform& waveform, std::span<const double> noise, double amplitude);

// Independent normal numbers of mean 0 and deviation 1: number i is a pure function of (stream, i).
std::vector<double> white_noise(std::size_t count, const RandomStream& stream);

// White noise of N samples, the power of two from max(count, 4), whose bin k is divided by sqrt(k); bin 0 is 0. Its
// power falls with 1 / f. The first `count` samples.
std::vector<double> pink_noise(std::size_t count, const RandomStream& stream);

// The room that `response` was recorded in: the linear convolution, from the response's largest sample on (so that
// the sound stays where it is), cut to n samples and scaled to the RMS of the waveform. DataError when the response
//.
Waveform reverberate(const Waveform& waveform, std::span<const double> response);

// h[0] = 1 and, for i = 1 .. rt60_s * rate, h[i] = a g[i] 10^(-3 i / (rt60_s * rate)) with g white noise: the energy
// falls by 60 dB in rt60_s. `a` makes 10 log10(1 / sum of the squares of h[1 ...]) = direct_to_reverberant_db.
// rt60_s in [0.01, 20], direct_to_reverberant_db in [-60, 60].
std::vector<double> synthetic_response(int sample_rate_hz, double rt60_s, double direct_to_reverberant_db,
                                       const RandomStream& stream);

}  // namespace serval::audio
