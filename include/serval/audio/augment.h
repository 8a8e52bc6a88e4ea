// Changed copies of a recording, to train on. What is changed and by how much is drawn from random numbers that are
// a pure function of seed, fold, epoch, copy, the recording's content and the effect's place in the list: of
// nothing else, so neither threads nor order nor what was drawn before matter.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "serval/audio/waveform.h"
#include "serval/core/settings.h"

namespace serval::audio {

enum class EffectType { kPitch, kStretch, kSpeed, kNoise, kRoll, kGain, kLowPass, kRoom };
const char* to_string(EffectType type);  // "pitch", ...

enum class NoiseKind {
  kWhite,
  kPink,
  kRecordings,  // from a folder
  kPeak,        // white, of the amplitude amount * U(0, 1) * max(x) that public SER notebooks use
};
enum class RoomKind { kSynthetic, kFile };
enum class Choose { kOne, kAll };
enum class Redraw { kOnce, kEveryEpoch };

// A value is drawn uniformly from its interval. See effects.h for what it does.
struct EffectSettings {
  EffectType type = EffectType::kPitch;
  double probability = 1;  // that the effect is applied at all
  Interval semitones{-2, 2};
  Interval stretch_rate{0.8, 1.2};
  Interval speed_rate{0.9, 1.1};
  NoiseKind noise = NoiseKind::kWhite;
  Interval snr_db{10, 30};
  std::string noise_folder;
  double amount = 0.035;
  Interval shift_samples{-5000, 5000};  // whole numbers
  Interval gain_db{-6, 6};
  Interval cutoff_hz{3000, 4000};
  RoomKind room = RoomKind::kSynthetic;
  Interval rt60_s{0.2, 0.6};
  Interval direct_to_reverberant_db{0, 10};
  std::string response_file;
};
void describe(SettingsVisitor& v, EffectSettings& settings);

struct AugmentSettings {
  int copies = 1;                       // of each training recording
  Choose choose = Choose::kOne;         // one effect, drawn, for each copy, or all of them in their order
  Redraw redraw = Redraw::kOnce;        // the same copies in every epoch, or new ones
  std::vector<EffectSettings> effects;  // none: no augmentation
  bool enabled() const { return !effects.empty(); }
};
void describe(SettingsVisitor& v, AugmentSettings& settings);

// Which copy of which recording.
struct CopyKey {
  std::uint64_t seed = 0;
  std::uint32_t fold = 0;
  std::uint32_t epoch = 0;      // 0 where every epoch has the same copies
  std::uint32_t copy = 0;       // from 0
  std::uint64_t recording = 0;  // of its content: recording_key()
};
// The first 64 bits of a hexadecimal hash.
std::uint64_t recording_key(const std::string& hash);

// One effect as it was drawn for one copy; what a lineage needs to make the copy again.
struct DrawnEffect {
  std::size_t effect = 0;  // its place in the settings
  EffectType type = EffectType::kPitch;
  double value =
      0;  // semitones, rate, snr_db, the share of amount, shift_samples, gain_db, cutoff_hz, rt60_s
  double second_value = 0;  // direct_to_reverberant_db
  std::size_t source = 0;   // which recording of noise
  std::size_t start = 0;    // its first sample
};

// Ready to make copies at one sample rate: recordings of noise and responses are in memory. Any number of threads
// may use one at a time.
class Augmenter {
 public:
  // Throws ConfigError when a cut-off is not below half the sample rate or a folder of noise holds no recording,
  // DataError for a file that cannot be used.
  Augmenter(const AugmentSettings& settings, int sample_rate_hz);

  const AugmentSettings& settings() const { return settings_; }

  // In the order in which they are applied; may be empty.
  std::vector<DrawnEffect> draw(const CopyKey& key) const;
  // `drawn` is what draw() gave for `key`. Throws DataError when an effect cannot be applied.
  Waveform apply(const Waveform& waveform, const CopyKey& key, const std::vector<DrawnEffect>& drawn) const;
  Waveform copy(const Waveform& waveform, const CopyKey& key) const {
    return apply(waveform, key, draw(key));
  }

  // "semitones=1.25", "snr_db=17.5;noise=rain.wav;start_samples=812": for the lineage.
  std::string parameters(const DrawnEffect& drawn) const;

  // No copy of a waveform of so many samples is longer.
  std::size_t longest(std::size_t samples) const;

  // Changes with the settings and with the content of the files that they name.
  std::string fingerprint() const { return fingerprint_; }

 private:
  struct Sound {
    std::string name;
    std::vector<float> samples;
  };
  DrawnEffect draw_effect(const CopyKey& key, std::size_t effect) const;
  Waveform apply_one(const Waveform& waveform, const CopyKey& key, const DrawnEffect& drawn) const;

  AugmentSettings settings_;
  int sample_rate_hz_ = 0;
  std::vector<std::vector<Sound>> sounds_;  // [effect]: recordings of noise, or the response
  std::string fingerprint_;
};

}  // namespace serval::audio
