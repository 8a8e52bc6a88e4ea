// The members of a ZIP archive as NumPy writes them (.npz): stored or deflated, with 64-bit sizes where needed.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "npy.h"

namespace serval::store {

struct ZipMember {
  std::string name;
  bool deflated = false;
  std::uint64_t header_begin = 0;
  std::uint64_t packed_bytes = 0;
  std::uint64_t bytes = 0;
  std::uint32_t checksum = 0;
};

// Throws DataError naming what is wrong with the archive's directory.
std::vector<ZipMember> list_zip(const std::filesystem::path& path);

// A stored member is read from the file as it is asked for; a deflated one is unpacked into memory and its checksum
// verified. Throws DataError when it is cut off, larger than it says, or damaged.
std::unique_ptr<ByteSource> open_zip_member(const std::filesystem::path& path, const ZipMember& member);

}  // namespace serval::store
