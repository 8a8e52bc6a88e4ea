// The descriptors written a second time: in double, by sorting and summing, one clip at a time.
#pragma once

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "tests/features/naive_features.h"

namespace serval::features::naive {

// Frames of the clip's own samples, centred windows starting half a window before their centre.
inline Matrix sample_frames(std::span<const float> clip, const FeatureSettings& s) {
  const std::ptrdiff_t half = s.padding == Padding::kNone ? 0 : s.window_samples / 2;
  const std::ptrdiff_t last = static_cast<std::ptrdiff_t>(clip.size()) - 1;
  const std::ptrdiff_t frames = s.padding == Padding::kNone
                                    ? (last + 1 - s.window_samples) / s.hop_samples + 1
                                    : 1 + (last + 1) / s.hop_samples;
  Matrix out;
  for (std::ptrdiff_t f = 0; f < frames; ++f) {
    std::vector<double> row;
    for (std::ptrdiff_t n = 0; n < s.window_samples; ++n) {
      const std::ptrdiff_t at = f * s.hop_samples - half + n;
      const bool inside = at >= 0 && at <= last;
      const double edge = s.padding == Padding::kEdge ? clip[static_cast<std::size_t>(at < 0 ? 0 : last)] : 0;
      row.push_back((inside ? clip[static_cast<std::size_t>(at)] : edge) * s.sample_scale);
    }
    const double mean = std::accumulate(row.begin(), row.end(), 0.0) / s.window_samples;
    for (double& x : row) x -= s.remove_dc ? mean : 0;
    out.push_back(row);
  }
  return out;
}

// |X|^power of frames with zeros or nothing around the clip, [frame][bin].
inline Matrix weights(std::span<const float> clip, const FeatureSettings& s, double power) {
  const std::vector<double> x = padded(clip, s.padding == Padding::kNone ? 0 : s.n_fft / 2, s.padding);
  Matrix out;
  for (std::size_t start = 0; start + static_cast<std::size_t>(s.n_fft) <= x.size();
       start += static_cast<std::size_t>(s.hop_samples)) {
    std::vector<double> frame(static_cast<std::size_t>(s.n_fft), 0.0);
    const int offset = (s.n_fft - s.window_samples) / 2;
    for (int n = 0; n < s.window_samples; ++n) {
      const std::size_t at = static_cast<std::size_t>(offset + n);
      frame[at] = x[start + at] * window_value(s.window, 2 * std::numbers::pi * n / s.window_samples);
    }
    std::vector<double> row;
    for (const std::complex<double>& bin : dft(frame)) row.push_back(std::pow(std::abs(bin), power));
    out.push_back(row);
  }
  return out;
}

inline double zcr(const std::vector<double>& x, double threshold) {
  int crossings = 0;
  for (std::size_t n = 1; n < x.size(); ++n) {
    const auto clipped = [&](double v) { return std::abs(v) <= threshold ? 0.0 : v; };
    crossings += (clipped(x[n]) < 0) != (clipped(x[n - 1]) < 0) ? 1 : 0;
  }
  return static_cast<double>(crossings) / static_cast<double>(x.size());
}

inline double rms(const std::vector<double>& x) {
  return std::sqrt(std::inner_product(x.begin(), x.end(), x.begin(), 0.0) / static_cast<double>(x.size()));
}

inline double centroid(const std::vector<double>& w, double bin_hz) {
  double sum = 0, total = 0;
  for (std::size_t k = 0; k < w.size(); ++k) total += w[k], sum += w[k] * bin_hz * static_cast<double>(k);
  return total == 0 ? 0 : sum / total;
}

inline double bandwidth(const std::vector<double>& w, double bin_hz, double p, bool normalised) {
  const double centre = centroid(w, bin_hz), total = std::accumulate(w.begin(), w.end(), 0.0);
  double sum = 0;
  for (std::size_t k = 0; k < w.size(); ++k) {
    const double share = normalised && total > 0 ? w[k] / total : w[k];
    sum += share * std::pow(std::abs(bin_hz * static_cast<double>(k) - centre), p);
  }
  return std::pow(sum, 1 / p);
}

inline double rolloff(const std::vector<double>& w, double bin_hz, double share) {
  std::vector<double> sums(w.size());
  std::partial_sum(w.begin(), w.end(), sums.begin());
  std::size_t k = 0;
  while (sums[k] < share * sums.back()) ++k;
  return bin_hz * static_cast<double>(k);
}

inline double flatness(const std::vector<double>& w, double floor) {
  double logs = 0, sum = 0;
  for (const double value : w) logs += std::log(std::max(value, floor)), sum += std::max(value, floor);
  const double n = static_cast<double>(w.size());
  return std::exp(logs / n) / (sum / n);
}

// [frame][band]
inline Matrix contrast(const Matrix& spectra, const FeatureSettings& s, double bin_hz) {
  Matrix peaks, valleys, out;
  double highest[2] = {-INFINITY, -INFINITY};
  for (const std::vector<double>& w : spectra) {
    peaks.emplace_back(), valleys.emplace_back();
    double low_hz = 0, high_hz = s.contrast_f_min_hz;
    for (int band = 0; band <= s.contrast_bands; ++band, low_hz = high_hz, high_hz *= 2) {
      const bool top = band == s.contrast_bands;
      std::vector<double> bins;
      for (std::size_t k = 0; k < w.size(); ++k) {
        const double hz = bin_hz * static_cast<double>(k);
        const bool belongs =
            (hz >= low_hz && (hz <= high_hz || top)) || (band > 0 && hz < low_hz && hz + bin_hz >= low_hz);
        if (belongs) bins.push_back(w[k]);
      }
      const int wanted =
          static_cast<int>(std::nearbyint(s.contrast_quantile * static_cast<double>(bins.size())));
      if (!top) bins.pop_back();
      std::sort(bins.begin(), bins.end());
      const int count = std::min(std::max(wanted, 1), static_cast<int>(bins.size()));
      const double valley = std::accumulate(bins.begin(), bins.begin() + count, 0.0) / count;
      const double peak = std::accumulate(bins.end() - count, bins.end(), 0.0) / count;
      const auto scale = [&](double v) {
        return s.contrast_linear ? v : 10 * std::log10(std::max(v, 1e-10));
      };
      peaks.back().push_back(scale(peak)), valleys.back().push_back(scale(valley));
      highest[0] = std::max(highest[0], peaks.back().back());
      highest[1] = std::max(highest[1], valleys.back().back());
    }
  }
  const bool clamps = s.contrast_top_db && !s.contrast_linear;
  for (std::size_t f = 0; f < peaks.size(); ++f) {
    out.emplace_back();
    for (std::size_t b = 0; b < peaks[f].size(); ++b) {
      const double least_peak = clamps ? highest[0] - *s.contrast_top_db : -INFINITY;
      const double least_valley = clamps ? highest[1] - *s.contrast_top_db : -INFINITY;
      out.back().push_back(std::max(peaks[f][b], least_peak) - std::max(valleys[f][b], least_valley));
    }
  }
  return out;
}

// Of one frame, with a known tuning.
inline std::vector<double> chroma(const std::vector<double>& w, const FeatureSettings& s, double bin_hz) {
  const int n = s.n_chroma;
  std::vector<double> out(static_cast<std::size_t>(n), 0.0);
  const auto place = [&](double bin) { return n * std::log2(bin * bin_hz * 16 / 440) - *s.tuning; };
  for (std::size_t k = 0; k < w.size(); ++k) {
    const double bin = static_cast<double>(k);
    const double at = k == 0 ? place(1) - 1.5 * n : place(bin);
    const double width = std::max(1.0, k == 0 ? 1.5 * n : place(bin + 1) - at);
    std::vector<double> bells;
    double square = 0;
    for (int c = 0; c < n; ++c) {
      double distance = std::fmod(at - c, n);  // the shorter way around the circle
      if (distance < 0) distance += n;
      // The wrap lies at half a turn, which is rounded to whole chroma.
      if (distance >= n - std::nearbyint(n / 2.0)) distance -= n;
      bells.push_back(std::exp(-2 * std::pow(distance / width, 2)));
      square += std::pow(bells.back(), 2);
    }
    double gain = w[k] / std::sqrt(square);
    if (s.chroma_octave_width) {
      gain *= std::exp(-0.5 * std::pow((at / n - s.chroma_octave) / *s.chroma_octave_width, 2));
    }
    for (int c = 0; c < n; ++c) {
      out[static_cast<std::size_t>((c - 3 * (n / 12) + n) % n)] += gain * bells[static_cast<std::size_t>(c)];
    }
  }
  double length = 0;
  for (const double value : out) {
    if (s.chroma_norm == ChromaNorm::kInf) length = std::max(length, value);
    if (s.chroma_norm == ChromaNorm::kL1) length += value;
    if (s.chroma_norm == ChromaNorm::kL2) length = std::hypot(length, value);
  }
  for (double& value : out) value /= length > 0 ? length : 1;
  return out;
}

// Needs window_samples, hop_samples and n_fft in samples, and for chroma the tuning.
inline Matrix descriptor(std::span<const float> clip, const FeatureSettings& s, int rate_hz) {
  const double bin_hz = static_cast<double>(rate_hz) / s.n_fft;
  Matrix out;
  if (s.type == FeatureType::kZcr || s.type == FeatureType::kRms) {
    for (const std::vector<double>& x : sample_frames(clip, s)) {
      out.push_back({s.type == FeatureType::kZcr ? zcr(x, s.zero_threshold) : rms(x)});
    }
    return out;
  }
  const Matrix spectra = weights(clip, s, s.type == FeatureType::kFlatness ? s.flatness_power : s.power);
  if (s.type == FeatureType::kContrast) return contrast(spectra, s, bin_hz);
  for (const std::vector<double>& w : spectra) {
    if (s.type == FeatureType::kCentroid) out.push_back({centroid(w, bin_hz)});
    if (s.type == FeatureType::kBandwidth)
      out.push_back({bandwidth(w, bin_hz, s.bandwidth_power, s.bandwidth_normalised)});
    if (s.type == FeatureType::kRolloff) out.push_back({rolloff(w, bin_hz, s.roll_percent)});
    if (s.type == FeatureType::kFlatness) out.push_back({flatness(w, s.flatness_floor)});
    if (s.type == FeatureType::kChroma) out.push_back(chroma(w, s, bin_hz));
  }
  return out;
}

}  // namespace serval::features::naive
