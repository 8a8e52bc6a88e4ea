#include "serval/audio/prepare.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "serval/audio/decode.h"
#include "serval/audio/resample.h"
#include "serval/core/error.h"

namespace serval::audio {

namespace {

constexpr std::int64_t kFrameSamples = 2048;
constexpr std::int64_t kHopSamples = 512;
constexpr double kRmsFloor = 1e-5;

void keep_range(Waveform& waveform, SampleRange range) {
  waveform.samples.resize(range.end);
  waveform.samples.erase(waveform.samples.begin(),
                         waveform.samples.begin() + static_cast<std::ptrdiff_t>(range.begin));
}

// After resampling, which may go beyond its input.
void check_samples(const Waveform& waveform) {
  for (const float sample : waveform.samples) {
    if (!(std::abs(sample) <= kLoudest)) throw DataError(cat("a sample is ", sample, "; full scale is 1"));
  }
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
  const double threshold_db = *std::max_element(level_db.begin(), level_db.end()) - trim_db;
  const auto is_sound = [threshold_db](double level) { return level > threshold_db; };
  const auto first = std::find_if(level_db.begin(), level_db.end(), is_sound) - level_db.begin();
  const auto behind_last = level_db.rend() - std::find_if(level_db.rbegin(), level_db.rend(), is_sound);
  const std::int64_t end = std::min(n, static_cast<std::int64_t>(behind_last) * kHopSamples);
  return {static_cast<std::size_t>(std::min(end, static_cast<std::int64_t>(first) * kHopSamples)),
          static_cast<std::size_t>(end)};
}

Waveform prepare(Waveform waveform, const AudioSettings& settings) {
  const double peak_db = to_db(peak(waveform));
  if (peak_db < settings.silence_db) {
    throw DataError(std::isinf(peak_db) ? std::string("silent: every sample is zero")
                                        : cat("silent: its peak is ", peak_db, " dB, below silence_db ",
                                              settings.silence_db));
  }
  waveform = resample(waveform, settings.sample_rate_hz, settings.resampler);
  check_samples(waveform);
  if (settings.trim_db) keep_range(waveform, sound_range(waveform, *settings.trim_db));
  if (waveform.samples.empty() || waveform.seconds() < settings.min_duration_s) {
    throw DataError(cat("too short: ", waveform.seconds(), " s of sound",
                        settings.trim_db ? " after trimming" : "", ", at least min_duration_s ",
                        settings.min_duration_s, " is needed"));
  }
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
