#include "serval/audio/quantise.h"

#include <algorithm>
#include <cmath>

#include "serval/audio/waveform.h"
#include "serval/core/error.h"
#include "serval/core/hash.h"

namespace serval::audio {

namespace {

constexpr float kMostCode = 32767;
constexpr float kLeastCode = -32768;
// Below this, code * scale would leave the normal floats.
constexpr int kLeastExponent = -126;

bool fits(float least, float most, float scale) {
  return std::nearbyint(most / scale) <= kMostCode && std::nearbyint(least / scale) >= kLeastCode;
}

}  // namespace

QuantisedAudio quantise(std::span<const float> samples, const std::string& recording) {
  float least = 0, most = 0;
  for (const float sample : samples) {
    if (!(std::abs(sample) <= kLoudest))
      throw DataError(cat(recording, ": a sample is ", sample, "; full scale is 1"));
    least = std::min(least, sample);
    most = std::max(most, sample);
  }
  const float peak = std::max(most, -least);
  // Starts one step too small to fit.
  int exponent = peak > 0 ? std::max(std::ilogb(peak) - 16, kLeastExponent) : -15;
  while (!fits(least, most, std::ldexp(1.0f, exponent))) ++exponent;

  QuantisedAudio out;
  out.scale = std::ldexp(1.0f, exponent);
  const float inverse = std::ldexp(1.0f, -exponent);  // exact: both are powers of two
  out.codes.reserve(samples.size());
  for (const float sample : samples)
    out.codes.push_back(static_cast<std::int16_t>(std::nearbyint(sample * inverse)));
  return out;
}

void dequantise(std::span<const std::int16_t> codes, float scale, std::span<float> out) {
  SERVAL_CHECK(codes.size() == out.size(), codes.size(), " codes into ", out.size(), " samples");
  for (std::size_t i = 0; i < codes.size(); ++i) out[i] = static_cast<float>(codes[i]) * scale;
}

std::vector<float> samples(const QuantisedAudio& audio) {
  std::vector<float> out(audio.codes.size());
  dequantise(audio.codes, audio.scale, out);
  return out;
}

std::string hash_of(const QuantisedAudio& audio) {
  return Hasher()
      .bytes(&audio.scale, sizeof audio.scale)
      .bytes(audio.codes.data(), audio.codes.size() * sizeof(std::int16_t))
      .hex();
}

}  // namespace serval::audio
