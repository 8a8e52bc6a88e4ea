// What stays of a recording when it is resampled, made louder, coded with losses or has its ends cut off: how its spectrum
// moves, to find recordings that are alike, and its low voice band, to compare two of them in full.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace serval::audio {

// Of the samples at about 4 kHz: energies B(t, b) of 16 bands even in mel from 120 to 1,800 Hz, every 32 ms, and
//   L(t, b) = max(0, ln(B(t, b) / max B) + ln 1000)
// over 256 steps, 8.2 s. The description is sqrt |DFT over t of L(t, b)| at the first 20 multiples of 0.122 Hz for each
// b, less its mean, divided by its length: a shift in time leaves it as it is. The scalar product of two tells how
// alike they are.
struct SoundPrint {
  static constexpr std::size_t kBands = 16, kModulations = 20, kSize = kBands * kModulations;

  std::vector<float> description;     // [kSize]; zeros for a silent recording
  std::vector<std::int16_t> samples;  // peak 32,767; empty for a silent recording
  double rate_hz =
      0;  // of `samples`: the recording's, divided by the whole number that brings it nearest to 4 kHz

  bool silent() const { return samples.empty(); }
};

// Throws InternalError for a rate below 4 kHz.
SoundPrint sound_print(std::span<const float> samples, int sample_rate_hz);

// Both are 1 for the same sound whatever its level, and 0 where one is silent. The prints have one rate.
// Greatest |sum x(t) y(t + shift)| over all cyclic shifts, with a second of silence at the end, in the band from 150 to 1,600 Hz, divided by the lengths of both
// there. Two takes of one sentence stay below 0.6; noise at 10 dB leaves 0.96. 0 where magnitudes alone tell that it stays below
// `least`.
double waveform_correlation(const SoundPrint& a, const SoundPrint& b, double least = 0);
// The same of square roots of magnitudes in that band, 64 ms every 16 ms, each bin less its mean: it does not hear
// phases, which a vocoder or Griffin-Lim draws anew. Two takes of one sentence can reach 0.9.
double spectrum_correlation(const SoundPrint& a, const SoundPrint& b);

}  // namespace serval::audio
