// How clips are cut into frames, and what a frame's spectrum is weighed with.
#pragma once

#include <cstdint>
#include <vector>

#include "serval/core/hd.h"
#include "serval/features/settings.h"

namespace serval::features::detail {

struct FramePlan {
  // Throws ConfigError when the settings do not fit the sample rate.
  static FramePlan make(const FrameSettings& settings, int sample_rate_hz);
  // One frame a sample.
  static FramePlan every_sample();

  std::int64_t frames(std::int64_t samples) const;  // 0 when the clip is too short for one
  // The clip's position that the first window sample of frame f looks at.
  std::int64_t window_start(std::int64_t frame) const { return frame * hop + lead; }
  int bins() const { return n_fft / 2 + 1; }
  // Whether two sets of frames have equally many for every clip.
  bool counts_like(const FramePlan& other) const;
  friend bool operator==(const FramePlan&, const FramePlan&) = default;

  Padding padding = Padding::kZero;
  int window_length = 1;
  int hop = 1;
  int n_fft = 2;
  int needed = 0;         // samples that a frame needs, with padding none
  int window_offset = 0;  // of the window in n_fft
  int lead = 0;           // window_start(0)
  float sample_scale = 1;
  bool remove_dc = false;
  float preemphasis = 0;
  std::vector<float> window;  // [window_length]

  // Samples before the window that the transform looks at, from frame 0's point of view.
  bool shapes_samples() const { return remove_dc || preemphasis != 0; }
};

// From values to their logarithm, and what depends on the clip's largest one.
struct LogRule {
  static LogRule make(const LogSettings& settings);
  friend bool operator==(const LogRule&, const LogRule&) = default;

  LogScale kind = LogScale::kNone;
  float floor = 0;
  float scale = 1;
  bool has_top_db = false;
  float top_db = 0;
  bool from_peak = false;  // the clip's peak becomes 0 dB
  SERVAL_HD bool needs_peak() const { return has_top_db || from_peak; }
};

struct BankPlan {
  static BankPlan make(const MelSettings& mel, const LogSettings& log, const FramePlan& frames,
                       int sample_rate_hz);
  friend bool operator==(const BankPlan&, const BankPlan&) = default;

  int framing = 0;  // its place in ExtractionPlan::framings
  int power = 2;
  int n_mels = 0;
  LogRule log;
  std::vector<std::int32_t> first_bin;
  std::vector<std::int32_t> offset;
  std::vector<float> weights;  // see MelFilters
};

struct DeltaPlan {
  static DeltaPlan make(const DeltaSettings& settings, int first_column, int n_static);

  int first_column = 0;  // of the columns that they are taken of; order o stands o * n_static behind them
  int n_static = 0;
  int orders = 0;
  DeltaMethod method = DeltaMethod::kSavgol;
  int width = 0;
  std::vector<float> taps[2];  // order 1 and 2; savgol: for every half width, see delta_taps_at

  // Of which order the columns of order `order` are slopes, and with which taps.
  int source_order(int order) const { return method == DeltaMethod::kSavgol ? 0 : order - 1; }
  // Taps of a slope change their sign about the middle, those of a curvature do not.
  bool curved(int order) const { return method == DeltaMethod::kSavgol && order == 2; }
  const std::vector<float>& taps_of(int order) const {
    return taps[method == DeltaMethod::kSavgol ? order - 1 : 0];
  }
};

}  // namespace serval::features::detail
