// SHA-256 (FIPS 180-4): checksums that other programs can check too, as `sha256sum` does.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace serval {

class Sha256 {
 public:
  Sha256& bytes(const void* data, std::size_t size);
  std::string hex();  // 64 lower-case hexadecimal digits; ends the message

 private:
  void blocks(const unsigned char* bytes, std::size_t count);

  std::uint32_t state_[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                             0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  unsigned char rest_[64] = {};  // of an unfinished block
  std::uint64_t size_ = 0;       // of the message so far
};

std::string sha256(std::string_view content);
std::string sha256_file(const std::filesystem::path& path);  // throws DataError when the file cannot be read

}  // namespace serval
