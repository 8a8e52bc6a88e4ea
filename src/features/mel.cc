#include "serval/features/mel.h"

#include <algorithm>
#include <cmath>

#include "serval/core/error.h"

namespace serval::features {

namespace {

constexpr double kSlaneyHzPerMel = 200.0 / 3;
constexpr double kSlaneyBreakHz = 1000;
constexpr double kSlaneyBreakMel = kSlaneyBreakHz / kSlaneyHzPerMel;
// A corner that lies on a bin must not give that bin a weight of a rounding error.
constexpr double kSliver = 1e-12;
const double kSlaneyLogStep = std::log(6.4) / 27;

}  // namespace

double hz_to_mel(double hz, MelScale scale) {
  if (scale == MelScale::kHtk) return 2595 * std::log10(1 + hz / 700);
  if (hz < kSlaneyBreakHz) return hz / kSlaneyHzPerMel;
  return kSlaneyBreakMel + std::log(hz / kSlaneyBreakHz) / kSlaneyLogStep;
}

double mel_to_hz(double mel, MelScale scale) {
  if (scale == MelScale::kHtk) return 700 * (std::pow(10.0, mel / 2595) - 1);
  if (mel < kSlaneyBreakMel) return mel * kSlaneyHzPerMel;
  return kSlaneyBreakHz * std::exp(kSlaneyLogStep * (mel - kSlaneyBreakMel));
}

std::vector<int> MelFilters::empty_filters() const {
  std::vector<int> empty;
  for (std::size_t m = 0; m + 1 < offset.size(); ++m) {
    if (offset[m] == offset[m + 1]) empty.push_back(static_cast<int>(m));
  }
  return empty;
}

MelFilters make_mel_filters(int n_mels, int n_fft, double sample_rate_hz, double f_min_hz, double f_max_hz,
                            MelScale scale, MelNorm norm, MelSides sides) {
  SERVAL_CHECK(n_mels > 0 && n_fft > 0 && f_max_hz > f_min_hz, n_mels, " filters from ", f_min_hz, " to ",
               f_max_hz);
  const double low = hz_to_mel(f_min_hz, scale);
  const double step = (hz_to_mel(f_max_hz, scale) - low) / (n_mels + 1);
  const auto corner_hz = [&](int i) { return mel_to_hz(low + step * i, scale); };
  // Filters are built along this axis.
  const auto corner = [&](int i) { return sides == MelSides::kMel ? low + step * i : corner_hz(i); };
  MelFilters filters;
  filters.offset.push_back(0);
  for (int m = 0; m < n_mels; ++m) {
    const double left = corner(m);
    const double middle = corner(m + 1);
    const double right = corner(m + 2);
    const double height = norm == MelNorm::kSlaney ? 2 / (corner_hz(m + 2) - corner_hz(m)) : 1;
    std::int32_t first = 0;
    bool any = false;
    for (std::int32_t bin = 0; bin <= n_fft / 2; ++bin) {
      const double hz = sample_rate_hz * bin / n_fft;
      const double at = sides == MelSides::kMel ? hz_to_mel(hz, scale) : hz;
      const double weight = std::min((at - left) / (middle - left), (right - at) / (right - middle));
      if (weight <= kSliver) continue;
      if (!any) first = bin;
      any = true;
      filters.weights.push_back(weight * height);
    }
    filters.first_bin.push_back(first);
    filters.offset.push_back(static_cast<std::int32_t>(filters.weights.size()));
  }
  return filters;
}

}  // namespace serval::features
