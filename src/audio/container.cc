#include "serval/audio/container.h"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <string_view>
#include <utility>

#include "serval/core/error.h"
#include "serval/core/text.h"

namespace serval::audio {
namespace fs = std::filesystem;

namespace {

// Lengths from here up are what programs write when they stream into a pipe and cannot know.
constexpr std::uint64_t kStreamedLength = 0x7FFFF000;

class Bytes {
 public:
  explicit Bytes(const std::string& path) : in_(path, std::ios::binary) {
    std::error_code error;
    const std::uintmax_t size = fs::file_size(path, error);
    if (!in_ || error)
      throw DataError(cat(path, ": cannot be read", error ? cat(": ", error.message()) : ""));
    size_ = size;
  }
  std::uint64_t size() const { return size_; }

  // Up to `count` bytes from `offset`; fewer at the end of the file.
  std::string at(std::uint64_t offset, std::size_t count) {
    if (offset >= size_) return "";
    std::string out(static_cast<std::size_t>(std::min<std::uint64_t>(count, size_ - offset)), '\0');
    in_.clear();
    in_.seekg(static_cast<std::streamoff>(offset));
    in_.read(out.data(), static_cast<std::streamsize>(out.size()));
    out.resize(static_cast<std::size_t>(std::max<std::streamsize>(0, in_.gcount())));
    return out;
  }

 private:
  std::ifstream in_;
  std::uint64_t size_ = 0;
};

std::uint64_t little_endian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = bytes.size(); i-- > 0;) value = value << 8 | static_cast<unsigned char>(bytes[i]);
  return value;
}

std::uint64_t big_endian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (const char c : bytes) value = value << 8 | static_cast<unsigned char>(c);
  return value;
}

ContainerKind kind_of(std::string_view start) {
  const auto starts = [&](std::string_view with) { return start.substr(0, with.size()) == with; };
  const std::string_view form = start.size() >= 12 ? start.substr(8, 4) : "";
  if ((starts("RIFF") || starts("RF64") || starts("RIFX")) && form == "WAVE") return ContainerKind::kWav;
  if (starts("FORM") && (form == "AIFF" || form == "AIFC")) return ContainerKind::kAiff;
  if (starts("fLaC")) return ContainerKind::kFlac;
  if (starts("OggS")) return ContainerKind::kOgg;
  const bool frame_sync = start.size() >= 2 && static_cast<unsigned char>(start[0]) == 0xFF &&
                          (static_cast<unsigned char>(start[1]) & 0xE0) == 0xE0;
  if (starts("ID3") || frame_sync) return ContainerKind::kMpeg;
  return ContainerKind::kUnknown;
}

std::string printable(std::string_view bytes) {
  std::string out;
  for (const char c : bytes) out += std::isprint(static_cast<unsigned char>(c)) ? c : '.';
  return out;
}

// WAV and AIFF are both a 12-byte head and then chunks: a name of 4 bytes, a length of 4, the content, and a
// byte of padding after an odd length. Other chunks may stand on both sides of the samples.
void walk_chunks(Bytes& file, bool big, std::string_view samples_chunk, std::string_view own_chunks,
                 Container& container) {
  std::uint64_t long_length = 0;  // RF64 keeps the samples' length in a chunk of its own
  for (std::uint64_t offset = 12; offset + 8 <= file.size();) {
    const std::string head = file.at(offset, 8);
    if (head.size() < 8) return;
    const std::string name = head.substr(0, 4);
    const std::string_view length_bytes = std::string_view(head).substr(4);
    std::uint64_t length = big ? big_endian(length_bytes) : little_endian(length_bytes);
    if (name == "ds64") {
      const std::string sizes = file.at(offset + 8, 24);
      if (sizes.size() == 24) long_length = little_endian(std::string_view(sizes).substr(8, 8));
    } else if (name == samples_chunk) {
      if (length == 0xFFFFFFFF && long_length > 0)
        length = long_length;
      else if (length >= kStreamedLength)
        return;
      const std::uint64_t there = file.size() - (offset + 8);
      if (length > there) {
        container.truncation =
            cat("the header promises ", length, " bytes of samples, the file holds ", there);
        return;
      }
    } else if (own_chunks.find(name) == std::string_view::npos) {
      container.extra_chunks.push_back(printable(name));
    }
    offset += 8 + length + (length & 1);
  }
}

// Pages: a 27-byte head, a table of segment lengths, the segments. The last page of a stream carries a flag.
void walk_ogg_pages(Bytes& file, Container& container) {
  bool ended = false;
  for (std::uint64_t offset = 0; offset < file.size();) {
    const std::string head = file.at(offset, 27 + 255);
    if (head.size() < 27) {
      container.truncation = "it ends inside the head of a page";
      return;
    }
    if (head.compare(0, 4, "OggS") != 0) return;  // something else follows the sound
    const std::size_t segments = static_cast<unsigned char>(head[26]);
    std::uint64_t next = offset + 27 + segments;
    for (std::size_t i = 0; i < segments && 27 + i < head.size(); ++i)
      next += static_cast<unsigned char>(head[27 + i]);
    if (next > file.size()) {
      container.truncation = "it ends inside a page";
      return;
    }
    ended = (static_cast<unsigned char>(head[5]) & 4) != 0;
    offset = next;
  }
  if (!ended) container.truncation = "the page that ends the sound is missing";
}

}  // namespace

const char* to_string(ContainerKind kind) {
  switch (kind) {
    case ContainerKind::kWav:
      return "WAV";
    case ContainerKind::kAiff:
      return "AIFF";
    case ContainerKind::kFlac:
      return "FLAC";
    case ContainerKind::kOgg:
      return "Ogg";
    case ContainerKind::kMpeg:
      return "MPEG";
    case ContainerKind::kUnknown:
      break;
  }
  return "unknown";
}

Container inspect_container(const std::string& path) {
  Bytes file(path);
  if (file.size() == 0) throw DataError(cat(path, ": the file is empty (0 bytes)"));
  const std::string start = file.at(0, 16);
  Container container;
  container.kind = kind_of(start);
  container.start = printable(start);
  const bool big = start.rfind("FORM", 0) == 0 || start.rfind("RIFX", 0) == 0;
  if (container.kind == ContainerKind::kWav) walk_chunks(file, big, "data", "fmt ds64 fact", container);
  if (container.kind == ContainerKind::kAiff) walk_chunks(file, big, "SSND", "COMM FVER", container);
  if (container.kind == ContainerKind::kOgg) walk_ogg_pages(file, container);
  return container;
}

ContainerKind promised_kind(const std::string& path) {
  const std::string ending = lower(fs::path(path).extension().string());
  if (ending == ".wav") return ContainerKind::kWav;
  if (ending == ".aiff" || ending == ".aif") return ContainerKind::kAiff;
  if (ending == ".flac") return ContainerKind::kFlac;
  if (ending == ".ogg" || ending == ".opus") return ContainerKind::kOgg;
  if (ending == ".mp3") return ContainerKind::kMpeg;
  return ContainerKind::kUnknown;
}

}  // namespace serval::audio
