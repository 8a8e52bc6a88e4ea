// Bytes as a file that has a name and is on no disk.
#pragma once

#include <string>
#include <string_view>

namespace serval::deploy {

class MemoryFile {
 public:
  explicit MemoryFile(std::string_view content);  // throws DiskError where there is no room
  ~MemoryFile();
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;

  std::string path() const;

 private:
  int descriptor_ = -1;
};

}  // namespace serval::deploy
