// Reads the golden files of tests/golden/features.
#pragma once

#include <cstdint>
#include <fstream>
#include <string>
#include <vector>

#include "serval/audio/waveform.h"
#include "serval/core/error.h"

namespace serval::features {

inline const std::string kGoldenFolder = std::string(SERVAL_SOURCE_DIR) + "/tests/golden/features/";

template <class T>
std::vector<T> read_binary(const std::string& path) {
  std::ifstream in(path, std::ios::binary | std::ios::ate);
  SERVAL_CHECK(in.good(), path);
  std::vector<T> values(static_cast<std::size_t>(in.tellg()) / sizeof(T));
  in.seekg(0);
  in.read(reinterpret_cast<char*>(values.data()), static_cast<std::streamsize>(values.size() * sizeof(T)));
  return values;
}

inline audio::Waveform read_signal(const std::string& name, int rate_hz) {
  audio::Waveform clip;
  clip.sample_rate_hz = rate_hz;
  for (const std::int16_t sample : read_binary<std::int16_t>(kGoldenFolder + name + ".i16")) {
    clip.samples.push_back(static_cast<float>(sample) / 32768);
  }
  return clip;
}

}  // namespace serval::features
