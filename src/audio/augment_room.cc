#include <algorithm>
#include <cmath>
#include <complex>

#include "serval/audio/effects.h"
#include "serval/audio/prepare.h"

#include "check_samples.h"
#include "spectrum.h"

namespace serval::audio {

namespace {

// The first x.size() samples of the linear convolution.
std::vector<double> convolve(std::span<const float> x, std::span<const double> h) {
  const std::size_t reach = std::min(h.size(), x.size());  // what comes later leaves the n samples alone
  RealFft fft(power_of_two_from(std::max<std::size_t>(x.size() + reach - 1, 4)));
  std::vector<double> a(fft.size(), 0.0), b(fft.size(), 0.0);
  std::copy(x.begin(), x.end(), a.begin());
  std::copy_n(h.begin(), reach, b.begin());
  std::vector<std::complex<double>> spectrum_a(fft.bins()), spectrum_b(fft.bins());
  fft.forward(a.data(), spectrum_a.data());
  fft.forward(b.data(), spectrum_b.data());
  for (std::size_t k = 0; k < fft.bins(); ++k) {
    const std::complex<double> u = spectrum_a[k], v = spectrum_b[k];
    spectrum_a[k] = {u.real() * v.real() - u.imag() * v.imag(), u.real() * v.imag() + u.imag() * v.real()};
  }
  fft.inverse(spectrum_a.data(), a.data());
  a.resize(x.size());
  return a;
}

}  // namespace

Waveform reverberate(const Waveform& waveform, std::span<const double> response) {
  check_sound(waveform);
  const auto direct = std::max_element(response.begin(), response.end(),
                                       [](double a, double b) { return std::abs(a) < std::abs(b); });
  if (direct == response.end() || *direct == 0) throw DataError("the room's response is silent");
  const std::vector<double> y =
      convolve(waveform.samples, response.subspan(static_cast<std::size_t>(direct - response.begin())));
  double energy = 0;
  for (const double sample : y) energy += sample * sample;
  const double now = std::sqrt(energy / static_cast<double>(y.size()));
  const double gain = now > 0 ? rms(waveform) / now : 0;
  Waveform out{{}, waveform.sample_rate_hz};
  for (const double sample : y) out.samples.push_back(static_cast<float>(sample * gain));
  return out;
}

std::vector<double> synthetic_response(int sample_rate_hz, double rt60_s, double direct_to_reverberant_db,
                                       const RandomStream& stream) {
  check_range("rt60_s", rt60_s, 0.01, 20);
  check_range("direct_to_reverberant_db", direct_to_reverberant_db, -60, 60);
  const double rt60_samples = rt60_s * sample_rate_hz;
  std::vector<double> h = white_noise(static_cast<std::size_t>(rt60_samples) + 1, stream);
  double energy = 0;
  for (std::size_t i = 1; i < h.size(); ++i) {
    h[i] *= std::pow(10.0, -3 * static_cast<double>(i) / rt60_samples);
    energy += h[i] * h[i];
  }
  const double gain = std::pow(10.0, -direct_to_reverberant_db / 20) / std::sqrt(energy);
  for (double& value : h) value *= gain;
  h[0] = 1;
  return h;
}

}  // namespace serval::audio
