// Synthetic sounds, and files of them in any format that libsndfile writes.
#pragma once

#include <algorithm>
#include <cmath>
#include <fstream>
#include <iterator>
#include <numbers>
#include <stdexcept>
#include <string>
#include <vector>

#include <sndfile.h>

#include "serval/audio/waveform.h"

#include "tests/corpus/corpus_fixtures.h"

namespace serval::audio {

using corpus::message_of;
using corpus::TempFolder;

constexpr int kWav16 = SF_FORMAT_WAV | SF_FORMAT_PCM_16;

// [frame, channel] in one row. Samples beyond full scale are clipped in fixed-point formats.
inline std::string write_sound(const std::string& path, std::vector<float> samples, int rate_hz = 16000,
                               int format = kWav16, int channels = 1) {
  std::filesystem::create_directories(std::filesystem::path(path).parent_path());
  if ((format & SF_FORMAT_SUBMASK) != SF_FORMAT_FLOAT) {
    for (float& sample : samples) sample = std::clamp(sample, -1.0f, 1.0f);
  }
  SF_INFO info{};
  info.samplerate = rate_hz;
  info.channels = channels;
  info.format = format;
  SNDFILE* file = sf_open(path.c_str(), SFM_WRITE, &info);
  if (file == nullptr) throw std::runtime_error("cannot write " + path);
  const auto frames = static_cast<sf_count_t>(samples.size()) / channels;
  const sf_count_t written = sf_writef_float(file, samples.data(), frames);
  sf_close(file);
  if (written != frames) throw std::runtime_error("cannot write all of " + path);
  return path;
}

inline std::vector<float> tone(double seconds, double frequency_hz = 440, double amplitude = 0.5,
                               int rate_hz = 16000) {
  std::vector<float> out(static_cast<std::size_t>(std::llround(seconds * rate_hz)));
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i] = static_cast<float>(
        amplitude * std::sin(2 * std::numbers::pi * frequency_hz * static_cast<double>(i) / rate_hz));
  }
  return out;
}

inline std::string bytes_of(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

inline void put_bytes(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

inline std::string le32(std::uint32_t value) {
  std::string out;
  for (int i = 0; i < 4; ++i) out += static_cast<char>(value >> (8 * i) & 0xFF);
  return out;
}

}  // namespace serval::audio
