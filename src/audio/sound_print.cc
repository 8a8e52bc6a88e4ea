#include "serval/audio/sound_print.h"

#include <algorithm>
#include <cmath>
#include <complex>
#include <map>
#include <numbers>

#include "serval/core/error.h"

#include "spectrum.h"

namespace serval::audio {

namespace {

using Complex = std::complex<double>;

constexpr double kWantedRate_hz = 4000;
constexpr std::size_t kBands = SoundPrint::kBands, kModulations = SoundPrint::kModulations;
constexpr std::size_t kSteps = 256;              // band energies that the description is made of
constexpr std::size_t kFrame = 256, kHop = 128;  // samples at about 4 kHz: 64 and 32 ms
constexpr double kLowest_hz = 120, kHighest_hz = 1800;
constexpr double kDepth = 6.907755278982137;  // ln 1000: 30 dB below the strongest band energy
constexpr std::size_t kHalfFilter = 10;       // periods of the low rate on each side of the filter's centre

// Plans are dear and sizes few: each thread keeps its own.
RealFft& fft_of(std::size_t size) {
  thread_local std::map<std::size_t, RealFft> plans;
  return plans.try_emplace(size, size).first->second;
}

int divisor_of(int sample_rate_hz) {
  SERVAL_CHECK(sample_rate_hz >= kWantedRate_hz, sample_rate_hz, " Hz");
  return std::max(1, static_cast<int>(std::lround(sample_rate_hz / kWantedRate_hz)));
}

// out[m] = sum over i of filter[i] x[m * divisor + i - half], outside of x zeros. Tap by tap over many m at once, which a
// compiler keeps in vectors; each sum runs in the order of the taps.
std::vector<double> filtered(std::span<const float> x, const std::vector<double>& filter, int divisor) {
  const auto step = static_cast<std::size_t>(divisor), half = filter.size() / 2;
  const std::size_t count = (x.size() + step - 1) / step;
  // [phase][m]: every divisor-th sample of x with `half` zeros at both ends.
  std::vector<std::vector<double>> phases(step, std::vector<double>(count + filter.size() / step + 1));
  for (std::size_t i = 0; i < x.size(); ++i)
    phases[(i + half) % step][(i + half) / step] = static_cast<double>(x[i]);
  std::vector<double> out(count);
  constexpr std::size_t kBlock = 1024;  // stays in the cache over all taps
  for (std::size_t begin = 0; begin < count; begin += kBlock) {
    const std::size_t n = std::min(kBlock, count - begin);
    double* sums = out.data() + begin;
    for (std::size_t i = 0; i < filter.size(); ++i) {
      const double tap = filter[i];
      const double* from = phases[i % step].data() + begin + i / step;
      for (std::size_t m = 0; m < n; ++m) sums[m] += from[m] * tap;
    }
  }
  return out;
}

// Every divisor-th sample behind a windowed-sinc low-pass at 0.45 of the new rate.
std::vector<double> thinned(std::span<const float> x, int divisor) {
  if (divisor == 1) return {x.begin(), x.end()};
  const auto half = static_cast<std::ptrdiff_t>(kHalfFilter) * divisor;
  std::vector<double> filter(static_cast<std::size_t>(2 * half + 1));
  double sum = 0;
  for (std::ptrdiff_t n = -half; n <= half; ++n) {
    const double t = 0.9 * static_cast<double>(n) / divisor;
    const double sinc = n == 0 ? 1 : std::sin(std::numbers::pi * t) / (std::numbers::pi * t);
    const double window =
        0.5 + 0.5 * std::cos(std::numbers::pi * static_cast<double>(n) / static_cast<double>(half + 1));
    filter[static_cast<std::size_t>(n + half)] = sinc * window;
    sum += sinc * window;
  }
  for (double& tap : filter) tap /= sum;
  return filtered(x, filter, divisor);
}

double mel(double hz) { return 2595 * std::log10(1 + hz / 700); }

// A triangle's shares of a power spectrum's bins, from the first that has any.
struct Triangle {
  std::size_t first = 0;
  std::vector<double> of_bins;
};
// [band]: even in mel.
std::vector<Triangle> triangles(double rate_hz) {
  std::vector<Triangle> out(kBands);
  const double low = mel(kLowest_hz), step = (mel(kHighest_hz) - low) / static_cast<double>(kBands + 1);
  for (std::size_t b = 0; b < kBands; ++b) {
    const double left = low + step * static_cast<double>(b);
    for (std::size_t k = 0; k <= kFrame / 2; ++k) {
      const double at = (mel(static_cast<double>(k) * rate_hz / kFrame) - left) / step;
      const double share = std::max(0.0, std::min(at, 2 - at));
      if (share == 0) continue;
      if (out[b].of_bins.empty()) out[b].first = k;
      out[b].of_bins.push_back(share);
    }
  }
  return out;
}

// [band][step]: what `description` is made of.
std::vector<std::vector<double>> band_levels(std::span<const double> x, double rate_hz) {
  RealFft& fft = fft_of(kFrame);
  std::vector<double> padded(x.begin(), x.end());
  if (padded.size() < kFrame) padded.resize(kFrame);
  const Spectrogram spectrum = analyse(fft, padded, periodic_hann(kFrame), kHop);
  const std::vector<Triangle> weights = triangles(rate_hz);
  const std::size_t steps = std::min(kSteps, spectrum.frames);
  std::vector<std::vector<double>> levels(kBands, std::vector<double>(kSteps));
  double most = 0;
  for (std::size_t t = 0; t < steps; ++t) {
    for (std::size_t b = 0; b < kBands; ++b) {
      double energy = 0;
      for (std::size_t k = weights[b].first; k < weights[b].first + weights[b].of_bins.size(); ++k)
        energy += weights[b].of_bins[k - weights[b].first] * std::norm(spectrum.row(t)[k]);
      levels[b][t] = energy;
      most = std::max(most, energy);
    }
  }
  for (std::vector<double>& band : levels) {
    for (std::size_t t = 0; t < kSteps; ++t)
      band[t] = t < steps && band[t] > 0 ? std::max(0.0, std::log(band[t] / most) + kDepth) : 0;
  }
  return levels;
}

std::vector<float> describe_sound(std::span<const double> x, double rate_hz) {
  RealFft& fft = fft_of(kSteps);
  std::vector<Complex> bins(fft.bins());
  std::vector<double> values;
  for (const std::vector<double>& band : band_levels(x, rate_hz)) {
    fft.forward(band.data(), bins.data());
    for (std::size_t m = 0; m < kModulations; ++m) values.push_back(std::sqrt(std::abs(bins[m])));
  }
  double mean = 0, squares = 0;
  for (const double value : values) mean += value / static_cast<double>(values.size());
  for (const double value : values) squares += (value - mean) * (value - mean);
  std::vector<float> out;
  for (const double value : values)
    out.push_back(static_cast<float>(squares > 0 ? (value - mean) / std::sqrt(squares) : 0));
  return out;
}

// The bins from 150 to 1,600 Hz of a transform of `size` samples.
struct Band {
  std::size_t first, last;
};
Band voice_band(std::size_t size, double rate_hz) {
  const double bins_a_hz = static_cast<double>(size) / rate_hz;
  return {static_cast<std::size_t>(std::ceil(150 * bins_a_hz)), static_cast<std::size_t>(1600 * bins_a_hz)};
}

// The greatest value of a correlation that `products` is the spectrum of.
double greatest(RealFft& fft, const std::vector<Complex>& products, bool either_sign) {
  std::vector<double> correlation(fft.size());
  fft.inverse(products.data(), correlation.data());
  double most = 0;
  for (const double value : correlation) most = std::max(most, either_sign ? std::abs(value) : value);
  return most;
}

// [bin][frame]: sqrt of the magnitudes in the voice band, each bin less its mean.
std::vector<std::vector<double>> fine_levels(const SoundPrint& print, double rate_hz) {
  constexpr std::size_t kFineHop = 64;
  RealFft& fft = fft_of(kFrame);
  std::vector<double> x(print.samples.begin(), print.samples.end());
  if (x.size() < kFrame) x.resize(kFrame);
  const Spectrogram spectrum = analyse(fft, x, periodic_hann(kFrame), kFineHop);
  const Band band = voice_band(kFrame, rate_hz);
  std::vector<std::vector<double>> out;
  for (std::size_t k = band.first; k <= band.last; ++k) {
    std::vector<double>& levels = out.emplace_back();
    double mean = 0;
    for (std::size_t t = 0; t < spectrum.frames; ++t) {
      levels.push_back(std::sqrt(std::abs(spectrum.row(t)[k])));
      mean += levels.back() / static_cast<double>(spectrum.frames);
    }
    for (double& level : levels) level -= mean;
  }
  return out;
}

}  // namespace

SoundPrint sound_print(std::span<const float> samples, int sample_rate_hz) {
  const int divisor = divisor_of(sample_rate_hz);
  SoundPrint out;
  out.rate_hz = static_cast<double>(sample_rate_hz) / divisor;
  const std::vector<double> low = thinned(samples, divisor);
  double peak = 0;
  for (const double value : low) peak = std::max(peak, std::abs(value));
  out.description.resize(SoundPrint::kSize);
  if (!(peak > 0)) return out;
  for (const double value : low)
    out.samples.push_back(static_cast<std::int16_t>(std::lround(value / peak * 32767)));
  out.description = describe_sound(low, out.rate_hz);
  return out;
}

double waveform_correlation(const SoundPrint& a, const SoundPrint& b, double least) {
  if (a.silent() || b.silent()) return 0;
  SERVAL_CHECK(a.rate_hz == b.rate_hz, a.rate_hz, " and ", b.rate_hz, " Hz");
  // Cyclic: what lies within a second of the ends is not folded back.
  const std::size_t longest = std::max(a.samples.size(), b.samples.size());
  RealFft& fft = fft_of(power_of_two_from(longest + static_cast<std::size_t>(a.rate_hz)));
  const auto spectrum = [&](const SoundPrint& print) {
    std::vector<double> x(print.samples.begin(), print.samples.end());
    x.resize(fft.size());
    std::vector<Complex> bins(fft.bins());
    fft.forward(x.data(), bins.data());
    return bins;
  };
  const std::vector<Complex> first = spectrum(a), second = spectrum(b);
  const Band band = voice_band(fft.size(), a.rate_hz);
  std::vector<Complex> products(fft.bins());
  double energy_a = 0, energy_b = 0, aligned = 0;
  for (std::size_t k = band.first; k <= band.last; ++k) {
    const double norm_a = std::norm(first[k]), norm_b = std::norm(second[k]);
    energy_a += norm_a;
    energy_b += norm_b;
    aligned += std::sqrt(norm_a * norm_b);
  }
  // No shift gives more than if it turned all phases into one.
  if (aligned < (1 - 1e-9) * least * std::sqrt(energy_a * energy_b)) return 0;
  for (std::size_t k = band.first; k <= band.last; ++k) products[k] = first[k] * std::conj(second[k]);
  const double lengths = std::sqrt(energy_a * energy_b) * 2 / static_cast<double>(fft.size());
  return lengths > 0 ? greatest(fft, products, true) / lengths : 0;
}

double spectrum_correlation(const SoundPrint& a, const SoundPrint& b) {
  if (a.silent() || b.silent()) return 0;
  SERVAL_CHECK(a.rate_hz == b.rate_hz, a.rate_hz, " and ", b.rate_hz, " Hz");
  const std::vector<std::vector<double>> first = fine_levels(a, a.rate_hz),
                                         second = fine_levels(b, b.rate_hz);
  RealFft& fft =
      fft_of(power_of_two_from(std::max<std::size_t>(4, first.front().size() + second.front().size())));
  std::vector<Complex> products(fft.bins()), bins_a(fft.bins()), bins_b(fft.bins());
  double squares_a = 0, squares_b = 0;
  for (std::size_t k = 0; k < first.size(); ++k) {
    std::vector<double> x = first[k], y = second[k];
    for (const double value : x) squares_a += value * value;
    for (const double value : y) squares_b += value * value;
    x.resize(fft.size());
    y.resize(fft.size());
    fft.forward(x.data(), bins_a.data());
    fft.forward(y.data(), bins_b.data());
    for (std::size_t i = 0; i < products.size(); ++i) products[i] += bins_a[i] * std::conj(bins_b[i]);
  }
  const double lengths = std::sqrt(squares_a * squares_b);
  return lengths > 0 ? greatest(fft, products, false) / lengths : 0;
}

}  // namespace serval::audio
