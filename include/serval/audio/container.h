// What a file is by its content, whatever its name says, and whether all of it is there.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace serval::audio {

enum class ContainerKind { kUnknown, kWav, kAiff, kFlac, kOgg, kMpeg };
const char* to_string(ContainerKind kind);  // "WAV", "AIFF", ...

struct Container {
  ContainerKind kind = ContainerKind::kUnknown;
  std::vector<std::string>
      extra_chunks;        // of WAV: all but fmt and data; of AIFF: all but COMM, FVER and SSND
  std::string truncation;  // what is missing at the end; "" when nothing is, as far as the file says
  std::string start;       // the first bytes as text, for messages
};

// Reads headers only. WAV (RIFF, RF64) and AIFF say how many bytes of samples follow; Ogg marks its last
// page. A WAV that was streamed, with a length that nobody knew, is whole by definition. Throws DataError
// when the file cannot be read or is empty.
Container inspect_container(const std::string& path);

// The kind that the ending promises: ".wav" -> kWav; kUnknown for an ending that promises none.
ContainerKind promised_kind(const std::string& path);

}  // namespace serval::audio
