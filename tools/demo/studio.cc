#include "tools/demo/studio.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numbers>

#include <sndfile.h>
#include <soxr.h>

#include "serval/core/error.h"
#include "serval/core/files.h"
#include "serval/core/philox.h"

namespace serval::demo {
namespace {

constexpr double kPeakLimit = 0.97;
constexpr double kNoiseDb = -78;  // a quiet room: no recording holds digital silence
constexpr double kTremorHz = 6;

double from_db(double level_db) { return std::pow(10.0, level_db / 20); }

// Played at tract_ratio times its speed, so that every formant moves by that factor, and resampled.
std::vector<float> resample(const Speech& speech, double tract_ratio) {
  const double source_hz = speech.sample_rate_hz * tract_ratio;
  const double ratio = kSampleRateHz / source_hz;
  std::vector<float> out(
      static_cast<std::size_t>(std::ceil(static_cast<double>(speech.samples.size()) * ratio)) + 16);
  std::size_t used = 0;
  std::size_t made = 0;
  const soxr_quality_spec_t quality = soxr_quality_spec(SOXR_HQ, 0);
  const soxr_error_t error =
      soxr_oneshot(source_hz, kSampleRateHz, 1, speech.samples.data(), speech.samples.size(), &used,
                   out.data(), out.size(), &made, nullptr, &quality, nullptr);
  if (error != nullptr) throw InternalError(cat("soxr from ", source_hz, " Hz: ", error));
  out.resize(made);
  return out;
}

// One zero (bright) or one pole (dull) at the given weight.
void colour(std::vector<float>& samples, double brightness) {
  double previous_in = 0;
  double previous_out = 0;
  for (float& sample : samples) {
    const double in = sample;
    const double out =
        brightness >= 0 ? in - brightness * previous_in : in - brightness * (previous_out - in);
    previous_in = in;
    previous_out = out;
    sample = static_cast<float>(out);
  }
}

void tremble(std::vector<float>& samples, double depth) {
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const double phase = 2 * std::numbers::pi * kTremorHz * static_cast<double>(i) / kSampleRateHz;
    samples[i] *= static_cast<float>(1 - depth * (0.5 + 0.5 * std::cos(phase)));
  }
}

// espeak-ng ends with a pause of its own; how long a recording is quiet before and after is the delivery's.
void trim(std::vector<float>& samples) {
  const auto heard = [](float sample) { return std::fabs(sample) > 1e-3f; };
  samples.erase(std::find_if(samples.rbegin(), samples.rend(), heard).base(), samples.end());
  samples.erase(samples.begin(), std::find_if(samples.begin(), samples.end(), heard));
}

void set_level(std::vector<float>& samples, double level_db) {
  double energy = 0;
  double peak = 0;
  for (const float sample : samples) {
    energy += static_cast<double>(sample) * sample;
    peak = std::max(peak, std::fabs(static_cast<double>(sample)));
  }
  if (peak == 0) throw DataError("espeak-ng spoke nothing but silence");
  const double rms = std::sqrt(energy / static_cast<double>(samples.size()));
  const double gain = std::min(from_db(level_db) / rms, kPeakLimit / peak);
  for (float& sample : samples) sample = static_cast<float>(sample * gain);
}

}  // namespace

std::vector<float> produce(const Speech& speech, const Delivery& delivery, std::uint32_t noise_key) {
  std::vector<float> voice = resample(speech, delivery.tract_ratio);
  trim(voice);
  colour(voice, delivery.brightness);
  tremble(voice, delivery.tremor);
  set_level(voice, delivery.level_db);

  const auto lead_in = static_cast<std::size_t>(delivery.lead_in_s * kSampleRateHz);
  const auto lead_out = static_cast<std::size_t>(delivery.lead_out_s * kSampleRateHz);
  std::vector<float> out(lead_in + voice.size() + lead_out, 0.0f);
  std::copy(voice.begin(), voice.end(), out.begin() + static_cast<std::ptrdiff_t>(lead_in));
  const double noise = from_db(kNoiseDb) * std::sqrt(12.0);  // of uniform numbers one unit wide
  for (std::size_t i = 0; i < out.size(); ++i) {
    const PhiloxBlock block = philox4x32(PhiloxBlock{{static_cast<std::uint32_t>(i), 0, 0, 0}}, noise_key, 0);
    out[i] += static_cast<float>(noise * (block.value[0] * 0x1p-32 - 0.5));
  }
  return out;
}

void write_wav(const std::filesystem::path& path, const std::vector<float>& samples) {
  std::vector<short> pcm(samples.size());
  for (std::size_t i = 0; i < samples.size(); ++i) {
    pcm[i] = static_cast<short>(std::lround(std::clamp(samples[i], -1.0f, 1.0f) * 32767.0f));
  }
  write_atomically(path, [&](const std::filesystem::path& temporary) {
    SF_INFO info{};
    info.samplerate = kSampleRateHz;
    info.channels = 1;
    info.format = SF_FORMAT_WAV | SF_FORMAT_PCM_16;
    SNDFILE* file = sf_open(temporary.c_str(), SFM_WRITE, &info);
    if (file == nullptr) throw DataError(cat(temporary.string(), ": ", sf_strerror(nullptr)));
    const sf_count_t written = sf_writef_short(file, pcm.data(), static_cast<sf_count_t>(pcm.size()));
    const int closed = sf_close(file);
    if (written != static_cast<sf_count_t>(pcm.size()) || closed != 0) {
      throw DiskError(
          cat(path.string(), ": only ", written, " of ", pcm.size(), " samples could be written"));
    }
  });
}

}  // namespace serval::demo
