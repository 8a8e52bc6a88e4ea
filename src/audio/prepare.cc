#include "serval/audio/prepare.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "serval/audio/decode.h"
#include "serval/audio/noise_reduction.h"
#include "serval/audio/resample.h"
#include "serval/core/error.h"

#include "check_samples.h"

namespace serval::audio {

namespace {

constexpr std::int64_t kFrameSamples = 2048;
constexpr std::int64_t kHopSamples = 512;
constexpr double kRmsFloor = 1e-5;

// Whether each frame of 2048 samples, one every 512, is sound.
std::vector<bool> sound_frames(const Waveform& waveform, double below_loudest_db) {
  const auto n = static_cast<std::int64_t>(waveform.samples.size());
  std::vector<double> level_db;
  for (std::int64_t k = 0; k <= n / kHopSamples; ++k) {
    const std::int64_t begin = std::max<std::int64_t>(0, k * kHopSamples - kFrameSamples / 2);
    const std::int64_t end = std::min(n, k * kHopSamples + kFrameSamples / 2);
    double sum = 0;
    for (std::int64_t i = begin; i < end; ++i) {
      const double sample = waveform.samples[static_cast<std::size_t>(i)];
      sum += sample * sample;
    }
    level_db.push_back(to_db(std::max(kRmsFloor, std::sqrt(sum / kFrameSamples))));
  }
  const double threshold_db = *std::max_element(level_db.begin(), level_db.end()) - below_loudest_db;
  std::vector<bool> sound;
  for (const double level : level_db) sound.push_back(level > threshold_db);
  return sound;
}

// The samples of frames [first, behind_last).
SampleRange samples_of(const Waveform& waveform, std::ptrdiff_t first, std::ptrdiff_t behind_last) {
  const std::size_t n = waveform.samples.size();
  const auto hop = static_cast<std::size_t>(kHopSamples);
  return {std::min(n, static_cast<std::size_t>(first) * hop),
          std::min(n, static_cast<std::size_t>(behind_last) * hop)};
}

void keep_ranges(Waveform& waveform, const std::vector<SampleRange>& ranges) {
  std::vector<float> kept;
  for (const SampleRange& range : ranges) {
    kept.insert(kept.end(), waveform.samples.begin() + static_cast<std::ptrdiff_t>(range.begin),
                waveform.samples.begin() + static_cast<std::ptrdiff_t>(range.end));
  }
  waveform.samples = std::move(kept);
}

void keep_range(Waveform& waveform, SampleRange range) {
  waveform.samples.resize(range.end);
  waveform.samples.erase(waveform.samples.begin(),
                         waveform.samples.begin() + static_cast<std::ptrdiff_t>(range.begin));
}

void apply_level(Waveform& waveform, const AudioSettings& settings) {
  if (settings.level == Level::kNone) return;
  const double now = settings.level == Level::kPeak ? peak(waveform) : rms(waveform);
  if (now <= 0) throw DataError("silent: every sample is zero once it is resampled and trimmed");
  const double gain = from_db(settings.level_db) / now;
  for (float& sample : waveform.samples) sample = static_cast<float>(sample * gain);
}

}  // namespace

double peak(const Waveform& waveform) {
  float largest = 0;
  for (const float sample : waveform.samples) largest = std::max(largest, std::abs(sample));
  return largest;
}

double rms(const Waveform& waveform) {
  if (waveform.samples.empty()) return 0;
  double sum = 0;
  for (const float sample : waveform.samples) sum += static_cast<double>(sample) * sample;
  return std::sqrt(sum / static_cast<double>(waveform.samples.size()));
}

double to_db(double amplitude) {
  return amplitude > 0 ? 20 * std::log10(amplitude) : -std::numeric_limits<double>::infinity();
}

double from_db(double level_db) { return std::pow(10.0, level_db / 20); }

SampleRange sound_range(const Waveform& waveform, double trim_db) {
  const std::vector<bool> sound = sound_frames(waveform, trim_db);
  const auto first = std::find(sound.begin(), sound.end(), true) - sound.begin();
  const auto behind_last = sound.rend() - std::find(sound.rbegin(), sound.rend(), true);
  const SampleRange range = samples_of(waveform, first, behind_last);
  return {std::min(range.begin, range.end), range.end};
}

std::vector<SampleRange> sound_ranges(const Waveform& waveform, double cut_silence_db) {
  const std::vector<bool> sound = sound_frames(waveform, cut_silence_db);
  std::vector<SampleRange> ranges;
  for (auto at = sound.begin(); (at = std::find(at, sound.end(), true)) != sound.end();) {
    const auto end = std::find(at, sound.end(), false);
    ranges.push_back(samples_of(waveform, at - sound.begin(), end - sound.begin()));
    at = end;
  }
  return ranges;
}

void pre_emphasise(Waveform& waveform, double coefficient) {
  std::vector<float>& x = waveform.samples;
  if (x.empty()) return;
  const double first = x[0];
  const double second = x[x.size() > 1 ? 1 : 0];
  for (std::size_t n = x.size() - 1; n > 0; --n) {
    x[n] = static_cast<float>(static_cast<double>(x[n]) - coefficient * static_cast<double>(x[n - 1]));
  }
  x[0] = static_cast<float>(3 * first - second);
}

Waveform prepare(Waveform waveform, const AudioSettings& settings) {
  const double peak_db = to_db(peak(waveform));
  if (peak_db < settings.silence_db) {
    throw DataError(std::isinf(peak_db) ? std::string("silent: every sample is zero")
                                        : cat("silent: its peak is ", peak_db, " dB, below silence_db ",
                                              settings.silence_db));
  }
  waveform = resample(waveform, settings.sample_rate_hz, settings.resampler);
  check_samples(waveform);  // after resampling, which may go beyond its input
  if (settings.noise_reduction == NoiseReduction::kStationary) {
    waveform = reduce_noise(waveform, {settings.noise_threshold_deviations, settings.noise_decrease});
    const double left_db = to_db(peak(waveform));
    if (left_db < settings.silence_db) {
      throw DataError(cat("silent once its noise is reduced: its peak is ", left_db, " dB, below silence_db ",
                          settings.silence_db));
    }
  }
  if (settings.trim_db) keep_range(waveform, sound_range(waveform, *settings.trim_db));
  if (settings.cut_silence_db) keep_ranges(waveform, sound_ranges(waveform, *settings.cut_silence_db));
  if (waveform.samples.empty() || waveform.seconds() < settings.min_duration_s) {
    throw DataError(cat("too short: ", waveform.seconds(), " s of sound",
                        settings.trim_db || settings.cut_silence_db ? " after trimming" : "",
                        ", at least min_duration_s ", settings.min_duration_s, " is needed"));
  }
  if (settings.pre_emphasis) pre_emphasise(waveform, *settings.pre_emphasis);
  apply_level(waveform, settings);
  if (settings.length_s) {
    const auto length = static_cast<std::size_t>(std::llround(*settings.length_s * settings.sample_rate_hz));
    waveform.samples.resize(std::max<std::size_t>(1, length), 0.0f);
  }
  return waveform;
}

Waveform load(const std::string& path, const AudioSettings& settings) {
  Waveform decoded = decode(path, settings.offset_s, settings.duration_s);
  try {
    return prepare(std::move(decoded), settings);
  } catch (const DataError& error) {
    throw DataError(cat(path, ": ", error.what()));
  }
}

}  // namespace serval::audio
