#include <array>
#include <cmath>
#include <complex>
#include <numbers>

#include "serval/audio/effects.h"

#include "check_samples.h"

namespace serval::audio {

namespace {

constexpr int kOrder = 4;

// Two poles and, at -1, two zeros: (1 + 2 z^-1 + z^-2) gain / (1 + a1 z^-1 + a2 z^-2).
struct Section {
  double gain = 1, a1 = 0, a2 = 0;
};

// The analogue filter's poles lie on a circle; the bilinear transform takes them to the z plane, with the circle's
// radius such that the cut-off stays where it is.
std::array<Section, kOrder / 2> design(double cutoff_hz, double rate_hz) {
  const double radius = std::tan(std::numbers::pi * cutoff_hz / rate_hz);
  std::array<Section, kOrder / 2> sections;
  for (int i = 0; i < kOrder / 2; ++i) {
    const double angle = std::numbers::pi * (2 * i + kOrder + 1) / (2.0 * kOrder);
    const std::complex<double> pole = radius * std::complex<double>(std::cos(angle), std::sin(angle));
    const std::complex<double> z = (1.0 + pole) / (1.0 - pole);
    Section& section = sections[static_cast<std::size_t>(i)];
    section.a1 = -2 * z.real();
    section.a2 = std::norm(z);
    section.gain = (1 + section.a1 + section.a2) / 4;  // 1 at frequency 0
  }
  return sections;
}

}  // namespace

Waveform low_pass(const Waveform& waveform, double cutoff_hz) {
  check_sound(waveform);
  const double rate_hz = waveform.sample_rate_hz;
  if (!(cutoff_hz > 0 && cutoff_hz < rate_hz / 2)) {
    throw ConfigError(cat("cutoff_hz: ", cutoff_hz, " is out of range (0, ", rate_hz / 2,
                          "): it must lie below half the sample rate"));
  }
  std::vector<double> x(waveform.samples.begin(), waveform.samples.end());
  for (const Section& section : design(cutoff_hz, rate_hz)) {
    double delayed1 = 0, delayed2 = 0;
    for (double& sample : x) {
      const double in = sample * section.gain;
      const double out = in + delayed1;
      delayed1 = 2 * in - section.a1 * out + delayed2;
      delayed2 = in - section.a2 * out;
      sample = out;
    }
  }
  Waveform out{{}, waveform.sample_rate_hz};
  for (const double sample : x) out.samples.push_back(static_cast<float>(sample));
  return out;
}

}  // namespace serval::audio
