#include <cmath>
#include <complex>
#include <cstddef>
#include <limits>
#include <numbers>
#include <vector>

#include "serval/audio/effects.h"

#include "check_samples.h"
#include "spectrum.h"

namespace serval::audio {

namespace {

constexpr std::size_t kFftSize = 2048;
constexpr std::size_t kHop = 512;

struct Polar {
  std::vector<double> magnitude, phase;  // [frame, bin]
};

Polar polar(const Spectrogram& spectrum) {
  Polar out;
  for (const std::complex<double>& value : spectrum.values) {
    out.magnitude.push_back(std::abs(value));
    out.phase.push_back(value == 0.0 ? 0 : std::arg(value));
  }
  return out;
}

// Frames at the times 0, rate, 2 rate, ... of the input's frames; behind the last one follow silent ones.
Spectrogram vocode(const Spectrogram& spectrum, double rate) {
  const Polar in = polar(spectrum);
  const std::size_t bins = spectrum.bins;
  const auto magnitude = [&](std::size_t frame, std::size_t k) {
    return frame < spectrum.frames ? in.magnitude[frame * bins + k] : 0.0;
  };
  const auto phase = [&](std::size_t frame, std::size_t k) {
    return frame < spectrum.frames ? in.phase[frame * bins + k] : 0.0;
  };
  Spectrogram out;
  out.bins = bins;
  out.frames = static_cast<std::size_t>(std::ceil(static_cast<double>(spectrum.frames) / rate));
  out.values.resize(out.frames * bins);
  std::vector<double> sum(in.phase.begin(), in.phase.begin() + static_cast<std::ptrdiff_t>(bins));
  constexpr double kTurn = 2 * std::numbers::pi;
  for (std::size_t f = 0; f < out.frames; ++f) {
    const double time = static_cast<double>(f) * rate;
    const auto frame = static_cast<std::size_t>(time);
    const double fraction = time - std::floor(time);
    for (std::size_t k = 0; k < bins; ++k) {
      const double level = (1 - fraction) * magnitude(frame, k) + fraction * magnitude(frame + 1, k);
      out.row(f)[k] = {level * std::cos(sum[k]), level * std::sin(sum[k])};
      // What the phase moves from frame to frame beyond a tone in the middle of the bin, within half a turn.
      const double expected = kTurn * static_cast<double>(k) * kHop / kFftSize;
      double beyond = phase(frame + 1, k) - phase(frame, k) - expected;
      beyond -= kTurn * std::nearbyint(beyond / kTurn);
      sum[k] += expected + beyond;
    }
  }
  return out;
}

}  // namespace

Waveform time_stretch(const Waveform& waveform, double rate) {
  check_sound(waveform);
  check_range("rate", rate, 0.1, 10);
  const std::size_t n = waveform.samples.size();
  const auto length = static_cast<std::size_t>(std::nearbyint(static_cast<double>(n) / rate));
  if (length == 0) throw DataError(cat("too short to be played at rate ", rate, ": ", n, " samples"));

  // Frame f is centred at sample 512 f.
  std::vector<double> padded(n + kFftSize, 0.0);
  for (std::size_t i = 0; i < n; ++i) padded[kFftSize / 2 + i] = waveform.samples[i];
  RealFft fft(kFftSize);
  const std::vector<double> window = periodic_hann(kFftSize);
  const Spectrogram stretched = vocode(analyse(fft, padded, window, kHop), rate);
  const std::size_t used = std::min(stretched.frames, (length + kFftSize + kHop - 1) / kHop);
  std::vector<double> samples =
      synthesise(fft, stretched, used, window, kHop, std::numeric_limits<double>::min());
  samples.resize(std::max(samples.size(), kFftSize / 2 + length), 0.0);
  Waveform out{{}, waveform.sample_rate_hz};
  for (std::size_t i = 0; i < length; ++i) {
    out.samples.push_back(static_cast<float>(samples[kFftSize / 2 + i]));
  }
  return out;
}

}  // namespace serval::audio
