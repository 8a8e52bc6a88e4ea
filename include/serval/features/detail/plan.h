// Settings at a sample rate, worked out: whole numbers and float tables, the same for every device.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "serval/features/settings.h"

namespace serval::features::detail {

struct ExtractionPlan {
  // Throws ConfigError when the settings do not fit the sample rate.
  ExtractionPlan(const FeatureSettings& settings, int sample_rate_hz);

  std::int64_t frames(std::int64_t samples) const;  // 0 when the clip is too short for one
  // The padded clip's position that the first window sample of frame f looks at.
  std::int64_t window_start(std::int64_t frame) const { return frame * hop - centre + window_offset; }
  std::vector<std::string> column_names() const;

  FeatureType type;
  Padding padding;
  int sample_rate_hz = 0;
  int window_length = 0;
  int hop = 0;
  int n_fft = 0;
  int centre = 0;         // n_fft / 2 where frames are centred on their sample, else 0
  int window_offset = 0;  // of the window in the middle of n_fft
  int power = 2;
  int n_mels = 0;
  int n_static = 0;   // columns before deltas: n_mels or n_mfcc
  int deltas = 0;     // orders
  int dimension = 0;  // n_static * (1 + deltas)
  float log_floor = 0;
  float log_scale = 0;
  bool has_top_db = false;
  float top_db = 0;
  int delta_width = 0;

  std::vector<float> window;  // [window_length]
  std::vector<std::int32_t> mel_first_bin;
  std::vector<std::int32_t> mel_offset;
  std::vector<float> mel_weights;  // see MelFilters
  std::vector<float> dct;          // [n_mfcc, n_mels] orthonormal DCT-II times the lifter; empty for log-mel
  std::vector<float> delta_taps[2];  // order 1 and 2, for every half width; see delta_taps_at

 private:
  void resolve_frames(const FeatureSettings& settings);
  void make_tables(const FeatureSettings& settings);
};

}  // namespace serval::features::detail
