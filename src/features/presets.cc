// The conventions of packages, as read in their sources and pinned by tests/golden/features.
#include "serval/features/settings.h"

namespace serval::features {

namespace {

// librosa 0.11: features at 22,050 Hz from 2,048 samples every 512.
void librosa(PartSettings& s) {
  s.n_fft = 2048;
  s.window_samples = 2048;
  s.hop_samples = 512;
  s.window_ms = 1000.0 * 2048 / 22050;
  s.hop_ms = 1000.0 * 512 / 22050;
  s.n_mels = 128;
}

// torchaudio's MelSpectrogram, AmplitudeToDB and MFCC at 16 kHz: 400 samples every 200.
void torchaudio(PartSettings& s) {
  s.n_fft = 400;
  s.window_samples = 400;
  s.hop_samples = 200;
  s.window_ms = 25;
  s.hop_ms = 12.5;
  s.padding = Padding::kReflect;
  s.n_mels = 128;
  s.mel_scale = MelScale::kHtk;
  s.mel_norm = MelNorm::kNone;
  s.n_mfcc = 40;
  s.delta_method = DeltaMethod::kRegression;
  s.delta_width = 5;
}

// compute-fbank-feats and compute-mfcc-feats with --dither=0.
void kaldi(PartSettings& s) {
  s.window = WindowShape::kPovey;
  s.window_periodic = false;
  s.window_place = WindowPlace::kStart;
  s.padding = Padding::kNone;
  s.sample_scale = 32768;
  s.remove_dc = true;
  s.frame_preemphasis = 0.97;
  s.n_mels = 23;
  s.f_min_hz = 20;
  s.mel_scale = MelScale::kHtk;
  s.mel_norm = MelNorm::kNone;
  s.mel_sides = MelSides::kMel;
  s.log = LogScale::kNatural;
  s.floor = 1.1920928955078125e-07;  // float's epsilon
  s.energy_floor = 1.1920928955078125e-07;
  s.n_mfcc = 13;
  s.zeroth = Zeroth::kEnergyFirst;
  s.lifter = 22;
  s.lifter_shift = 0;
  s.delta_method = DeltaMethod::kRegression;
  s.delta_width = 5;
}

// HTK's MFCC as most configurations of it have it: TARGETKIND MFCC_E, USEHAMMING, PREEMCOEF 0.97, NUMCHANS 26,
// NUMCEPS 12, CEPLIFTER 22, magnitudes, raw energy without normalisation.
void htk(PartSettings& s) {
  s.window = WindowShape::kHamming;
  s.window_periodic = false;
  s.window_place = WindowPlace::kStart;
  s.padding = Padding::kNone;
  s.sample_scale = 32768;
  s.frame_preemphasis = 0.97;
  s.n_mels = 26;
  s.mel_scale = MelScale::kHtk;
  s.mel_norm = MelNorm::kNone;
  s.mel_sides = MelSides::kMel;
  s.power = 1;
  s.log = LogScale::kNatural;
  s.floor = 1;
  s.energy_floor = 1;
  s.n_mfcc = 13;
  s.zeroth = Zeroth::kEnergyLast;
  s.cosine_norm = CosineNorm::kHtk;
  s.lifter = 22;
  s.lifter_shift = 0;
  s.delta_method = DeltaMethod::kRegression;
  s.delta_width = 5;
}

// Two periods of a low voice are longer than the usual window, so pitch has one of its own, whatever a stack's is.
void apply_voice_type(PartSettings& s) {
  if (s.type == FeatureType::kPcen) {
    s.log = LogScale::kNone;
    s.power = 1;
  }
  if (s.type != FeatureType::kF0 || s.preset == Preset::kLibrosa) return;
  s.window_ms = 64;
  s.window_samples = 0;
}

}  // namespace

void apply_preset(PartSettings& s, Preset preset) {
  PartSettings fresh;
  fresh.preset = preset;
  fresh.statistics = s.statistics;
  switch (preset) {
    case Preset::kSpeech:
      break;
    case Preset::kLibrosa:
      librosa(fresh);
      break;
    case Preset::kTorchaudio:
      torchaudio(fresh);
      break;
    case Preset::kKaldi:
      kaldi(fresh);
      break;
    case Preset::kHtk:
      htk(fresh);
      break;
  }
  apply_type(fresh, s.type);
  s = fresh;
}

void apply_type(PartSettings& s, FeatureType type) {
  s.type = type;
  if (type == FeatureType::kMel || type == FeatureType::kSpectrum) s.log = LogScale::kNone;
  // librosa takes magnitudes for these, power for chroma, and end samples around a clip for crossings of zero.
  const bool of_magnitudes = type == FeatureType::kCentroid || type == FeatureType::kBandwidth ||
                             type == FeatureType::kRolloff || type == FeatureType::kContrast;
  if (of_magnitudes) s.power = 1;
  if (type == FeatureType::kChroma) s.power = 2;
  if (type == FeatureType::kZcr && s.padding == Padding::kZero) s.padding = Padding::kEdge;
  apply_voice_type(s);
}

}  // namespace serval::features
