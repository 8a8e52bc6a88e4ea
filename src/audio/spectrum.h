// Fourier transforms of real samples, and frames of them under a Hann window.
#pragma once

#include <complex>
#include <cstddef>
#include <span>
#include <vector>

#include <kissfft/kissfft.hh>

namespace serval::audio {

// One size, a power of two from 4. One thread uses it at a time.
class RealFft {
 public:
  explicit RealFft(std::size_t size);
  std::size_t size() const { return size_; }
  std::size_t bins() const { return size_ / 2 + 1; }
  // out[k] = sum over n of x[n] exp(-2 pi i k n / size), k = 0 .. size / 2
  void forward(const double* x, std::complex<double>* out);
  // x[n] = 1/size * sum over k of the whole, conjugate-symmetric spectrum; what is imaginary in the bins 0 and
  // size / 2 is ignored.
  void inverse(const std::complex<double>* bins, double* x);

 private:
  std::size_t size_;
  kissfft<double> forward_, backward_;
  std::vector<std::complex<double>> turns_;  // exp(-2 pi i k / size), k = 0 .. size / 2
  std::vector<std::complex<double>> packed_, transformed_;
};

std::size_t power_of_two_from(std::size_t least);  // the smallest one that is not below it

std::vector<double> periodic_hann(std::size_t size);  // 0.5 - 0.5 cos(2 pi n / size)

// [frame, bin] of frames that start at hop * f of `x`; frames = 1 + (x.size() - fft.size()) / hop, 0 when x is
// shorter than one. A frame of zeros gives zeros.
struct Spectrogram {
  std::size_t frames = 0;
  std::size_t bins = 0;
  std::vector<std::complex<double>> values;
  std::complex<double>* row(std::size_t frame) { return values.data() + frame * bins; }
  const std::complex<double>* row(std::size_t frame) const { return values.data() + frame * bins; }
};
Spectrogram analyse(RealFft& fft, std::span<const double> x, std::span<const double> window, std::size_t hop);

// Overlap-add of the first `frames` frames, windowed again, over the sum of the squared windows where that is above
// `least`: [fft.size() + hop * (frames - 1)].
std::vector<double> synthesise(RealFft& fft, const Spectrogram& spectrum, std::size_t frames,
                               std::span<const double> window, std::size_t hop, double least);

}  // namespace serval::audio
