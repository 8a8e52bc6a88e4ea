// Mel scales and the triangular filters that turn a spectrum into mel bands.
#pragma once

#include <cstdint>
#include <vector>

#include "serval/features/settings.h"

namespace serval::features {

// Slaney: 3 f / 200 up to 1 kHz, then 15 + 27 log(f / 1000) / log(6.4). HTK: 2595 log10(1 + f / 700).
double hz_to_mel(double hz, MelScale scale);
double mel_to_hz(double mel, MelScale scale);

// Filter m weighs the bins [first_bin[m], first_bin[m] + count) with weights [offset[m], offset[m + 1]),
// where count = offset[m + 1] - offset[m]. At most two filters share a bin, so nearly all weights of a dense
// matrix would be zero. A filter that no bin falls into is empty and gives 0, as in librosa.
struct MelFilters {
  std::vector<std::int32_t> first_bin;  // [n_mels]
  std::vector<std::int32_t> offset;     // [n_mels + 1]
  std::vector<double> weights;
  std::vector<int> empty_filters() const;  // their numbers
};

// The corners of the filters are n_mels + 2 frequencies at equal distances on the mel scale from f_min_hz to
// f_max_hz; triangles are linear in hertz (or in mel) and not rounded to bins.
MelFilters make_mel_filters(int n_mels, int n_fft, double sample_rate_hz, double f_min_hz, double f_max_hz,
                            MelScale scale, MelNorm norm, MelSides sides = MelSides::kHz);

}  // namespace serval::features
