#include "serval/audio/encode.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include <sndfile.h>

#include "serval/core/error.h"

namespace serval::audio {

namespace {

// A file that libsndfile writes into memory.
struct Memory {
  std::string bytes;
  std::size_t at = 0;
};

SF_VIRTUAL_IO memory_io() {
  SF_VIRTUAL_IO io{};
  io.get_filelen = [](void* user) {
    return static_cast<sf_count_t>(static_cast<Memory*>(user)->bytes.size());
  };
  io.seek = [](sf_count_t offset, int whence, void* user) {
    auto& memory = *static_cast<Memory*>(user);
    const std::size_t from = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? memory.at : memory.bytes.size();
    memory.at = from + static_cast<std::size_t>(offset);
    return static_cast<sf_count_t>(memory.at);
  };
  io.read = [](void* out, sf_count_t count, void* user) {
    auto& memory = *static_cast<Memory*>(user);
    if (memory.at >= memory.bytes.size()) return sf_count_t{0};
    const std::size_t n = std::min(static_cast<std::size_t>(count), memory.bytes.size() - memory.at);
    std::memcpy(out, memory.bytes.data() + memory.at, n);
    memory.at += n;
    return static_cast<sf_count_t>(n);
  };
  io.write = [](const void* in, sf_count_t count, void* user) {
    auto& memory = *static_cast<Memory*>(user);
    const auto n = static_cast<std::size_t>(count);
    if (memory.at + n > memory.bytes.size()) memory.bytes.resize(memory.at + n);
    std::memcpy(memory.bytes.data() + memory.at, in, n);
    memory.at += n;
    return count;
  };
  io.tell = [](void* user) { return static_cast<sf_count_t>(static_cast<Memory*>(user)->at); };
  return io;
}

std::string encode(const Waveform& waveform, int format, float full_scale) {
  std::vector<short> samples;
  samples.reserve(waveform.samples.size());
  for (const float sample : waveform.samples)
    samples.push_back(static_cast<short>(
        std::clamp(std::lround(full_scale * std::clamp(sample, -1.0f, 1.0f)), -32768l, 32767l)));
  Memory memory;
  SF_VIRTUAL_IO io = memory_io();
  SF_INFO info{};
  info.samplerate = waveform.sample_rate_hz;
  info.channels = 1;
  info.format = format | SF_FORMAT_PCM_16;
  SNDFILE* file = ::sf_open_virtual(&io, SFM_WRITE, &info, &memory);
  SERVAL_CHECK(file != nullptr, "a file of ", waveform.sample_rate_hz, " Hz: ", ::sf_strerror(nullptr));
  const auto count = static_cast<sf_count_t>(samples.size());
  const bool whole = ::sf_write_short(file, samples.data(), count) == count;
  const bool closed = ::sf_close(file) == 0;
  SERVAL_CHECK(whole && closed, "a file of ", count, " samples cannot be written");
  return std::move(memory.bytes);
}

}  // namespace

std::string encode_flac(const Waveform& waveform) { return encode(waveform, SF_FORMAT_FLAC, 32767); }
std::string encode_wav(const Waveform& waveform) { return encode(waveform, SF_FORMAT_WAV, 32768); }

}  // namespace serval::audio
