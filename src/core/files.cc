#include "serval/core/files.h"

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <sstream>
#include <system_error>

#include <fcntl.h>
#include <unistd.h>

#include "serval/core/error.h"
#include "serval/core/hash.h"

namespace serval {
namespace fs = std::filesystem;

namespace {

[[noreturn]] void fail_write(const fs::path& path, int error) {
  fail_errno(path, "cannot be written", error);
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

void flush_to_disk(const fs::path& path) {
  const Descriptor file(path, O_RDONLY);
  if (file.get() < 0) fail_write(path, errno);
  while (::fsync(file.get()) != 0) {
    if (errno != EINTR) fail_write(path, errno);
  }
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

std::string machine_name() { return cat(host_name(), ".", boot_name()); }

}  // namespace

std::string host_name() {
  std::array<char, 256> host{};
  ::gethostname(host.data(), host.size() - 1);
  return host.data();
}

std::string boot_name() {
  std::string boot;
  std::getline(std::ifstream("/proc/sys/kernel/random/boot_id"), boot);
  std::array<char, 64> space{};
  if (boot.empty() || ::readlink("/proc/self/ns/pid", space.data(), space.size() - 1) <= 0) return "";
  return Hasher().text(boot).text(space.data()).hex().substr(0, 16);
}

void fail_errno(const fs::path& path, const std::string& what, int error) {
  const std::string message = cat(path.string(), ": ", what, ": ", std::strerror(error));
  if (error == ENOSPC || error == EDQUOT || error == EFBIG)
    throw DiskError(message + "; free some space and run the same command again");
  throw DataError(message);
}

std::string read_text(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in || fs::is_directory(path)) throw DataError(cat(path.string(), ": cannot be read"));
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

TemporaryFile::TemporaryFile(const fs::path& wanted) : wanted_(wanted) {
  static std::atomic<unsigned> count{0};
  path_ = wanted.string() + cat(".tmp-", machine_name(), "-", ::getpid(), "-", ++count);
}

TemporaryFile::~TemporaryFile() {
  std::error_code ignored;
  fs::remove(path_, ignored);
}

void TemporaryFile::publish_as(const fs::path& name) const {
  flush_to_disk(path_);
  std::error_code error;
  fs::rename(path_, name, error);
  if (error) fail_write(name, error.value());
  // The rename itself is durable only once the folder is.
  const fs::path folder = name.parent_path().empty() ? fs::path(".") : name.parent_path();
  const Descriptor directory(folder, O_RDONLY | O_DIRECTORY);
  if (directory.get() >= 0) ::fsync(directory.get());
}

bool is_abandoned(const fs::path& temporary) {
  const std::string name = temporary.filename().string();
  const std::string machine = machine_name();
  if (machine.back() == '.') return false;
  const std::size_t at = name.rfind(".tmp-" + machine + "-");
  if (at == std::string::npos) return false;
  long process = 0;
  unsigned count = 0;
  int length = 0;
  const std::string rest = name.substr(at + machine.size() + 6);
  if (std::sscanf(rest.c_str(), "%ld-%u%n", &process, &count, &length) != 2 ||
      static_cast<std::size_t>(length) != rest.size() || process <= 0) {
    return false;
  }
  return ::kill(static_cast<pid_t>(process), 0) != 0 && errno == ESRCH;
}

void write_atomically(const fs::path& path, const std::function<void(const fs::path&)>& write) {
  const TemporaryFile temporary(path);
  write(temporary.path());
  temporary.publish();
}

void write_atomically(const fs::path& path, std::string_view content) {
  write_atomically(path, [&](const fs::path& temporary) { write_all(temporary, content); });
}

void write_often(const fs::path& path, std::string_view content) {
  const TemporaryFile temporary(path);
  write_all(temporary.path(), content);
  std::error_code error;
  fs::rename(temporary.path(), path, error);
  if (error) fail_write(path, error.value());
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
