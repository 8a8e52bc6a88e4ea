#include <algorithm>
#include <cmath>
#include <complex>
#include <numbers>

#include "serval/audio/effects.h"

#include "check_samples.h"
#include "spectrum.h"

namespace serval::audio {

std::vector<double> white_noise(std::size_t count, const RandomStream& stream) {
  std::vector<double> out;
  out.reserve(count + 4);
  // Box and Muller: two uniform numbers, of 32 bits and never 0, make two normal ones.
  for (std::uint64_t n = 0; out.size() < count; ++n) {
    const PhiloxBlock block = stream.block(n);
    for (int pair = 0; pair < 4; pair += 2) {
      const double radius = std::sqrt(-2 * std::log((block.value[pair] + 0.5) * 0x1p-32));
      const double angle = 2 * std::numbers::pi * (block.value[pair + 1] * 0x1p-32);
      out.push_back(radius * std::cos(angle));
      out.push_back(radius * std::sin(angle));
    }
  }
  out.resize(count);
  return out;
}

std::vector<double> pink_noise(std::size_t count, const RandomStream& stream) {
  const std::size_t size = power_of_two_from(std::max<std::size_t>(count, 4));
  RealFft fft(size);
  std::vector<double> samples = white_noise(size, stream);
  std::vector<std::complex<double>> bins(fft.bins());
  fft.forward(samples.data(), bins.data());
  bins[0] = 0;
  for (std::size_t k = 1; k < bins.size(); ++k) bins[k] /= std::sqrt(static_cast<double>(k));
  fft.inverse(bins.data(), samples.data());
  samples.resize(count);
  return samples;
}

Waveform add_scaled(const Waveform& waveform, std::span<const double> noise, double amplitude) {
  check_sound(waveform);
  SERVAL_CHECK(noise.size() >= waveform.samples.size(), noise.size(), " samples of noise for ",
               waveform.samples.size());
  Waveform out = waveform;
  for (std::size_t i = 0; i < out.samples.size(); ++i) {
    out.samples[i] = static_cast<float>(out.samples[i] + amplitude * noise[i]);
  }
  return out;
}

Waveform add_noise(const Waveform& waveform, std::span<const double> noise, double snr_db) {
  check_sound(waveform);
  check_range("snr_db", snr_db, -60, 120);
  SERVAL_CHECK(noise.size() >= waveform.samples.size(), noise.size(), " samples of noise for ",
               waveform.samples.size());
  double sound_energy = 0, noise_energy = 0;
  for (std::size_t i = 0; i < waveform.samples.size(); ++i) {
    const double sample = waveform.samples[i];
    sound_energy += sample * sample;
    noise_energy += noise[i] * noise[i];
  }
  if (sound_energy <= 0) throw DataError("silent: there is no signal-to-noise ratio");
  if (noise_energy <= 0) throw DataError("the noise is silent: there is no signal-to-noise ratio");
  return add_scaled(waveform, noise, std::sqrt(sound_energy / noise_energy) * std::pow(10.0, -snr_db / 20));
}

}  // namespace serval::audio
