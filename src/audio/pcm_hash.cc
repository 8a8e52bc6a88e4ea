#include "serval/audio/pcm_hash.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "serval/core/hash.h"

namespace serval::audio {

std::string pcm_hash(const Waveform& waveform) {
  std::vector<std::int16_t> rounded(waveform.samples.size());
  for (std::size_t i = 0; i < rounded.size(); ++i) {
    const float scaled = std::clamp(waveform.samples[i] * 32768.0f, -32768.0f, 32767.0f);
    rounded[i] = static_cast<std::int16_t>(std::lrint(scaled));
  }
  Hasher hasher;
  hasher.integer(waveform.sample_rate_hz);
  hasher.bytes(rounded.data(), rounded.size() * sizeof(std::int16_t));
  return hasher.hex();
}

}  // namespace serval::audio
