// Raw samples as they come through a pipe or a socket, in pieces of any size.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace serval::deploy {

enum class PcmEncoding { kS16le, kF32le };  // 16-bit integers, 32-bit floats; little-endian

struct PcmFormat {
  int rate_hz = 16000;
  int channels = 1;  // interleaved
  PcmEncoding encoding = PcmEncoding::kS16le;

  std::size_t frame_bytes() const {
    return static_cast<std::size_t>(channels) * (encoding == PcmEncoding::kS16le ? 2 : 4);
  }
};
inline constexpr int kMostPcmChannels = 64;

PcmEncoding pcm_encoding(const std::string& name);  // "s16le", "f32le"; ConfigError for others
void check_format(const PcmFormat& format);         // ConfigError: no channels, or at a rate that is not read

// Bytes to mono samples, full scale at 1, as decoding a file of them gives: the channels' mean. A frame may be
// divided between two pieces.
class PcmReader {
 public:
  explicit PcmReader(const PcmFormat& format);

  // Appends to `samples`. Throws DataError for a sample that is not a number or is beyond audio::kLoudest.
  void read(std::string_view bytes, std::vector<float>& samples);
  bool within_frame() const { return !rest_.empty(); }  // what came last is not a whole frame

 private:
  float frame(const unsigned char* bytes) const;

  PcmFormat format_;
  std::string rest_;
  std::int64_t frames_ = 0;
};

}  // namespace serval::deploy
