#include "serval/audio/noise_reduction.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "serval/core/error.h"

#include "check_samples.h"
#include "spectrum.h"

namespace serval::audio {

namespace {

constexpr std::size_t kFftSize = 1024;
constexpr std::size_t kHop = kFftSize / 4;
constexpr std::size_t kPieceSamples = 600000;
constexpr std::size_t kPaddingSamples = 30000;
constexpr double kRange_db = 80;
constexpr double kSmooth_hz = 500;
constexpr double kSmooth_ms = 50;
constexpr double kLeastWeight = 1e-10;

// Samples [begin, end) of a recording, with zeros beyond its ends and `margin` zeros around.
std::vector<double> piece(const std::vector<float>& x, std::ptrdiff_t begin, std::ptrdiff_t end,
                          std::ptrdiff_t margin) {
  std::vector<double> out(static_cast<std::size_t>(end - begin + 2 * margin), 0.0);
  const auto n = static_cast<std::ptrdiff_t>(x.size());
  for (std::ptrdiff_t i = std::max<std::ptrdiff_t>(0, begin); i < std::min(n, end); ++i) {
    out[static_cast<std::size_t>(i - begin + margin)] = x[static_cast<std::size_t>(i)];
  }
  return out;
}

// [frame, bin], each bin no lower than 80 dB below its loudest frame.
std::vector<double> levels_db(const Spectrogram& spectrum) {
  const double window_sum = static_cast<double>(kFftSize) / 2;
  std::vector<double> out(spectrum.values.size());
  std::vector<double> loudest(spectrum.bins, -std::numeric_limits<double>::infinity());
  for (std::size_t f = 0; f < spectrum.frames; ++f) {
    for (std::size_t k = 0; k < spectrum.bins; ++k) {
      const double amplitude = std::abs(spectrum.row(f)[k]) / window_sum;
      const double level = 20 * std::log10(amplitude + std::numeric_limits<double>::epsilon());
      out[f * spectrum.bins + k] = level;
      loudest[k] = std::max(loudest[k], level);
    }
  }
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i] = std::max(out[i], loudest[i % spectrum.bins] - kRange_db);
  }
  return out;
}

std::vector<double> thresholds_db(const Spectrogram& noise, double deviations) {
  const std::vector<double> level = levels_db(noise);
  const auto frames = static_cast<double>(noise.frames);
  std::vector<double> out(noise.bins);
  for (std::size_t k = 0; k < noise.bins; ++k) {
    double sum = 0, squares = 0;
    for (std::size_t f = 0; f < noise.frames; ++f) sum += level[f * noise.bins + k];
    const double mean = sum / frames;
    for (std::size_t f = 0; f < noise.frames; ++f) {
      const double difference = level[f * noise.bins + k] - mean;
      squares += difference * difference;
    }
    out[k] = mean + deviations * std::sqrt(squares / frames);
  }
  return out;
}

// 1/(reach + 1), 2/(reach + 1), ..., 1, ..., 1/(reach + 1), over its sum.
std::vector<double> triangle(int reach) {
  std::vector<double> out;
  double sum = 0;
  for (int i = -reach; i <= reach; ++i) {
    out.push_back(1.0 - static_cast<double>(std::abs(i)) / (reach + 1));
    sum += out.back();
  }
  for (double& value : out) value /= sum;
  return out;
}

// Along one axis of [frame, bin], with zeros beyond the edges.
std::vector<double> smoothed(const std::vector<double>& mask, std::size_t count, std::size_t stride,
                             std::size_t rows, std::size_t row_stride, const std::vector<double>& kernel) {
  const std::size_t reach = kernel.size() / 2;
  std::vector<double> out(mask.size());
  for (std::size_t row = 0; row < rows; ++row) {
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t begin = i < reach ? 0 : i - reach;
      const std::size_t end = std::min(count, i + reach + 1);
      double sum = 0;
      for (std::size_t j = begin; j < end; ++j) {
        sum += kernel[j + reach - i] * mask[row * row_stride + j * stride];
      }
      out[row * row_stride + i * stride] = sum;
    }
  }
  return out;
}

}  // namespace

Waveform reduce_noise(const Waveform& waveform, const NoiseGate& gate) {
  check_samples(waveform);
  const std::vector<float>& x = waveform.samples;
  const int rate_hz = waveform.sample_rate_hz;
  if (rate_hz < kNoiseReductionLowestRate_hz) {
    throw ConfigError(cat("noise reduction needs a sample rate of ", kNoiseReductionLowestRate_hz,
                          " Hz or more, not ", rate_hz));
  }
  if (x.size() < kFftSize) {
    throw DataError(
        cat("too short for noise reduction: ", x.size(), " samples, at least ", kFftSize, " are needed"));
  }
  RealFft fft(kFftSize);
  const std::vector<double> window = periodic_hann(kFftSize);
  const auto margin = static_cast<std::ptrdiff_t>(kFftSize / 2);
  const auto padding = static_cast<std::ptrdiff_t>(kPaddingSamples);
  const auto n = static_cast<std::ptrdiff_t>(x.size());
  const auto first_piece = static_cast<std::ptrdiff_t>(std::min(x.size(), kPieceSamples));
  const std::vector<double> threshold_db =
      thresholds_db(analyse(fft, piece(x, 0, first_piece, margin), window, kHop), gate.threshold_deviations);
  const std::vector<double> over_bins = triangle(static_cast<int>(kSmooth_hz / (rate_hz / (kFftSize / 2.0))));
  const std::vector<double> over_frames =
      triangle(static_cast<int>(kSmooth_ms / ((static_cast<double>(kHop) / rate_hz) * 1000)));

  Waveform out{std::vector<float>(x.size()), rate_hz};
  for (std::ptrdiff_t begin = 0; begin < n; begin += static_cast<std::ptrdiff_t>(kPieceSamples)) {
    const std::ptrdiff_t end = std::min(n, begin + static_cast<std::ptrdiff_t>(kPieceSamples));
    Spectrogram spectrum = analyse(fft, piece(x, begin - padding, end + padding, margin), window, kHop);
    std::vector<double> mask = levels_db(spectrum);
    for (std::size_t i = 0; i < mask.size(); ++i) {
      mask[i] = mask[i] > threshold_db[i % spectrum.bins] ? 1 : 1 - gate.decrease;
    }
    mask = smoothed(mask, spectrum.bins, 1, spectrum.frames, spectrum.bins, over_bins);
    mask = smoothed(mask, spectrum.frames, spectrum.bins, spectrum.bins, 1, over_frames);
    for (std::size_t i = 0; i < mask.size(); ++i) spectrum.values[i] *= mask[i];
    const std::vector<double> clean = synthesise(fft, spectrum, spectrum.frames, window, kHop, kLeastWeight);
    for (std::ptrdiff_t i = begin; i < end; ++i) {
      const auto at = static_cast<std::size_t>(i - begin + padding + margin);
      out.samples[static_cast<std::size_t>(i)] = static_cast<float>(clean[at]);
    }
  }
  return out;
}

}  // namespace serval::audio
