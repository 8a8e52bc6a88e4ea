#include "serval/core/files.h"

#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>
#include <system_error>

#include <fcntl.h>
#include <unistd.h>

#include "serval/core/error.h"

namespace serval {
namespace fs = std::filesystem;

namespace {

[[noreturn]] void fail_write(const fs::path& path, int error) {
  const std::string message = cat(path.string(), ": cannot be written: ", std::strerror(error));
  if (error == ENOSPC || error == EDQUOT || error == EFBIG)
    throw DiskError(message + "; free some space and run the same command again");
  throw DataError(message);
}

class Descriptor {
 public:
  Descriptor(const fs::path& path, int flags) : fd_(::open(path.c_str(), flags, 0644)) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

// Differs between threads, processes and the machines that share a file system.
std::string temporary_ending() {
  static std::atomic<unsigned> count{0};
  std::array<char, 256> host{};
  ::gethostname(host.data(), host.size() - 1);
  return cat(".tmp-", host.data(), "-", ::getpid(), "-", ++count);
}

void flush_to_disk(const fs::path& path) {
  const Descriptor file(path, O_RDONLY);
  if (file.get() < 0 || ::fsync(file.get()) != 0) fail_write(path, errno);
}

void write_all(const fs::path& path, std::string_view content) {
  const Descriptor file(path, O_WRONLY | O_CREAT | O_TRUNC);
  if (file.get() < 0) fail_write(path, errno);
  while (!content.empty()) {
    const ssize_t written = ::write(file.get(), content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) fail_write(path, errno);
    content.remove_prefix(static_cast<std::size_t>(written));
  }
}

}  // namespace

std::string read_text(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in || fs::is_directory(path)) throw DataError(cat(path.string(), ": cannot be read"));
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

void write_atomically(const fs::path& path, const std::function<void(const fs::path&)>& write) {
  const fs::path temporary = path.string() + temporary_ending();
  try {
    write(temporary);
    flush_to_disk(temporary);
    std::error_code error;
    fs::rename(temporary, path, error);
    if (error) fail_write(path, error.value());
    // The rename itself is durable only once the folder is.
    const fs::path folder = path.parent_path().empty() ? fs::path(".") : path.parent_path();
    const Descriptor directory(folder, O_RDONLY | O_DIRECTORY);
    if (directory.get() >= 0) ::fsync(directory.get());
  } catch (...) {
    std::error_code ignored;
    fs::remove(temporary, ignored);
    throw;
  }
}

void write_atomically(const fs::path& path, std::string_view content) {
  write_atomically(path, [&](const fs::path& temporary) { write_all(temporary, content); });
}

void make_folder(const fs::path& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (!error && fs::is_directory(path)) return;
  const int code = error ? error.value() : ENOTDIR;
  const std::string message = cat(path.string(), ": the folder cannot be made: ", std::strerror(code));
  if (code == ENOSPC || code == EDQUOT) throw DiskError(message);
  throw ConfigError(message);
}

}  // namespace serval
