#include "serval/audio/augment.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <sstream>

#include "serval/audio/decode.h"
#include "serval/audio/effects.h"
#include "serval/audio/prepare.h"
#include "serval/audio/resample.h"
#include "serval/core/error.h"
#include "serval/core/hash.h"
#include "serval/core/settings_io.h"

#include "check_samples.h"

namespace serval::audio {
namespace fs = std::filesystem;

namespace {

// What a number of one effect is for.
enum Use : std::uint64_t { kApplied, kValue, kSecondValue, kSource, kStart };
// Layers of the stream of one effect: the numbers above, and samples of noise.
constexpr std::uint32_t kNumbers = 0;
constexpr std::uint32_t kSamples = 1;
// The step that stands for the choice among the effects; effect i has step i + 1.
constexpr std::uint32_t kChoice = 0;

// All that a copy draws hangs on 96 bits that its key decides.
RandomStream copy_stream(const CopyKey& key, std::uint32_t step, std::uint32_t layer) {
  const PhiloxBlock own =
      RandomStream{key.seed, key.fold, RandomPurpose::kAugment, key.epoch, key.copy}.block(key.recording);
  const std::uint64_t seed = own.value[0] | static_cast<std::uint64_t>(own.value[1]) << 32;
  return {seed, own.value[2], RandomPurpose::kAugment, step, layer};
}

double within(const Interval& interval, double share) {
  return interval.low + (interval.high - interval.low) * share;
}

std::string nine_digits(double value) {
  std::ostringstream out;
  out.precision(9);
  out << value;
  return out.str();
}

std::vector<float> load_sound(const std::string& path, int sample_rate_hz) {
  Waveform waveform = resample(decode(path), sample_rate_hz, Resampler::kSoxrHq);
  try {
    check_sound(waveform);
  } catch (const DataError& error) {
    throw DataError(cat(path, ": ", error.what()));
  }
  if (peak(waveform) <= 0) throw DataError(cat(path, ": silent: every sample is zero"));
  return std::move(waveform.samples);
}

// By name, so that the numbers of the recordings do not depend on the file system.
std::vector<fs::path> recordings_below(const std::string& folder) {
  std::error_code error;
  std::vector<fs::path> found;
  for (fs::recursive_directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    if (at->is_regular_file() && promised_kind(at->path().string()) != ContainerKind::kUnknown) {
      found.push_back(at->path());
    }
  }
  if (error) throw ConfigError(cat(folder, ": cannot be read: ", error.message()));
  if (found.empty()) throw ConfigError(cat(folder, ": holds no recordings of noise"));
  std::sort(found.begin(), found.end());
  return found;
}

// `count` samples from `start` on, round and round.
std::vector<double> part_of(const std::vector<float>& sound, std::size_t start, std::size_t count) {
  std::vector<double> out(count);
  for (std::size_t i = 0; i < count; ++i) out[i] = sound[(start + i) % sound.size()];
  return out;
}

}  // namespace

std::uint64_t recording_key(const std::string& hash) {
  SERVAL_CHECK(hash.size() >= 16, "a hash of ", hash.size(), " digits");
  return std::stoull(hash.substr(0, 16), nullptr, 16);
}

Augmenter::Augmenter(const AugmentSettings& settings, int sample_rate_hz)
    : settings_(settings), sample_rate_hz_(sample_rate_hz), sounds_(settings.effects.size()) {
  Hasher hasher;
  hasher.integer(sample_rate_hz);
  AugmentSettings described = settings;
  for (std::size_t i = 0; i < settings.effects.size(); ++i) {
    const EffectSettings& effect = settings.effects[i];
    if (effect.type == EffectType::kLowPass && effect.cutoff_hz.high >= sample_rate_hz / 2.0) {
      throw ConfigError(cat("effects[", i, "].cutoff_hz: ", effect.cutoff_hz.high,
                            " must lie below half the sample rate, ", sample_rate_hz / 2.0));
    }
    const bool recorded = effect.type == EffectType::kNoise && effect.noise == NoiseKind::kRecordings;
    const bool room = effect.type == EffectType::kRoom && effect.room == RoomKind::kFile;
    std::vector<fs::path> paths;
    if (recorded) paths = recordings_below(effect.noise_folder);
    if (room) paths.emplace_back(effect.response_file);
    for (const fs::path& path : paths) {
      const fs::path name = recorded ? path.lexically_relative(effect.noise_folder) : path.filename();
      sounds_[i].push_back({name.string(), load_sound(path.string(), sample_rate_hz)});
      hasher.text(name.string()).text(hash_file(path.string()));
    }
    // The content counts, not where it lies.
    described.effects[i].noise_folder.clear();
    described.effects[i].response_file.clear();
  }
  hasher.text(write_json(settings_to_json(described)));
  fingerprint_ = hasher.hex();
}

DrawnEffect Augmenter::draw_effect(const CopyKey& key, std::size_t effect) const {
  const EffectSettings& s = settings_.effects[effect];
  const RandomStream numbers = copy_stream(key, static_cast<std::uint32_t>(effect) + 1, kNumbers);
  const double share = numbers.uniform(kValue);
  DrawnEffect drawn;
  drawn.effect = effect;
  drawn.type = s.type;
  switch (s.type) {
    case EffectType::kPitch:
      drawn.value = within(s.semitones, share);
      break;
    case EffectType::kStretch:
      drawn.value = within(s.stretch_rate, share);
      break;
    case EffectType::kSpeed:
      drawn.value = within(s.speed_rate, share);
      break;
    case EffectType::kNoise:
      drawn.value = s.noise == NoiseKind::kPeak ? share : within(s.snr_db, share);
      break;
    case EffectType::kRoll:
      drawn.value =
          s.shift_samples.low + std::floor((s.shift_samples.high - s.shift_samples.low + 1) * share);
      break;
    case EffectType::kGain:
      drawn.value = within(s.gain_db, share);
      break;
    case EffectType::kLowPass:
      drawn.value = within(s.cutoff_hz, share);
      break;
    case EffectType::kRoom:
      if (s.room == RoomKind::kSynthetic) {
        drawn.value = within(s.rt60_s, share);
        drawn.second_value = within(s.direct_to_reverberant_db, numbers.uniform(kSecondValue));
      }
      break;
  }
  if (s.type == EffectType::kNoise && s.noise == NoiseKind::kRecordings) {
    const std::vector<Sound>& sounds = sounds_[effect];
    drawn.source = numbers.below(kSource, static_cast<std::uint32_t>(sounds.size()));
    const std::vector<float>& sound = sounds[drawn.source].samples;
    drawn.start = numbers.below(kStart, static_cast<std::uint32_t>(sound.size()));
    // A part that is nothing but zeros has no level: it starts at the next sample that is none.
    while (sound[drawn.start] == 0) drawn.start = (drawn.start + 1) % sound.size();
  }
  return drawn;
}

std::vector<DrawnEffect> Augmenter::draw(const CopyKey& key) const {
  std::vector<std::size_t> chosen;
  if (settings_.choose == Choose::kOne) {
    const auto count = static_cast<std::uint32_t>(settings_.effects.size());
    if (count > 0) chosen.push_back(copy_stream(key, kChoice, kNumbers).below(0, count));
  } else {
    for (std::size_t i = 0; i < settings_.effects.size(); ++i) chosen.push_back(i);
  }
  std::vector<DrawnEffect> drawn;
  for (const std::size_t effect : chosen) {
    const RandomStream numbers = copy_stream(key, static_cast<std::uint32_t>(effect) + 1, kNumbers);
    if (numbers.uniform(kApplied) >= settings_.effects[effect].probability) continue;
    drawn.push_back(draw_effect(key, effect));
  }
  return drawn;
}

Waveform Augmenter::apply_one(const Waveform& x, const CopyKey& key, const DrawnEffect& drawn) const {
  const EffectSettings& s = settings_.effects[drawn.effect];
  const RandomStream samples = copy_stream(key, static_cast<std::uint32_t>(drawn.effect) + 1, kSamples);
  const std::size_t n = x.samples.size();
  switch (s.type) {
    case EffectType::kPitch:
      return pitch_shift(x, drawn.value);
    case EffectType::kStretch:
      return time_stretch(x, drawn.value);
    case EffectType::kSpeed:
      return change_speed(x, drawn.value);
    case EffectType::kRoll:
      return roll(x, static_cast<std::int64_t>(drawn.value));
    case EffectType::kGain:
      return change_gain(x, drawn.value);
    case EffectType::kLowPass:
      return low_pass(x, drawn.value);
    case EffectType::kRoom:
      if (s.room == RoomKind::kFile) {
        const std::vector<float>& response = sounds_[drawn.effect].front().samples;
        return reverberate(x, part_of(response, 0, response.size()));
      }
      return reverberate(x, synthetic_response(x.sample_rate_hz, drawn.value, drawn.second_value, samples));
    case EffectType::kNoise:
      break;
  }
  switch (s.noise) {
    case NoiseKind::kWhite:
      return add_noise(x, white_noise(n, samples), drawn.value);
    case NoiseKind::kPink:
      return add_noise(x, pink_noise(n, samples), drawn.value);
    case NoiseKind::kRecordings:
      return add_noise(x, part_of(sounds_[drawn.effect][drawn.source].samples, drawn.start, n), drawn.value);
    case NoiseKind::kPeak:
      break;
  }
  // The largest sample, not the largest magnitude, as the rule has it.
  const double largest = *std::max_element(x.samples.begin(), x.samples.end());
  return add_scaled(x, white_noise(n, samples), s.amount * drawn.value * largest);
}

Waveform Augmenter::apply(const Waveform& waveform, const CopyKey& key,
                          const std::vector<DrawnEffect>& drawn) const {
  check_sound(waveform);
  SERVAL_CHECK(waveform.sample_rate_hz == sample_rate_hz_, "a waveform of ", waveform.sample_rate_hz,
               " Hz for effects of ", sample_rate_hz_);
  Waveform out = waveform;
  for (const DrawnEffect& effect : drawn) {
    try {
      out = apply_one(out, key, effect);
      check_sound(out);
    } catch (const DataError& error) {
      throw DataError(cat(to_string(effect.type), " (", parameters(effect), "): ", error.what()));
    }
  }
  return out;
}

std::string Augmenter::parameters(const DrawnEffect& drawn) const {
  const EffectSettings& s = settings_.effects[drawn.effect];
  const std::string value = nine_digits(drawn.value);
  switch (s.type) {
    case EffectType::kPitch:
      return "semitones=" + value;
    case EffectType::kStretch:
    case EffectType::kSpeed:
      return "rate=" + value;
    case EffectType::kRoll:
      return cat("shift_samples=", static_cast<std::int64_t>(drawn.value));
    case EffectType::kGain:
      return "gain_db=" + value;
    case EffectType::kLowPass:
      return "cutoff_hz=" + value;
    case EffectType::kRoom:
      if (s.room == RoomKind::kFile) return "file=" + sounds_[drawn.effect].front().name;
      return cat("rt60_s=", value, ";direct_to_reverberant_db=", nine_digits(drawn.second_value));
    case EffectType::kNoise:
      break;
  }
  switch (s.noise) {
    case NoiseKind::kWhite:
      return cat("noise=white;snr_db=", value);
    case NoiseKind::kPink:
      return cat("noise=pink;snr_db=", value);
    case NoiseKind::kRecordings:
      return cat("noise=", sounds_[drawn.effect][drawn.source].name, ";start_samples=", drawn.start,
                 ";snr_db=", value);
    case NoiseKind::kPeak:
      break;
  }
  return cat("noise=peak;amount=", nine_digits(s.amount * drawn.value));
}

std::size_t Augmenter::longest(std::size_t samples) const {
  double length = static_cast<double>(samples), longest = length;
  for (const EffectSettings& s : settings_.effects) {
    const bool changes = s.type == EffectType::kStretch || s.type == EffectType::kSpeed;
    if (!changes) continue;
    const double rate = std::min(1.0, s.type == EffectType::kStretch ? s.stretch_rate.low : s.speed_rate.low);
    const double from = settings_.choose == Choose::kOne ? static_cast<double>(samples) : length;
    length = std::ceil(from / rate) + 1;  // one more for rounding
    longest = std::max(longest, length);
  }
  return static_cast<std::size_t>(longest);
}

}  // namespace serval::audio
