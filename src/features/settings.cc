#include "serval/features/settings.h"

#include <cmath>

#include "serval/core/error.h"

#include "settings_fields.h"

namespace serval::features {

namespace {

Options<FeatureType> part_types() {
  // clang-format off
  return {
      {"log_mel", FeatureType::kLogMel},
      {"mfcc", FeatureType::kMfcc},
      {"mel", FeatureType::kMel},
      {"spectrum", FeatureType::kSpectrum},
      {"energy", FeatureType::kEnergy},
      {"waveform", FeatureType::kWaveform},
      {"zcr", FeatureType::kZcr},
      {"rms", FeatureType::kRms},
      {"centroid", FeatureType::kCentroid},
      {"bandwidth", FeatureType::kBandwidth},
      {"rolloff", FeatureType::kRolloff},
      {"flatness", FeatureType::kFlatness},
      {"contrast", FeatureType::kContrast},
      {"chroma", FeatureType::kChroma},
      {"f0", FeatureType::kF0},
      {"hnr", FeatureType::kHnr},
      {"teager", FeatureType::kTeager},
      {"modulation", FeatureType::kModulation},
      {"pcen", FeatureType::kPcen},
  };
  // clang-format on
}

constexpr Help kTypeHelp{
    "log_mel: mel spectrogram on a logarithmic scale; mfcc: its cosine transform; mel: without logarithm; "
    "spectrum: bins of the Fourier transform; energy: log energy of a frame; waveform: the samples; "
    "zcr: zero-crossing rate; rms: root mean square of a frame; centroid, bandwidth, rolloff: where the "
    "spectrum lies, in Hz; flatness: 1 for noise, near 0 for tones; contrast: peaks against valleys by "
    "octave; chroma: pitch classes; f0: fundamental frequency and voicing; hnr: harmonics-to-noise ratio; "
    "teager: Teager-Kaiser energy; modulation: spectrum of the mel bands' course over time; pcen: mel "
    "spectrogram "
    "with per-channel energy normalisation; and of a set alone, stack: parts side by side; external: made "
    "elsewhere "
    "and read from a file; gender: one number a recording, 1 for male and 0 for female speakers",
    "", Need::kRequired};

void describe_preset(SettingsVisitor& v, PartSettings& s, FeatureType type_before) {
  const Preset before = s.preset;
  v.choice(
      "preset", s.preset,
      Options<Preset>{{"speech", Preset::kSpeech},
                      {"librosa", Preset::kLibrosa},
                      {"torchaudio", Preset::kTorchaudio},
                      {"kaldi", Preset::kKaldi},
                      {"htk", Preset::kHtk}},
      {"conventions and default sizes of a package; speech is librosa's definitions with 25 ms windows"});
  if (s.preset != before) {
    apply_preset(s, s.preset);
  } else if (s.type != type_before) {
    apply_type(s, s.type);
  }
}

// The types of voice_settings.h; whether it is one of them.
bool describe_voice(SettingsVisitor& v, PartSettings& s) {
  switch (s.type) {
    case FeatureType::kF0:
      describe_lengths(v, s);
      describe_padding(v, s);
      describe_f0(v, s);
      return true;
    case FeatureType::kHnr:
      describe_hop(v, s);
      describe_padding(v, s);
      describe_hnr(v, s);
      return true;
    case FeatureType::kTeager:
      describe_lengths(v, s);
      describe_padding(v, s);
      describe_teager(v, s);
      return true;
    case FeatureType::kModulation:
      describe_frames(v, s);
      describe_mel(v, s);
      describe_log(v, s);
      describe_modulation(v, s);
      return true;
    case FeatureType::kPcen:
      describe_frames(v, s);
      describe_mel(v, s);
      describe_pcen(v, s);
      return true;
    default:
      return false;
  }
}

// What the settings of one type are, the preset excepted.
void describe_type(SettingsVisitor& v, PartSettings& s) {
  if (describe_voice(v, s)) return;
  if (s.type == FeatureType::kWaveform) return;
  describe_frames(v, s);
  switch (s.type) {
    case FeatureType::kMfcc:
      describe_mel(v, s);
      describe_log(v, s);
      describe_cepstrum(v, s, s.n_mels);
      describe_energy(v, s);
      v.check(s.log != LogScale::kNone, "log", "cepstral coefficients need a logarithm: db or natural");
      break;
    case FeatureType::kLogMel:
    case FeatureType::kMel:
      describe_mel(v, s);
      describe_log(v, s);
      v.choice(
          "energy", s.energy,
          Options<EnergyColumn>{
              {"none", EnergyColumn::kNone}, {"first", EnergyColumn::kFirst}, {"last", EnergyColumn::kLast}},
          {"a column with the frame's log energy, before or behind the mel bands"});
      describe_energy(v, s);
      v.check(s.type == FeatureType::kMel || s.log != LogScale::kNone, "log",
              "a log-mel spectrogram needs a logarithm: db or natural; type mel has none");
      break;
    case FeatureType::kSpectrum:
      describe_power(v, s);
      describe_log(v, s);
      break;
    case FeatureType::kEnergy:
      describe_energy(v, s);
      break;
    case FeatureType::kZcr:
      describe_zcr(v, s);
      break;
    case FeatureType::kRms:
      break;
    case FeatureType::kCentroid:
      describe_power(v, s);
      break;
    case FeatureType::kBandwidth:
      describe_power(v, s);
      describe_bandwidth(v, s);
      break;
    case FeatureType::kRolloff:
      describe_power(v, s);
      describe_rolloff(v, s);
      break;
    case FeatureType::kFlatness:
      describe_flatness(v, s);
      break;
    case FeatureType::kContrast:
      describe_power(v, s);
      describe_contrast(v, s);
      break;
    case FeatureType::kChroma:
      describe_power(v, s);
      describe_chroma(v, s);
      break;
    default:
      break;
  }
}

void describe_stack(SettingsVisitor& v, FeatureSettings& s) {
  describe_frames(v, s);
  describe_statistics(v, s);
  PartSettings prototype = s;
  prototype.deltas = 0;
  v.list_like(
      "parts", s.parts, prototype,
      {"features side by side, each with its own type; the stack's preset and frames are their defaults", "",
       Need::kRequired});
  v.check(!s.parts.empty(), "parts", "a stack needs at least one part");
}

}  // namespace

bool from_audio(FeatureType type) { return type != FeatureType::kExternal && type != FeatureType::kGender; }

void describe(SettingsVisitor& v, PartSettings& s) {
  const FeatureType before = s.type;
  v.variants("type", s.type, part_types(), kTypeHelp, [&s, before](SettingsVisitor& inner) {
    describe_preset(inner, s, before);
    describe_type(inner, s);
  });
  describe_deltas(v, s);
  describe_statistics(v, s);
}

void describe(SettingsVisitor& v, FeatureSettings& s) {
  const FeatureType before = s.type;
  Options<FeatureType> types = part_types();
  types.emplace_back("stack", FeatureType::kStack);
  types.emplace_back("external", FeatureType::kExternal);
  types.emplace_back("gender", FeatureType::kGender);
  v.variants("type", s.type, types, kTypeHelp, [&s, before](SettingsVisitor& inner) {
    if (s.type == FeatureType::kExternal) return describe(inner, s.external);
    if (s.type == FeatureType::kGender) return;
    describe_preset(inner, s, before);
    if (s.type == FeatureType::kStack) {
      describe_stack(inner, s);
    } else {
      describe_type(inner, s);
      describe_statistics(inner, s);
    }
    describe_deltas(inner, s);
  });
  for (const PartSettings& part : s.parts) {
    v.check(s.deltas == 0 || part.deltas == 0, "deltas",
            "deltas are asked for by the stack and by one of its parts; keep one of the two");
    v.check(part.statistics.empty() == s.parts.front().statistics.empty(), "parts",
            "either every part has statistics or none has");
  }
}

}  // namespace serval::features
