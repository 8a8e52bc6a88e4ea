// From a file to samples.
#pragma once

#include <optional>
#include <string>

#include "serval/audio/container.h"
#include "serval/audio/waveform.h"
#include "serval/core/error.h"

namespace serval::audio {

// The rates at which sound is read. Below, there is no speech, and a few bytes would become hours.
inline constexpr int kSlowestHz = 1000;
inline constexpr int kFastestHz = 1'000'000;

// The file ends before the sound that it promises.
struct TruncatedError : DataError {
  using DataError::DataError;
};

struct Decoded {
  Waveform waveform;  // at the file's own rate
  int channels = 0;   // in the file
  Container container;
};

// Decodes WAV, AIFF, FLAC, Ogg (Vorbis, Opus) and MP3, recognised by content and not by the file's ending.
// Several channels become one by their mean. Fixed-point samples are divided by full scale, so they lie in
// [-1, 1); floating-point ones, and lossy codecs, may go beyond.
// Kept are samples [floor(offset_s * rate), floor(offset_s * rate) + floor(duration_s * rate)).
// Throws DataError, "<path>: <reason>": no such file, empty, not sound, no samples, a rate that is not read, NaN or infinity, an
// offset behind the end; and TruncatedError for a file that is cut off. An MP3 that is cut off cannot be told
// from a shorter one.
Decoded decode_file(const std::string& path, double offset_s = 0, std::optional<double> duration_s = {});

Waveform decode(const std::string& path, double offset_s = 0, std::optional<double> duration_s = {});

}  // namespace serval::audio
