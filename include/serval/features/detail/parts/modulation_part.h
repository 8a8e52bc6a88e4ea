// Modulation spectrum: how strongly each mel band rises and falls at which rate. Around frame f lie the W frames
// f - W / 2, ..., the clip's first and last one repeated outside. With e[n] a band's values there, their mean
// subtracted, and w the periodic Hann window,
//   A[k] = 2 |sum_n w[n] e[n] exp(-2 pi i k n / W)| / sum_n w[n],
// so that a band that swings as a cos(...) at bin k has A[k] = a. A column is the mean of A over the bins k / W *
// frame rate of one octave, the octaves of the first mel band first.
//
// The transform slides: without window, bin k of the next frame is that of this frame, less the value that leaves,
// plus the one that comes, turned by one step. The Hann window is a weighted sum of neighbouring bins.
#pragma once

#include <cmath>

#include "serval/core/team.h"
#include "serval/features/detail/views.h"

namespace serval::features::detail {

// Memory that is asked for as floats and used as doubles.
using DoubleMemory [[gnu::may_alias]] = double;

constexpr int kMostModulationBands = 16;

struct ModulationPart {
  static constexpr bool kFrame = false;
  static constexpr bool kClip = true;
  int window = 0;  // frames
  int bands = 0;
  int bins = 0;                                  // 0 ... bins - 1 slide
  int first_bin[kMostModulationBands + 1] = {};  // of band b; the last entry ends the last band
  // tables: [bins][cos, its rounding error, sin, its rounding error] of 2 pi k / window
  // clip_scratch: [n_mels, bins][re, im] as doubles

  static int clip_scratch(int n_mels, int bins) { return 4 * n_mels * bins; }

  // The n-th frame of a window that starts at frame `start`, clamped to the clip.
  static SERVAL_HD std::int64_t clamped(std::int64_t frame, std::int64_t frames) {
    return frame < 0 ? 0 : frame > frames - 1 ? frames - 1 : frame;
  }

  SERVAL_HD double amplitude(const DoubleMemory* spectrum, int k) const {
    // Bin 0 is that of the mean, which is subtracted.
    const double low_re = k > 1 ? spectrum[2 * k - 2] : 0, low_im = k > 1 ? spectrum[2 * k - 1] : 0;
    const double re = spectrum[2 * k] / 2 - (low_re + spectrum[2 * k + 2]) / 4;
    const double im = spectrum[2 * k + 1] / 2 - (low_im + spectrum[2 * k + 3]) / 4;
    return 2 * sqrt(re * re + im * im) / (0.5 * window);
  }

  template <class Team>
  SERVAL_HD void clip(const Team& team, const ClipView& in, const PartMemory& memory) const {
    DoubleMemory* spectra = reinterpret_cast<DoubleMemory*>(memory.clip_scratch);
    const int states = in.n_mels * bins;
    for (int i = team.rank(); i < 2 * states; i += team.size()) spectra[i] = 0;
    // Starts from a window full of the first frame, whose bins but the 0th are 0.
    const std::int64_t before = window - 1 - window / 2;
    for (std::int64_t step = -before; step < in.frames; ++step) {
      const float* out = in.bank + clamped(step - 1 - window / 2, in.frames) * in.n_mels;
      const float* next = in.bank + clamped(step + before, in.frames) * in.n_mels;
      team.sync();
      for (int i = team.rank(); i < states; i += team.size()) {
        const int k = i % bins;
        const float* turn = memory.tables + 4 * k;
        const double c = static_cast<double>(turn[0]) + turn[1], s = static_cast<double>(turn[2]) + turn[3];
        const int m = i / bins;
        const double re = spectra[2 * i] + (static_cast<double>(next[m]) - out[m]);
        const double im = spectra[2 * i + 1];
        spectra[2 * i] = re * c - im * s;
        spectra[2 * i + 1] = re * s + im * c;
      }
      if (step < 0) continue;
      team.sync();
      for (int i = team.rank(); i < in.n_mels * bands; i += team.size()) {
        const int band = i % bands;
        const DoubleMemory* spectrum = spectra + 2 * (i / bands) * bins;
        double sum = 0;
        for (int k = first_bin[band]; k < first_bin[band + 1]; ++k) sum += amplitude(spectrum, k);
        memory.columns[step * memory.stride + i] =
            static_cast<float>(sum / (first_bin[band + 1] - first_bin[band]));
      }
    }
  }
};

}  // namespace serval::features::detail
