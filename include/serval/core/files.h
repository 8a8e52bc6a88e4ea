// Files that are either whole or absent.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

namespace serval {

// Whole file as text; throws DataError naming the path.
std::string read_text(const std::filesystem::path& path);

// Writes through a temporary name beside `path`, then fsync and rename, so that a reader sees the old content
// or the new, never a part. Throws DiskError when there is no room (nothing stays), else DataError.
void write_atomically(const std::filesystem::path& path, std::string_view content);

// The same for a writer that needs a path of its own (HDF5). `write` gets the temporary path.
void write_atomically(const std::filesystem::path& path,
                      const std::function<void(const std::filesystem::path&)>& write);

// The same without waiting for the disk: for what is written often and, after a crash of the machine, again.
void write_often(const std::filesystem::path& path, std::string_view content);

// The same for a file that grows over many calls. It is written at path() and renamed by publish(); without
// that, nothing stays. The name differs between threads, processes and the machines that share a file system:
// "<wanted>.tmp-<host>.<16 digits of this start of it>-<process>-<count>".
class TemporaryFile {
 public:
  explicit TemporaryFile(const std::filesystem::path& wanted);  // makes no file
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  ~TemporaryFile();

  const std::filesystem::path& path() const { return path_; }
  void publish() const { publish_as(wanted_); }  // the file is closed; throws like write_atomically
  void publish_as(const std::filesystem::path& name) const;  // under another name in the same folder

 private:
  std::filesystem::path wanted_;
  std::filesystem::path path_;
};

// Whether the process that wrote a temporary file is known to be gone: the name says that it ran on this
// machine since its last start, in this space of process numbers, and no process has its number now. False
// whenever that cannot be told, above all for another machine's files.
bool is_abandoned(const std::filesystem::path& temporary);

std::string host_name();
// This start of this machine, and the space of process numbers that this process is in; "" where the system does not say.
std::string boot_name();

// DiskError for a full disk or quota and for a file size limit (all three: the same command works once there
// is room), DataError for the rest: "<path>: <what>: <the system's reason>".
[[noreturn]] void fail_errno(const std::filesystem::path& path, const std::string& what, int error);

// Creates the folder and its parents; throws ConfigError when that is not allowed.
void make_folder(const std::filesystem::path& path);

}  // namespace serval
