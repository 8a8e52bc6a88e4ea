#include "spectrum.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "serval/core/error.h"

namespace serval::audio {

RealFft::RealFft(std::size_t size)
    : size_(size),
      forward_(size / 2, false),
      backward_(size / 2, true),
      packed_(size / 2),
      transformed_(size / 2 + 1) {
  SERVAL_CHECK(size >= 4 && (size & (size - 1)) == 0, "a transform of ", size, " samples");
  for (std::size_t k = 0; k <= size / 2; ++k) {
    const double angle = -2 * std::numbers::pi * static_cast<double>(k) / static_cast<double>(size);
    turns_.emplace_back(std::cos(angle), std::sin(angle));
  }
}

// Even samples are the real and odd ones the imaginary part of one transform of half the size.
void RealFft::forward(const double* x, std::complex<double>* out) {
  const std::size_t half = size_ / 2;
  for (std::size_t n = 0; n < half; ++n) packed_[n] = {x[2 * n], x[2 * n + 1]};
  forward_.transform(packed_.data(), transformed_.data());
  transformed_[half] = transformed_[0];  // periodic
  for (std::size_t k = 0; k <= half; ++k) {
    const std::complex<double> a = transformed_[k];
    const std::complex<double> b = std::conj(transformed_[half - k]);
    const double even_re = 0.5 * (a.real() + b.real()), even_im = 0.5 * (a.imag() + b.imag());
    const double odd_re = 0.5 * (a.imag() - b.imag()), odd_im = -0.5 * (a.real() - b.real());
    const double c = turns_[k].real(), s = turns_[k].imag();
    out[k] = {even_re + (c * odd_re - s * odd_im), even_im + (c * odd_im + s * odd_re)};
  }
}

void RealFft::inverse(const std::complex<double>* bins, double* x) {
  const std::size_t half = size_ / 2;
  for (std::size_t k = 0; k < half; ++k) {
    std::complex<double> a = bins[k];
    std::complex<double> b = std::conj(bins[half - k]);
    if (k == 0) {
      a = a.real();
      b = b.real();
    }
    const double even_re = 0.5 * (a.real() + b.real()), even_im = 0.5 * (a.imag() + b.imag());
    const double re = 0.5 * (a.real() - b.real()), im = 0.5 * (a.imag() - b.imag());
    const double c = turns_[k].real(), s = -turns_[k].imag();
    packed_[k] = {even_re - (c * im + s * re), even_im + (c * re - s * im)};
  }
  backward_.transform(packed_.data(), transformed_.data());
  const double scale = 1 / static_cast<double>(half);
  for (std::size_t n = 0; n < half; ++n) {
    x[2 * n] = transformed_[n].real() * scale;
    x[2 * n + 1] = transformed_[n].imag() * scale;
  }
}

std::size_t power_of_two_from(std::size_t least) {
  std::size_t size = 1;
  while (size < least) size *= 2;
  return size;
}

std::vector<double> periodic_hann(std::size_t size) {
  std::vector<double> window(size);
  for (std::size_t n = 0; n < size; ++n) {
    window[n] =
        0.5 - 0.5 * std::cos(2 * std::numbers::pi * static_cast<double>(n) / static_cast<double>(size));
  }
  return window;
}

Spectrogram analyse(RealFft& fft, std::span<const double> x, std::span<const double> window,
                    std::size_t hop) {
  const std::size_t size = fft.size();
  Spectrogram out;
  out.bins = fft.bins();
  out.frames = x.size() < size ? 0 : 1 + (x.size() - size) / hop;
  out.values.resize(out.frames * out.bins);
  std::vector<double> frame(size);
  for (std::size_t f = 0; f < out.frames; ++f) {
    const std::span<const double> part = x.subspan(f * hop, size);
    if (std::all_of(part.begin(), part.end(), [](double sample) { return sample == 0; })) continue;
    for (std::size_t n = 0; n < size; ++n) frame[n] = part[n] * window[n];
    fft.forward(frame.data(), out.row(f));
  }
  return out;
}

std::vector<double> synthesise(RealFft& fft, const Spectrogram& spectrum, std::size_t frames,
                               std::span<const double> window, std::size_t hop, double least) {
  SERVAL_CHECK(frames >= 1 && frames <= spectrum.frames, frames, " frames of ", spectrum.frames);
  const std::size_t size = fft.size();
  std::vector<double> out(size + hop * (frames - 1), 0.0), weight(out.size(), 0.0), frame(size);
  for (std::size_t f = 0; f < frames; ++f) {
    fft.inverse(spectrum.row(f), frame.data());
    for (std::size_t n = 0; n < size; ++n) {
      out[f * hop + n] += window[n] * frame[n];
      weight[f * hop + n] += window[n] * window[n];
    }
  }
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (weight[i] > least) out[i] /= weight[i];
  }
  return out;
}

}  // namespace serval::audio
