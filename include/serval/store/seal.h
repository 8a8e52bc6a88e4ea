// A seal tells a whole file from a torn, flipped or foreign one before anything else parses it.
//
// It is plain text in the file's first 512 bytes, which HDF5 leaves to the application (the "user block"), so
// that one rename publishes data and checksum together, HDF5 tools still open the file, and `head -c 512`
// shows it:
//   serval 1 / kind / key / items / bytes / created / checksum, one a line, then line ends up to byte 512.
// The checksum (XXH3, 128 bits) covers every byte of the file, with its own 32 digits taken as zeros.
// The rest of the user block may hold a note: text for people and listings, which can be shown without reading
// the whole file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>

#include "serval/core/error.h"
#include "serval/store/hdf5.h"

namespace serval::store {

// The bytes themselves are wrong: torn, corrupt or never sealed. Any other DataError says that they could not
// be read, and nothing about them.
struct DamagedError : DataError {
  using DataError::DataError;
};

struct Seal {
  std::string kind;        // "audio", "features", "checkpoint"; one word
  std::string key;         // what the content was made from; one word
  std::int64_t items = 0;  // whatever the kind counts
  // Filled by seal_file.
  std::int64_t bytes = 0;    // of the whole file
  std::string created = "";  // UTC, "2026-11-23T08:00:00Z"
  std::string checksum = "";
};

// For a file made by Hdf5File::create and closed. Throws DiskError or DataError.
void seal_file(const std::filesystem::path& path, const Seal& seal, const std::string& note = "");
inline constexpr std::size_t kMaxNoteBytes = 7680;  // longer ones are a broken contract

// The note as it is there, "" when there is none. Its bytes are covered by the checksum, which is not looked
// at here. Throws DataError when the file cannot be read.
std::string read_note(const std::filesystem::path& path);

// The seal alone, without a look at the rest of the file but its size. Throws DamagedError naming what is
// wrong, DataError when the file cannot be read.
Seal read_seal(const std::filesystem::path& path);

// Reads the whole file; throws DamagedError unless every byte is as it was sealed, DataError as above.
Seal verify_seal(const std::filesystem::path& path);
// For reading. A file that begins as Serval's own is verified first; one of others, which has no seal, is opened as it is.
Hdf5File open_verified(const std::filesystem::path& path);

}  // namespace serval::store
