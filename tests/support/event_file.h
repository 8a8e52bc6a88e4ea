// A second reader of TensorBoard's event files: records with their checksums, and the scalars in them.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "serval/core/files.h"
#include "serval/report/tensorboard.h"

namespace serval::testing_support {

struct ReadEvent {
  double wall_s = 0;
  std::int64_t step = 0;
  std::string version;    // of the file, in its first event
  bool restarts = false;  // a session log that says START
  std::map<std::string, float> scalars;
};

// The fields of a message: calls field(number, bytes, integer).
template <class Field>
void read_message(std::string_view text, const Field& field) {
  std::size_t at = 0;
  const auto varint = [&] {
    std::uint64_t value = 0;
    for (int shift = 0;; shift += 7) {
      const auto byte = static_cast<unsigned char>(text.at(at++));
      value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  while (at < text.size()) {
    const std::uint64_t key = varint();
    const auto number = static_cast<int>(key >> 3);
    switch (key & 7) {
      case 0:
        field(number, std::string_view{}, varint());
        break;
      case 1:
      case 2:
      case 5: {
        const std::size_t size = (key & 7) == 1 ? 8 : (key & 7) == 5 ? 4 : varint();
        if (at + size > text.size()) throw std::runtime_error("a field passes the message's end");
        field(number, text.substr(at, size), std::uint64_t{0});
        at += size;
        break;
      }
      default:
        throw std::runtime_error("unknown wire type");
    }
  }
}

template <class T>
T little_endian(std::string_view bytes) {
  T value{};
  std::memcpy(&value, bytes.data(), sizeof value);
  return value;
}

inline ReadEvent read_event(std::string_view message) {
  ReadEvent event;
  read_message(message, [&](int number, std::string_view bytes, std::uint64_t integer) {
    if (number == 1) event.wall_s = little_endian<double>(bytes);
    if (number == 2) event.step = static_cast<std::int64_t>(integer);
    if (number == 3) event.version = bytes;
    if (number == 7)
      read_message(bytes, [&](int n, auto, std::uint64_t status) { event.restarts = n == 1 && status == 1; });
    if (number != 5) return;
    read_message(bytes, [&](int, std::string_view value, auto) {
      std::string tag;
      float scalar = 0;
      read_message(value, [&](int n, std::string_view part, auto) {
        if (n == 1) tag = part;
        if (n == 2) scalar = little_endian<float>(part);
      });
      event.scalars[tag] = scalar;
    });
  });
  return event;
}

// Throws where a length or a checksum is wrong.
inline std::vector<ReadEvent> read_events(const std::string& path) {
  const std::string file = read_text(path);
  const auto checked = [&](std::size_t at, std::size_t size) {
    if (at + size + 4 > file.size()) throw std::runtime_error("a torn record");
    const std::string_view bytes = std::string_view(file).substr(at, size);
    const auto masked = little_endian<std::uint32_t>(std::string_view(file).substr(at + size, 4));
    if (std::rotl(masked - 0xa282ead8u, 15) != report::crc32c(bytes))
      throw std::runtime_error("a wrong checksum");
    return bytes;
  };
  std::vector<ReadEvent> events;
  for (std::size_t at = 0; at < file.size();) {
    const auto size = little_endian<std::uint64_t>(checked(at, 8));
    events.push_back(read_event(checked(at + 12, size)));
    at += 12 + size + 4;
  }
  return events;
}

inline std::vector<std::string> event_files(const std::string& folder) {
  std::vector<std::string> paths;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().filename().string().find("tfevents") != std::string::npos)
      paths.push_back(entry.path().string());
  }
  return paths;
}

}  // namespace serval::testing_support
