// The same features written a second time: in double, by definition, without any table or trick. Slow.
#pragma once

#include <cmath>
#include <complex>
#include <numbers>
#include <span>
#include <vector>

#include "serval/features/settings.h"

namespace serval::features::naive {

using Matrix = std::vector<std::vector<double>>;  // [row][column]

inline std::vector<std::complex<double>> dft(const std::vector<double>& x) {
  const std::size_t n = x.size();
  std::vector<std::complex<double>> roots;
  for (std::size_t i = 0; i < n; ++i) {
    roots.push_back(std::polar(1.0, -2 * std::numbers::pi * static_cast<double>(i) / static_cast<double>(n)));
  }
  std::vector<std::complex<double>> out;
  for (std::size_t k = 0; k <= n / 2; ++k) {
    std::complex<double> sum = 0;
    for (std::size_t i = 0; i < n; ++i) sum += x[i] * roots[k * i % n];
    out.push_back(sum);
  }
  return out;
}

inline double window_value(WindowShape shape, double phase) {
  switch (shape) {
    case WindowShape::kHann:
      return std::pow(std::sin(phase / 2), 2);
    case WindowShape::kPovey:
      return std::pow(std::sin(phase / 2), 1.7);
    case WindowShape::kHamming:
      return 0.54 - 0.46 * std::cos(phase);
    case WindowShape::kBlackman:
      return 0.42 - 0.5 * std::cos(phase) + 0.08 * std::cos(2 * phase);
    case WindowShape::kBoxcar:
      break;
  }
  return 1;
}

// The padded clip, made in full. The mirror grows a period at a time.
inline std::vector<double> padded(std::span<const float> clip, int centre, Padding padding) {
  std::vector<double> x(clip.begin(), clip.end());
  if (padding == Padding::kNone) return x;
  std::vector<double> out(static_cast<std::size_t>(centre), 0.0);
  out.insert(out.end(), x.begin(), x.end());
  out.insert(out.end(), static_cast<std::size_t>(centre), 0.0);
  if (padding == Padding::kZero) return out;
  const std::ptrdiff_t last = static_cast<std::ptrdiff_t>(x.size()) - 1;
  for (std::ptrdiff_t i = 0; i < static_cast<std::ptrdiff_t>(out.size()); ++i) {
    std::ptrdiff_t at = i - centre;
    while (last > 0 && (at < 0 || at > last)) at = at < 0 ? -at : 2 * last - at;
    out[static_cast<std::size_t>(i)] = x[static_cast<std::size_t>(last > 0 ? at : 0)];
  }
  return out;
}

inline double mel_of(double hz, MelScale scale) {
  if (scale == MelScale::kHtk) return 1127.0104805 * std::log1p(hz / 700);  // 2595 / ln(10)
  return hz <= 1000 ? hz * 0.015 : 15 + 27 * std::log(hz / 1000) / std::log(6.4);
}
// The inverse by bisection: it needs no formula of its own.
inline double hz_of(double mel, MelScale scale) {
  double low = 0, high = 1e6;
  for (int i = 0; i < 200; ++i) {
    const double middle = (low + high) / 2;
    (mel_of(middle, scale) < mel ? low : high) = middle;
  }
  return low;
}

inline Matrix log_mel(std::span<const float> clip, const FeatureSettings& s, int rate_hz) {
  const int centre = s.padding == Padding::kNone ? 0 : s.n_fft / 2;
  const std::vector<double> x = padded(clip, centre, s.padding);
  const double f_max_hz = s.f_max_hz.value_or(rate_hz / 2.0);
  const double low = mel_of(s.f_min_hz, s.mel_scale);
  const double high = mel_of(f_max_hz, s.mel_scale);
  const auto corner_hz = [&](int i) { return hz_of(low + (high - low) * i / (s.n_mels + 1), s.mel_scale); };
  Matrix out;
  double peak = -INFINITY;
  for (std::size_t start = 0; start + static_cast<std::size_t>(s.n_fft) <= x.size();
       start += static_cast<std::size_t>(s.hop_samples)) {
    std::vector<double> frame(static_cast<std::size_t>(s.n_fft), 0.0);
    const int offset = (s.n_fft - s.window_samples) / 2;
    for (int n = 0; n < s.window_samples; ++n) {
      const double period = s.window_periodic ? s.window_samples : s.window_samples - 1;
      frame[static_cast<std::size_t>(offset + n)] = x[start + static_cast<std::size_t>(offset + n)] *
                                                    window_value(s.window, 2 * std::numbers::pi * n / period);
    }
    const std::vector<std::complex<double>> spectrum = dft(frame);
    std::vector<double> row;
    for (int m = 0; m < s.n_mels; ++m) {
      const double left = corner_hz(m), middle = corner_hz(m + 1), right = corner_hz(m + 2);
      double sum = 0;
      for (std::size_t k = 0; k < spectrum.size(); ++k) {
        const double hz = static_cast<double>(k) * rate_hz / s.n_fft;
        const double rise = (hz - left) / (middle - left), fall = (right - hz) / (right - middle);
        const double weight = std::max(0.0, std::min(rise, fall));
        sum += weight * std::pow(std::abs(spectrum[k]), s.power);
      }
      if (s.mel_norm == MelNorm::kSlaney) sum *= 2 / (right - left);
      const double value = std::max(sum, s.floor);
      row.push_back(s.log == LogScale::kDb ? 10 * std::log10(value) : std::log(value));
      peak = std::max(peak, row.back());
    }
    out.push_back(row);
  }
  if (s.log == LogScale::kDb && s.top_db) {
    for (std::vector<double>& row : out) {
      for (double& value : row) value = std::max(value, peak - *s.top_db);
    }
  }
  return out;
}

inline Matrix mfcc(const Matrix& log_mel, const FeatureSettings& s) {
  Matrix out;
  for (const std::vector<double>& row : log_mel) {
    std::vector<double> coefficients;
    for (int c = 0; c < s.n_mfcc; ++c) {
      double sum = 0, norm = 0;
      for (int m = 0; m < s.n_mels; ++m) {
        const double wave = std::cos(std::numbers::pi * c * (2 * m + 1) / (2 * s.n_mels));
        sum += row[static_cast<std::size_t>(m)] * wave;
        norm += wave * wave;
      }
      const double lift =
          s.lifter > 0 ? 1 + s.lifter / 2.0 * std::sin(std::numbers::pi * (c + 1) / s.lifter) : 1;
      coefficients.push_back(lift * sum / std::sqrt(norm));
    }
    out.push_back(coefficients);
  }
  return out;
}

// The derivative at the middle of a polynomial of degree `order` through `width` points, by the normal
// equations of the basis 1, k, k^2 on symmetric k.
inline std::vector<double> derivative(const Matrix& x, std::size_t frame, int order, int width) {
  const std::size_t frames = x.size();
  const std::size_t half = static_cast<std::size_t>(width / 2);
  const std::size_t centre = std::min(std::max(frame, half), frames - 1 - half);
  std::vector<double> out;
  for (std::size_t column = 0; column < x[0].size(); ++column) {
    double s0 = 0, s2 = 0, s4 = 0, y0 = 0, y1 = 0, y2 = 0;
    for (int k = -width / 2; k <= width / 2; ++k) {
      const double y = x[centre + static_cast<std::size_t>(k + width / 2) - half][column];
      s0 += 1, s2 += k * k, s4 += std::pow(k, 4);
      y0 += y, y1 += k * y, y2 += k * k * y;
    }
    out.push_back(order == 1 ? y1 / s2 : 2 * (s0 * y2 - s2 * y0) / (s0 * s4 - s2 * s2));
  }
  return out;
}

// Needs window_samples, hop_samples and n_fft in samples.
inline Matrix features(std::span<const float> clip, const FeatureSettings& s, int rate_hz) {
  Matrix columns = log_mel(clip, s, rate_hz);
  if (s.type == FeatureType::kMfcc) columns = mfcc(columns, s);
  int width = s.delta_width;
  while (width > static_cast<int>(columns.size())) width -= 2;
  Matrix out = columns;
  for (int order = 1; order <= s.deltas; ++order) {
    for (std::size_t f = 0; f < columns.size(); ++f) {
      const std::vector<double> d =
          width < 3 ? std::vector<double>(columns[f].size(), 0.0) : derivative(columns, f, order, width);
      out[f].insert(out[f].end(), d.begin(), d.end());
    }
  }
  return out;
}

}  // namespace serval::features::naive
