#include "serval/deploy/pcm.h"

#include <bit>
#include <cmath>

#include "serval/audio/decode.h"
#include "serval/audio/waveform.h"
#include "serval/core/error.h"

namespace serval::deploy {

PcmEncoding pcm_encoding(const std::string& name) {
  if (name == "s16le") return PcmEncoding::kS16le;
  if (name == "f32le") return PcmEncoding::kF32le;
  throw ConfigError(cat("encoding \"", name, "\" is not known; s16le and f32le are"));
}

void check_format(const PcmFormat& format) {
  if (format.rate_hz < audio::kSlowestHz || format.rate_hz > audio::kFastestHz)
    throw ConfigError(cat("a rate of ", format.rate_hz, " Hz; ", audio::kSlowestHz, " to ", audio::kFastestHz,
                          " can be read"));
  if (format.channels < 1 || format.channels > kMostPcmChannels)
    throw ConfigError(cat(format.channels, " channels; 1 to ", kMostPcmChannels, " can be read"));
}

PcmReader::PcmReader(const PcmFormat& format) : format_(format) { check_format(format); }

float PcmReader::frame(const unsigned char* bytes) const {
  double sum = 0;
  for (int c = 0; c < format_.channels; ++c) {
    if (format_.encoding == PcmEncoding::kS16le) {
      const auto bits = static_cast<std::uint16_t>(bytes[0] | bytes[1] << 8);
      sum += static_cast<double>(static_cast<std::int16_t>(bits)) / 32768;
      bytes += 2;
    } else {
      const std::uint32_t bits =
          static_cast<std::uint32_t>(bytes[0]) | static_cast<std::uint32_t>(bytes[1]) << 8 |
          static_cast<std::uint32_t>(bytes[2]) << 16 | static_cast<std::uint32_t>(bytes[3]) << 24;
      sum += static_cast<double>(std::bit_cast<float>(bits));
      bytes += 4;
    }
  }
  return static_cast<float>(sum / format_.channels);
}

void PcmReader::read(std::string_view bytes, std::vector<float>& samples) {
  const std::size_t size = format_.frame_bytes();
  const auto take = [&](const char* at) {
    const float sample = frame(reinterpret_cast<const unsigned char*>(at));
    if (!(std::abs(sample) <= audio::kLoudest))
      throw DataError(cat("sample ", frames_, " is ", sample, "; full scale is 1"));
    ++frames_;
    samples.push_back(sample);
  };
  if (!rest_.empty()) {
    const std::size_t missing = std::min(size - rest_.size(), bytes.size());
    rest_.append(bytes.substr(0, missing));
    bytes.remove_prefix(missing);
    if (rest_.size() < size) return;
    take(rest_.data());
    rest_.clear();
  }
  for (; bytes.size() >= size; bytes.remove_prefix(size)) take(bytes.data());
  rest_ = std::string(bytes);
}

}  // namespace serval::deploy
