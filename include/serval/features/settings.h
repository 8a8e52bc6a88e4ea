// What to compute from a recording, frame by frame: a log-mel spectrogram or MFCC, with deltas when asked
// for. The defaults follow librosa 0.11 (zero padding, periodic Hann, Slaney mel, dB down to 80 below the
// clip's peak) with the short windows that are usual for speech.
#pragma once

#include <optional>

#include "serval/core/settings.h"

namespace serval::features {

enum class FeatureType { kLogMel, kMfcc };
enum class WindowShape { kHann, kHamming, kBlackman, kBoxcar };
// What stands in front of and behind the clip. With kNone, frames lie inside the clip; otherwise frame f is
// centred on sample f * hop.
enum class Padding { kZero, kReflect, kNone };
enum class MelScale { kSlaney, kHtk };
enum class MelNorm { kSlaney, kNone };
enum class LogScale { kDb, kNatural };

// The longest transform: a frame's spectrum must fit the memory that the threads of a GPU's block share.
inline constexpr int kMaxFft = 32768;

struct FeatureSettings {
  FeatureType type = FeatureType::kLogMel;

  double window_ms = 25;
  double hop_ms = 10;
  int window_samples = 0;  // 0: from window_ms
  int hop_samples = 0;     // 0: from hop_ms
  int n_fft = 0;           // 0: the next power of two that holds the window
  WindowShape window = WindowShape::kHann;
  bool window_periodic = true;
  Padding padding = Padding::kZero;

  int n_mels = 64;
  double f_min_hz = 0;
  std::optional<double> f_max_hz;  // half the sample rate
  MelScale mel_scale = MelScale::kSlaney;
  MelNorm mel_norm = MelNorm::kSlaney;
  int power = 2;

  LogScale log = LogScale::kDb;
  double floor = 1e-10;
  std::optional<double> top_db = 80;

  int n_mfcc = 20;
  int lifter = 0;

  int deltas = 0;
  int delta_width = 9;
};

void describe(SettingsVisitor& v, FeatureSettings& s);

}  // namespace serval::features
