// The filters of librosa.filters.chroma.
#pragma once

#include <cmath>

#include "serval/core/hd.h"

namespace serval::features::detail {

struct ChromaFilters {
  int n_chroma = 12;
  double bin_hz = 1;
  double half_turn = 6;  // n_chroma / 2, rounded to whole chroma with halves to even
  int roll = 3;          // from chroma 0 = A to chroma 0 = C
  double octave = 5;     // centre of the weights, in octaves above 27.5 Hz
  double octave_width = 2;
  bool weighs_octaves = true;

  // Position of a bin above 27.5 Hz, in chroma; `tuning` in chroma. Bin 0 counts as one and a half octaves below
  // bin 1.
  SERVAL_HD double position(int bin, double tuning) const {
    const double hz = (bin == 0 ? 1 : bin) * bin_hz;
    return n_chroma * log2(hz / 27.5) - tuning - (bin == 0 ? 1.5 * n_chroma : 0.0);
  }

  // The weights of one bin, [n_chroma]: a bell around the bin's place on the circle of chroma, at least a chroma
  // wide, of norm 1, times another bell over octaves.
  SERVAL_HD void weights(int bin, double tuning, float* out) const {
    const double place = position(bin, tuning);
    const double step = position(bin + 1, tuning) - place;
    const double width = step > 1 ? step : 1;
    double square = 0;
    for (int c = 0; c < n_chroma; ++c) {
      const double value = bell(place, c, width);
      square += value * value;
      out[(c + n_chroma - roll) % n_chroma] = static_cast<float>(value);
    }
    const double octaves = (place / n_chroma - octave) / octave_width;
    const double gain = (weighs_octaves ? exp(-0.5 * octaves * octaves) : 1.0) / sqrt(square);
    for (int c = 0; c < n_chroma; ++c) out[c] = static_cast<float>(gain * out[c]);
  }

  SERVAL_HD double bell(double place, int chroma, double width) const {
    const double turned = place - chroma + half_turn + 10 * n_chroma;
    const double distance = turned - n_chroma * floor(turned / n_chroma) - half_turn;
    return exp(-0.5 * (2 * distance / width) * (2 * distance / width));
  }
};

}  // namespace serval::features::detail
