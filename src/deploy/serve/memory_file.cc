#include "memory_file.h"

#include <cerrno>

#include <sys/mman.h>
#include <unistd.h>

#include "serval/core/error.h"
#include "serval/core/files.h"

namespace serval::deploy {

MemoryFile::MemoryFile(std::string_view content) : descriptor_(::memfd_create("recording", MFD_CLOEXEC)) {
  if (descriptor_ < 0) fail_errno("a recording in memory", "cannot be made", errno);
  while (!content.empty()) {
    const ssize_t count = ::write(descriptor_, content.data(), content.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) {
      const int error = errno;
      ::close(descriptor_);
      fail_errno("a recording in memory", "cannot be written", error);
    }
    content.remove_prefix(static_cast<std::size_t>(count));
  }
}

MemoryFile::~MemoryFile() { ::close(descriptor_); }

std::string MemoryFile::path() const { return cat("/proc/self/fd/", descriptor_); }

}  // namespace serval::deploy
