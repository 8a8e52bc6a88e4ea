// Helpers for tests of external features: the goldens, their values, and arrays written byte by byte.
#pragma once

#include <cstring>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "serval/store/external.h"

#include "tests/corpus/corpus_fixtures.h"

namespace serval::store {

inline std::string golden(const std::string& name) {
  return SERVAL_SOURCE_DIR "/tests/golden/external/" + name;
}

// As tests/golden/external/make_goldens.py makes them, in its order.
inline std::vector<float> golden_values(int item, int frames, int columns = 3) {
  std::vector<float> out;
  for (int frame = 0; frame < frames; ++frame) {
    for (int column = 0; column < columns; ++column)
      out.push_back(16.0f * static_cast<float>(item) + 2.0f * static_cast<float>(frame) +
                    static_cast<float>(column) / 8.0f - 3.0f);
  }
  return out;
}

inline features::ExternalSettings external(const std::string& path,
                                           features::ExternalLayout layout = features::ExternalLayout::kAuto,
                                           const std::string& group = "") {
  return {path, layout, group};
}

inline std::size_t item_named(const ExternalFeatures& set, const std::string& name) {
  const auto& names = set.names();
  const auto found = std::find(names.begin(), names.end(), name);
  EXPECT_NE(found, names.end()) << name;
  return static_cast<std::size_t>(found - names.begin());
}

inline std::vector<float> read_named(const ExternalFeatures& set, const std::string& name) {
  return set.read(item_named(set, name)).values;
}

// What the one item that a recording needs is refused for.
inline std::string refusal(const ExternalFeatures& set, const std::string& name) {
  const std::vector<std::size_t> items = {item_named(set, name)};
  const std::vector<ExternalRecording> ids = {{"demo/x", "x.wav"}};
  return corpus::message_of<DataError>([&] {
    set.dimension(items, ids);
    set.read(items[0]);
  });
}

template <class E = DataError>
std::string open_refusal(const features::ExternalSettings& settings) {
  return corpus::message_of<E>([&] { const ExternalFeatures set(settings); });
}

// A .npy file from its header's text and its values' bytes.
inline std::string npy_bytes(const std::string& header, const std::string& data, int version = 1) {
  std::string out = "\x93NUMPY";
  out += static_cast<char>(version);
  out += '\0';
  for (int i = 0; i < (version == 1 ? 2 : 4); ++i) out += static_cast<char>(header.size() >> (8 * i) & 0xFF);
  return out + header + data;
}

inline std::string float_bytes(const std::vector<float>& values) {
  std::string out(values.size() * sizeof(float), '\0');
  std::memcpy(out.data(), values.data(), out.size());
  return out;
}

}  // namespace serval::store
