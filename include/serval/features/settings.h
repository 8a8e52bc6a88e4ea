// What to compute from a recording. A feature set is one part, such as a log-mel spectrogram, or a stack of parts
// whose columns stand side by side; statistics over time turn it into one vector per recording.
//
// A preset chooses the conventions of a package with that package's default sizes; every setting can then be
// changed by itself. "speech" is librosa's definitions with the short windows that are usual for speech.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "serval/core/settings.h"
#include "serval/features/external.h"
#include "serval/features/voice_settings.h"

namespace serval::features {

enum class FeatureType {
  kLogMel,
  kMfcc,
  kMel,
  kSpectrum,
  kEnergy,
  kWaveform,
  kZcr,
  kRms,
  kCentroid,
  kBandwidth,
  kRolloff,
  kFlatness,
  kContrast,
  kChroma,
  kF0,
  kHnr,
  kTeager,
  kModulation,
  kPcen,
  kStack,
  kExternal,
  kGender,
};
// Whether sets of the type are computed from audio, and not read or looked up.
bool from_audio(FeatureType type);
enum class Preset { kSpeech, kLibrosa, kTorchaudio, kKaldi, kHtk };

enum class WindowShape { kHann, kHamming, kBlackman, kBoxcar, kPovey };
// What stands in front of and behind the clip. With kNone, frames lie inside the clip. With kMirror, frames are
// centred on hop/2, 3/2 hop, ... and the clip is mirrored with its end samples repeated (Kaldi without
// snip_edges). Otherwise frame f is centred on sample f * hop.
enum class Padding { kZero, kReflect, kNone, kEdge, kMirror };
// Where the window lies among the n_fft samples of the transform; with kStart and no padding a frame needs only
// its window.
enum class WindowPlace { kCentre, kStart };
enum class MelScale { kSlaney, kHtk };
enum class MelNorm { kSlaney, kNone };
// Whether the sides of a filter are straight over frequency or over mel.
enum class MelSides { kHz, kMel };
enum class LogScale { kDb, kNatural, kNone };
enum class DbReference { kOne, kPeak };
// The 0th cepstral coefficient: among the others, left out, behind them, or the log energy instead.
enum class Zeroth { kFirst, kDrop, kLast, kEnergyFirst, kEnergyLast };
enum class EnergyColumn { kNone, kFirst, kLast };
enum class CosineNorm { kOrtho, kHtk };
// What a frame's chroma are divided by: the largest, the sum, the root of the sum of squares, or nothing.
enum class ChromaNorm { kInf, kL1, kL2, kNone };
enum class DeltaMethod { kSavgol, kSavgolRepeated, kRegression };

// The longest transform: a frame's spectrum must fit the memory that the threads of a GPU's block share.
inline constexpr int kMaxFft = 32768;
inline constexpr int kMaxDeltaWidth = 99;

struct FrameSettings {
  double window_ms = 25;
  double hop_ms = 10;
  int window_samples = 0;  // 0: from window_ms
  int hop_samples = 0;     // 0: from hop_ms
  int n_fft = 0;           // 0: the next power of two that holds the window
  WindowShape window = WindowShape::kHann;
  bool window_periodic = true;
  WindowPlace window_place = WindowPlace::kCentre;
  Padding padding = Padding::kZero;
  double sample_scale = 1;
  bool remove_dc = false;
  double frame_preemphasis = 0;
};

struct MelSettings {
  int n_mels = 64;
  double f_min_hz = 0;
  std::optional<double> f_max_hz;  // half the sample rate
  MelScale mel_scale = MelScale::kSlaney;
  MelNorm mel_norm = MelNorm::kSlaney;
  MelSides mel_sides = MelSides::kHz;
  int power = 2;
  EnergyColumn energy = EnergyColumn::kNone;
};

struct LogSettings {
  LogScale log = LogScale::kDb;
  double floor = 1e-10;
  DbReference db_reference = DbReference::kOne;
  std::optional<double> top_db = 80;
};

struct CepstrumSettings {
  int n_mfcc = 20;
  Zeroth zeroth = Zeroth::kFirst;
  CosineNorm cosine_norm = CosineNorm::kOrtho;
  int lifter = 0;
  int lifter_shift = 1;
};

struct EnergySettings {
  bool energy_windowed = false;
  double energy_floor = 1e-10;
};

// Descriptors of a frame's samples and of its spectrum, as librosa defines them.
struct DescriptorSettings {
  double zero_threshold = 1e-10;
  double roll_percent = 0.85;
  double bandwidth_power = 2;
  bool bandwidth_normalised = true;
  double flatness_floor = 1e-10;
  double flatness_power = 2;
  int contrast_bands = 6;
  double contrast_f_min_hz = 200;
  double contrast_quantile = 0.02;
  bool contrast_linear = false;
  std::optional<double> contrast_top_db = 80;
};

struct ChromaSettings {
  int n_chroma = 12;
  ChromaNorm chroma_norm = ChromaNorm::kInf;
  std::optional<double> tuning;  // in chroma; none: estimated from the clip
  double chroma_octave = 5;
  std::optional<double> chroma_octave_width = 2;
};

struct DeltaSettings {
  int deltas = 0;
  DeltaMethod delta_method = DeltaMethod::kSavgol;
  int delta_width = 9;
};

struct PartSettings : FrameSettings,
                      MelSettings,
                      LogSettings,
                      CepstrumSettings,
                      EnergySettings,
                      DescriptorSettings,
                      ChromaSettings,
                      F0Settings,
                      HnrSettings,
                      TeagerSettings,
                      ModulationSettings,
                      PcenSettings,
                      DeltaSettings {
  FeatureType type = FeatureType::kLogMel;
  Preset preset = Preset::kSpeech;
  std::vector<std::string> statistics;  // see statistics.h; empty: the frames themselves
};
void describe(SettingsVisitor& v, PartSettings& s);

// Sets everything that a preset decides. Reading an experiment file does it when `preset` is met.
void apply_preset(PartSettings& s, Preset preset);
// Sets what a type decides under the preset of `s`.
void apply_type(PartSettings& s, FeatureType type);

struct FeatureSettings : PartSettings {
  // With kStack: the columns of these, side by side. The settings of the stack itself, given before `parts`, are
  // the defaults of every part.
  std::vector<PartSettings> parts;
  // With kExternal: where the features are. Nothing is computed, and no other setting counts.
  ExternalSettings external;
};
void describe(SettingsVisitor& v, FeatureSettings& s);

}  // namespace serval::features
